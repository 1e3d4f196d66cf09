//! The embedded store beyond the conformance suite: cuts, races, room, wake-ups.
//!
//! The modules say `cfg(test)` so that clippy knows their builders for tests.
#![cfg(feature = "embedded")]

#[cfg(test)]
mod batches;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod life;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod races;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod room;
#[cfg(test)]
mod wakes;
