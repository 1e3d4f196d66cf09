//! Several processes on one Redis server, as people run them in several terminals.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod act;
mod away;
mod listen;
mod process;
mod refusals;
mod stops;
mod together;
mod watch;
