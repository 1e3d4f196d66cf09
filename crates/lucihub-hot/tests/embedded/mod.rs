//! The embedded store beyond the conformance suite: cuts, races, room, wake-ups.

mod batches;
mod bench;
mod life;
mod oracle;
mod races;
mod restore;
mod room;
mod wakes;
