//! Private servers for tests: child processes on loopback ports, in temporary folders, and a proxy that cuts connections.
//!
//! | type | what it is |
//! | --- | --- |
//! | [`RedisServer`] | one `redis-server`, set up by [`RedisOptions`] |
//! | [`RedisCluster`] | three masters with a replica each |
//! | [`RedisSentinel`] | a master and two replicas, and three sentinels that watch them |
//! | [`PostgresServer`] | one `postgres`, set up by [`PostgresOptions`]; a database for each test |
//! | [`PostgresDatabases`] | the databases of one, or of a server that somebody set up |
//! | [`Proxy`] | between a client and a server: cuts, pauses and refuses connections, by a seed; loses answers |
//!
//! ```no_run
//! use lucihub_testkit::servers::{Fsync, Proxy, RedisOptions, RedisServer};
//!
//! let server = RedisServer::start(RedisOptions::new().append_only(Fsync::Always));
//! let proxy = Proxy::start(server.port(), 7);
//! proxy.cut_every(1..5_000); // bytes
//! let url = proxy.url(); // for the adapter under test
//! server.kill();
//! server.restart();
//! assert_eq!(server.cli(&["GET", "key"]), "value");
//! ```
//!
//! Everything blocks and waits with a limit; what fails, a missing program included, panics with what to do. All methods take
//! `&self`, so that a test may share a server between threads or keep it in a static.
//!
//! **Nothing outlives the test process.** A value that is dropped kills its process and removes its folder. Where nothing is
//! dropped, because the test process was killed or because the server is a static, the kernel kills the child (`setpriv
//! --pdeathsig`, from util-linux; elsewhere than on Linux such a child stays), and the next test process removes the folder.
//! PostgreSQL's children end with it, and so does its shared memory.
//!
//! **Ports** lie below those that the system gives to outgoing connections. A client that reconnects without end to a port
//! among them connects to itself sooner or later, and reads its own commands as replies.
//!
//! A server of another kind is a folder beside `redis` and `postgres`; it takes a port, a folder and a process from the modules here.

mod certificates;
mod command;
mod disk;
mod folder;
mod port;
mod postgres;
mod process;
mod program;
mod proxy;
mod redis;
mod until;
mod user;

pub use postgres::{PostgresDatabases, PostgresOptions, PostgresServer};
pub use proxy::{Cut, Direction, Proxy};
pub use redis::{Fsync, RedisCluster, RedisOptions, RedisSentinel, RedisServer};
