//! A proxy between a client and a server, which cuts connections at byte positions that repeat.
//!
//! [`door`] lets connections in, [`connection`] carries one of them, [`rules`] say what happens to all, [`requests`] whose answer
//! is lost.

mod connection;
mod door;
mod requests;
mod rules;

use std::net::IpAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use self::door::Door;
use self::rules::Rules;
pub use self::rules::{Cut, Direction};
use super::port::Port;

/// Forwards a port of its own on 127.0.0.1 to another one, both ways, until it is told otherwise.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::{TcpListener, TcpStream};
/// use lucihub_testkit::servers::Proxy;
///
/// let server = TcpListener::bind("127.0.0.1:0").unwrap();
/// let proxy = Proxy::start(server.local_addr().unwrap().port(), 7);
/// proxy.cut_every(3..4);
/// let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
/// client.write_all(b"abcdef").unwrap();
/// let mut text = String::new();
/// let end = server.accept().unwrap().0.read_to_string(&mut text); // the end of a stream, or a reset
/// assert!(text == "abc" || end.is_err());
/// assert_eq!(proxy.cuts(), 1);
/// ```
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    rules: Arc<Rules>,
    /// None while it refuses.
    door: Mutex<Option<Door>>,
}

impl Proxy {
    /// A proxy to a port of 127.0.0.1, which nothing needs to listen on yet. The seed decides where it cuts.
    ///
    /// # Panics
    /// Where there is no free port.
    #[must_use]
    pub fn start(target: u16, seed: u64) -> Self {
        let rules = Arc::new(Rules::new(target, seed));
        let (port, door) = loop {
            let port = Port::free();
            if let Ok(door) = Door::open(port.number(), &rules) {
                break (port, door);
            }
        };
        Self { port, rules, door: Mutex::new(Some(door)) }
    }

    /// The port for clients.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `redis://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// A URL of the server with the port for clients in place of the server's own.
    ///
    /// # Panics
    /// Where the URL does not name the port that this proxy forwards to.
    #[must_use]
    pub fn through(&self, url: &str) -> String {
        // Of `scheme://user:password@host:port/path?query`.
        let start = url.find("://").map_or(0, |at| at + 3);
        let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
        let target = format!(":{}", self.rules.target);
        let host = url[..end].strip_suffix(&target).unwrap_or_else(|| panic!("a URL with the port {target}"));
        format!("{host}:{}{}", self.port(), &url[end..])
    }

    /// From now on, cuts each connection after a number of bytes from `range`, drawn for each direction; the direction that
    /// gets there first decides. Exactly that many bytes of it were forwarded then. Both sockets end at once; half of the cuts,
    /// drawn too, are resets, which may also lose the last of those bytes.
    ///
    /// The numbers depend on the seed, the number of the connection (in the order in which they came) and the direction alone.
    ///
    /// # Panics
    /// Where the range is empty.
    pub fn cut_every(&self, range: Range<u64>) {
        assert!(!range.is_empty(), "a range of bytes that holds one");
        self.rules.cut_after(Some(range));
    }

    /// Loses the answer to the next request that contains `pattern`, on whichever connection it comes: the request reaches the
    /// server whole, and when the server begins to answer, the client's connection ends and nothing of the answer arrives. The
    /// server does all that it was sent and finds the end of the stream then. Called `n` times, it loses `n` answers; patterns
    /// wait beside each other.
    ///
    /// The pattern belongs into the bytes that make the server act, and where a client sends more before it has an answer, at
    /// their end: `b"COMMIT"` for one that sends it as text. It is not found inside TLS.
    ///
    /// # Panics
    /// Where the pattern is empty.
    pub fn cut_after_request(&self, pattern: &[u8]) {
        assert!(!pattern.is_empty(), "a pattern of at least one byte");
        self.rules.requests.add(pattern);
    }

    /// How many patterns of [`Proxy::cut_after_request`] have not come yet.
    #[must_use]
    pub fn pending_requests(&self) -> usize {
        self.rules.requests.left()
    }

    /// Cuts no more.
    pub fn calm(&self) {
        self.rules.cut_after(None);
        self.rules.requests.clear();
    }

    /// Holds all bytes in both directions, as a network does that loses every packet. Connections stay, and new ones open.
    pub fn pause(&self) {
        self.rules.pause(true);
    }

    /// Holds, from now on, the bytes of connections from these addresses alone, as [`Proxy::pause`] holds those of all: old
    /// connections and new ones, in both directions. Others pass. No address lets all pass.
    pub fn cut_off(&self, sources: &[IpAddr]) {
        self.rules.cut_off(sources);
    }

    /// Ends all connections and refuses new ones, as a server does that is down.
    pub fn refuse(&self) {
        *self.door.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.rules.end_all();
    }

    /// Forwards again after [`Proxy::pause`], [`Proxy::cut_off`] and [`Proxy::refuse`]. What was held arrives.
    ///
    /// # Panics
    /// Where something else has taken the port meanwhile.
    pub fn resume(&self) {
        self.rules.pause(false);
        self.rules.cut_off(&[]);
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        door.get_or_insert_with(|| Door::open(self.port(), &self.rules).expect("the port that was this proxy's"));
    }

    /// How many connections it has cut.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        u64::try_from(self.cut_log().len()).expect("a count")
    }

    /// Every cut so far, in order.
    #[must_use]
    pub fn cut_log(&self) -> Vec<Cut> {
        self.rules.cut_log()
    }

    /// How many connections came.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.rules.connections()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.refuse();
    }
}
