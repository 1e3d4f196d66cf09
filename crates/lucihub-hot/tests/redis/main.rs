//! The Redis adapter, on real servers.
#![cfg(feature = "redis")]

mod conformance;
mod harness;
