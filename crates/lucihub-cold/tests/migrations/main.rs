//! The schema and its migrations, on both databases.
#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod first;
mod given;
mod open;
mod ours;
mod place;
mod schema;
