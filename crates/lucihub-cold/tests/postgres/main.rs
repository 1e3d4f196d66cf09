//! The PostgreSQL adapter, on real servers.
//!
//! The modules say `cfg(test)` so that clippy knows their builders for tests.
#![cfg(feature = "postgres")]

#[cfg(test)]
mod backup;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod costs;
mod disk;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod owners;
#[cfg(test)]
mod races;
#[cfg(test)]
mod refusals;
#[cfg(test)]
#[path = "../written/mod.rs"]
mod written;
