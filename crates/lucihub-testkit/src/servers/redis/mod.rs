//! Redis as child processes.
//!
//! [`RedisServer`] is one process; what a cluster and a sentinel are made of is that too.

mod cli;
mod cluster;
mod network;
mod nodes;
mod options;
mod sentinel;
mod server;

pub use cluster::RedisCluster;
pub use options::{Fsync, RedisOptions};
pub use sentinel::RedisSentinel;
pub use server::RedisServer;

const PACKAGES: &str = "redis-server redis-tools";
