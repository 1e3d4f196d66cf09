//! One connection through a proxy: two sockets, and a thread for each direction.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

use super::requests::Tail;
use super::rules::{Cut, Direction, Now, Rules};
use crate::servers::until::PATIENCE;

/// How soon a thread that waits for its socket sees that the connection has ended.
const GLANCE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Connection {
    number: u64,
    /// Where the client's end is, unless it has gone already.
    source: Option<IpAddr>,
    client: TcpStream,
    server: TcpStream,
    ended: AtomicBool,
    cut: AtomicBool,
    /// Once the client has sent a request whose answer is to be lost: the bytes up to the end of its pattern.
    swallows: OnceLock<u64>,
}

/// Connects a client to the target and carries bytes, on threads of its own. Where the target refuses, the client's connection
/// ends.
pub(super) fn carry(client: TcpStream, rules: &Arc<Rules>) {
    let number = rules.count_connection();
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, rules.target)) else { return };
    for socket in [&client, &server] {
        // Fails only for a socket that has ended already, which the threads find out too.
        drop(socket.set_nodelay(true));
        drop(socket.set_read_timeout(Some(GLANCE)));
        drop(socket.set_write_timeout(Some(GLANCE)));
    }
    let connection = Arc::new(Connection {
        number,
        source: client.peer_addr().ok().map(|address| address.ip()),
        client,
        server,
        ended: AtomicBool::new(false),
        cut: AtomicBool::new(false),
        swallows: OnceLock::new(),
    });
    rules.opened(&connection);
    for direction in [Direction::ToServer, Direction::ToClient] {
        let (connection, rules) = (Arc::clone(&connection), Arc::clone(rules));
        let work = move || {
            if connection.forward(direction, &rules).is_err() {
                connection.end(true);
            }
        };
        thread::Builder::new().name("proxy".to_owned()).spawn(work).expect("a thread");
    }
}

impl Connection {
    /// Ends both sockets, unless they are. A reset goes out when the second thread lets go of them.
    pub(super) fn end(&self, reset: bool) {
        if !self.ended.swap(true, Ordering::SeqCst) {
            for socket in [&self.client, &self.server] {
                if reset {
                    set_socket_linger(socket, Some(Duration::ZERO)).ok();
                    // Wakes a thread that reads, and sends nothing.
                    drop(socket.shutdown(Shutdown::Read));
                } else {
                    drop(socket.shutdown(Shutdown::Both));
                }
            }
        }
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Carries bytes one way until the sender ends, the connection is cut, or a socket fails.
    fn forward(&self, direction: Direction, rules: &Rules) -> io::Result<()> {
        let (mut from, to) = match direction {
            Direction::ToServer => (&self.client, &self.server),
            Direction::ToClient => (&self.server, &self.client),
        };
        let dice = rules.dice(self.number, direction);
        let mut version = None;
        let mut due: Option<(u64, u64)> = None; // drawn, and left of it
        let (mut passed, mut tail) = (0, Tail::default());
        let mut buffer = [0; 16 * 1024];
        while !self.has_ended() {
            let bytes = match from.read(&mut buffer) {
                Ok(count) => &buffer[..count],
                Err(error) if is_glance(&error) => continue,
                Err(error) => return Err(error),
            };
            let now = self.when_not_held(rules);
            if bytes.is_empty() {
                return to.shutdown(Shutdown::Write);
            }
            if version != Some(now.version) {
                version = Some(now.version);
                due = now.cut_after.map(|range| range.start + dice.below(range.end - range.start)).map(|n| (n, n));
            }
            let count = u64::try_from(bytes.len()).expect("the length of a buffer");
            match (direction, self.swallows.get()) {
                (Direction::ToClient, Some(after)) => {
                    self.swallow(*after, rules);
                    return Ok(());
                }
                // Before the request goes on, so that its answer cannot be faster.
                (Direction::ToServer, None) => {
                    if let Some(end) = rules.requests.take(&mut tail, bytes) {
                        let end = u64::try_from(end).expect("the length of a buffer");
                        self.swallows.get_or_init(|| passed + end);
                    }
                }
                _ => {}
            }
            passed += count;
            match &mut due {
                Some((after, left)) if *left <= count => {
                    self.write(to, &bytes[..usize::try_from(*left).expect("at most the length of a buffer")])?;
                    let reset = dice.one_in(2);
                    self.note(Cut { connection: self.number, direction, after: *after, reset }, rules);
                    self.end(reset);
                    return Ok(());
                }
                Some((_, left)) => *left -= count,
                None => {}
            }
            self.write(to, bytes)?;
        }
        Ok(())
    }

    /// Notes a cut, unless there was one. Before the sockets end, so that who sees the end of a connection finds it.
    fn note(&self, cut: Cut, rules: &Rules) {
        if !self.has_ended() && !self.cut.swap(true, Ordering::SeqCst) {
            rules.note(cut);
        }
    }

    /// The server has begun to answer a request whose answer is to be lost: ends the client's socket, and lets the server find
    /// the end of the stream behind what it was sent, so that it does all of it. A reset would take what it has not read yet.
    fn swallow(&self, after: u64, rules: &Rules) {
        self.note(Cut { connection: self.number, direction: Direction::ToServer, after, reset: false }, rules);
        if self.ended.swap(true, Ordering::SeqCst) {
            return;
        }
        drop(self.client.shutdown(Shutdown::Both));
        drop(self.server.shutdown(Shutdown::Write));
        let (start, mut from) = (Instant::now(), &self.server);
        let mut buffer = [0; 16 * 1024];
        while start.elapsed() < PATIENCE {
            match from.read(&mut buffer) {
                Ok(0) => return,
                Err(error) if !is_glance(&error) => return,
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// What holds, once nothing is held.
    fn when_not_held(&self, rules: &Rules) -> Now {
        loop {
            let now = rules.now();
            if !now.holds(self.source) || self.has_ended() {
                return now;
            }
            thread::sleep(GLANCE / 4);
        }
    }

    /// Writes all, unless the connection ends meanwhile.
    fn write(&self, mut to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() && !self.has_ended() {
            match to.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if is_glance(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether a socket only said that its time for waiting is over.
fn is_glance(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
