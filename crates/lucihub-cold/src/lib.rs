#![doc = include_str!("../README.md")]
#![cfg(feature = "sqlite")]

mod archive;
mod codec;
mod cold;
mod conn;
mod devices;
mod error;
mod head;
mod keyset;
mod list;
mod logs;
pub mod migrate;
#[cfg(test)]
mod plans;
mod runs;
mod samples;
mod schema;
pub mod sqlite;
mod types;

pub use cold::Cold;
pub use sqlite::{Sqlite, SqliteCold, SqliteOptions};
