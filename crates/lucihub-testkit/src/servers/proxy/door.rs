//! The listener of a proxy, and the thread that accepts.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::net::{Shutdown, shutdown};

use super::connection;
use super::rules::Rules;

/// Open as long as it lives; after that connections are refused.
#[derive(Debug)]
pub(super) struct Door {
    listener: Arc<TcpListener>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    pub(super) fn open(port: u16, rules: &Arc<Rules>) -> io::Result<Self> {
        let listener = Arc::new(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?);
        let closing = Arc::new(AtomicBool::new(false));
        let (listens, seen, rules) = (Arc::clone(&listener), Arc::clone(&closing), Arc::clone(rules));
        let thread = thread::Builder::new().name("proxy".to_owned()).spawn(move || accept(&listens, &seen, &rules))?;
        Ok(Self { listener, closing, thread: Some(thread) })
    }
}

fn accept(listener: &TcpListener, closing: &AtomicBool, rules: &Arc<Rules>) {
    for client in listener.incoming() {
        if closing.load(Ordering::SeqCst) {
            return;
        }
        match client {
            Ok(client) => connection::carry(client, rules),
            // Too many open files, say; it passes, and trying again at once would only burn time.
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // Closing alone is not enough: a child of this process that has not reached its program yet holds the socket too, and the
        // system accepts for it. Where this does not wake the thread, a connection does.
        if shutdown(&self.listener, Shutdown::Both).is_err()
            && let Ok(address) = self.listener.local_addr()
        {
            drop(TcpStream::connect(address));
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
