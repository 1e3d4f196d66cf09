//! The Redis adapter, on real servers.

mod conformance;
mod faults;
mod harness;
mod raw;
