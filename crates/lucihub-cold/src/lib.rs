#![doc = include_str!("../README.md")]
#![cfg(any(feature = "sqlite", feature = "postgres"))]

mod archive;
mod at_most;
mod attachments;
mod codec;
mod cold;
mod conn;
mod devices;
mod error;
mod events;
#[cfg(test)]
mod fuzz;
mod growing;
mod head;
mod logs;
mod lost;
pub mod migrate;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod plans;
#[cfg(feature = "postgres")]
pub mod postgres;
mod read_back;
mod runs;
mod samples;
mod schema;
mod search;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod types;
mod usage;
mod watch;

pub use cold::Cold;
#[cfg(feature = "postgres")]
pub use postgres::{Postgres, PostgresCold, PostgresOptions};
#[cfg(feature = "sqlite")]
pub use sqlite::{Sqlite, SqliteCold, SqliteOptions};
