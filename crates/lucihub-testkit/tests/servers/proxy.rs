//! The proxy: what it forwards, and where it cuts.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use lucihub_testkit::servers::{Cut, Direction, Proxy, RedisOptions, RedisServer};

/// A Redis command with its reply, over a connection that stays.
struct Client(TcpStream);

impl Client {
    fn new(proxy: &Proxy) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", proxy.port())).expect("the proxy listens");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a new socket");
        Self(socket)
    }

    fn send(&mut self) {
        self.0.write_all(b"PING\r\n").expect("an open connection");
    }

    fn reply(&mut self) -> std::io::Result<String> {
        let mut reply = [0; 7];
        self.0.read_exact(&mut reply)?;
        Ok(String::from_utf8_lossy(&reply).into_owned())
    }
}

fn server_and_proxy() -> (RedisServer, Proxy) {
    let server = RedisServer::start(RedisOptions::new());
    let proxy = Proxy::start(server.port(), 1);
    (server, proxy)
}

#[test]
fn bytes_pass_both_ways() {
    let (_server, proxy) = server_and_proxy();
    let mut client = Client::new(&proxy);
    for _ in 0..3 {
        client.send();
        assert_eq!(client.reply().expect("a reply"), "+PONG\r\n");
    }
    assert_eq!((proxy.cuts(), proxy.connections()), (0, 1));
}

#[test]
fn a_pause_holds_bytes_and_loses_none() {
    let (_server, proxy) = server_and_proxy();
    let mut client = Client::new(&proxy);
    proxy.pause();
    client.send();
    client.0.set_read_timeout(Some(Duration::from_millis(200))).expect("an open socket");
    assert_eq!(client.reply().expect_err("nothing comes").kind(), ErrorKind::WouldBlock);
    client.0.set_read_timeout(Some(Duration::from_secs(10))).expect("an open socket");
    proxy.resume();
    assert_eq!(client.reply().expect("a reply"), "+PONG\r\n");
}

#[test]
fn who_is_refused_comes_back_later() {
    let (_server, proxy) = server_and_proxy();
    let mut client = Client::new(&proxy);
    client.send();
    client.reply().expect("a reply");
    proxy.refuse();
    assert!(client.reply().is_err(), "open connections end");
    let refused = TcpStream::connect(("127.0.0.1", proxy.port())).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    proxy.resume();
    let mut client = Client::new(&proxy);
    client.send();
    assert_eq!(client.reply().expect("a reply"), "+PONG\r\n");
    assert_eq!(proxy.cuts(), 0, "a refusal is no cut");
}

#[test]
fn a_server_that_dies_ends_its_connections() {
    let (server, proxy) = server_and_proxy();
    let mut client = Client::new(&proxy);
    client.send();
    client.reply().expect("a reply");
    server.kill();
    assert!(client.reply().is_err());
    server.restart();
    let mut client = Client::new(&proxy);
    client.send();
    assert_eq!(client.reply().expect("a reply"), "+PONG\r\n");
}

/// Sends through a proxy, one connection after the other, until each is cut; what arrived of each, and the cuts.
fn cuts(seed: u64, direction: Direction, connections: usize) -> (Vec<Vec<u8>>, Vec<Cut>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let proxy = Proxy::start(listener.local_addr().expect("it is bound").port(), seed);
    proxy.cut_every(1..60_000);
    let mut arrived = Vec::new();
    for _ in 0..connections {
        let client = TcpStream::connect(("127.0.0.1", proxy.port())).expect("the proxy listens");
        let (server, _) = listener.accept().expect("the proxy connects");
        let (mut from, mut to) = if direction == Direction::ToServer { (client, server) } else { (server, client) };
        let sender = std::thread::spawn(move || {
            let numbers: Vec<u8> = (0..=250).cycle().take(100_000).collect();
            from.write_all(&numbers).and_then(|()| from.read(&mut [0])).is_err()
        });
        let mut bytes = Vec::new();
        drop(to.read_to_end(&mut bytes));
        sender.join().expect("the sender only ends");
        arrived.push(bytes);
    }
    (arrived, proxy.cut_log())
}

#[test]
fn a_cut_comes_after_exactly_the_bytes_that_the_seed_says() {
    const CONNECTIONS: usize = 12;
    for direction in [Direction::ToServer, Direction::ToClient] {
        let (arrived, log) = cuts(7, direction, CONNECTIONS);
        assert_eq!(log.len(), CONNECTIONS);
        for ((number, bytes), cut) in (0..).zip(&arrived).zip(&log) {
            assert_eq!((cut.connection, cut.direction), (number, direction));
            let most = usize::try_from(cut.after).expect("below 60,000");
            assert!(if cut.reset { bytes.len() <= most } else { bytes.len() == most }, "{cut:?}: {}", bytes.len());
            assert!(bytes.iter().copied().eq((0..=250).cycle().take(bytes.len())), "the bytes that were sent");
        }
        assert!(log.iter().any(|cut| cut.reset) && log.iter().any(|cut| !cut.reset));
        assert_eq!(cuts(7, direction, CONNECTIONS).1, log, "the same seed");
        assert_ne!(cuts(8, direction, CONNECTIONS).1, log, "another seed");
    }
}

#[test]
fn a_calm_proxy_cuts_no_more() {
    let (_server, proxy) = server_and_proxy();
    proxy.cut_every(1..2);
    let mut client = Client::new(&proxy);
    client.send();
    assert!(client.reply().is_err());
    assert_eq!(proxy.cuts(), 1);
    proxy.calm();
    let mut client = Client::new(&proxy);
    for _ in 0..100 {
        client.send();
        assert_eq!(client.reply().expect("a reply"), "+PONG\r\n");
    }
    assert_eq!(proxy.cuts(), 1);
}
