//! Archiving: how runs move from hot to cold storage.
//!
//! The [`Keeper`] is one loop. It walks the runs that cold storage has not seen
//! to the end, asks hot storage about each, and does the one next thing: open,
//! mirror, checkpoint, fail the dead, archive, expire. Every step is idempotent;
//! any number of keepers may run, and each may be killed at any moment.

mod agreed;
mod ahead;
mod attachments;
mod attend;
mod checkpoint;
mod events;
mod fill;
mod finish;
mod keeper;
mod options;
mod rescue;
mod stops;
mod tails;
mod turns;
mod verify;
mod writing;
mod written;

pub use keeper::{Keeper, WalkReport};
pub use options::KeeperOptions;
pub(crate) use writing::cell_bytes;
