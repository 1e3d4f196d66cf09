//! Cases for adapters of the hot ports.
//!
//! [`hot_conformance!`](crate::hot_conformance) runs them all; each is also a
//! function of its own, so that a failure can be looked at alone.
//!
//! To add a case: write the function beside those on the same law, and name it
//! in the list in `cases.rs`.

pub mod append;
pub mod attachments;
mod cases;
pub mod compare;
pub mod concurrency;
pub mod devices;
pub mod events;
pub mod hostile;
pub mod limits;
pub mod logs;
pub mod restore;
pub mod runs;
pub mod samples;
pub mod scan;
pub mod secure;
mod stage;
pub mod take_over;
pub mod trim;
pub mod watch;
