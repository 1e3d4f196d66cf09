//! What every verb says and prints, compared with what was looked at.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod golden;
mod help;
mod lists;
mod mistakes;
