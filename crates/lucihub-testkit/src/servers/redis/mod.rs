//! Redis as child processes.
//!
//! [`RedisServer`] is one process; what a cluster and a sentinel are made of is that too.

mod cli;
mod options;
mod server;

pub use options::{Fsync, RedisOptions};
pub use server::RedisServer;

const PACKAGES: &str = "redis-server redis-tools";
