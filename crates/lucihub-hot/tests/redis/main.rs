//! The Redis adapter, on real servers.
//!
//! The modules say `cfg(test)` so that clippy knows their builders for tests.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod raw;
