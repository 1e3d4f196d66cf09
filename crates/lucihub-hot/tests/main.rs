//! The tests of this crate, in one program: each program more is linked with every dependency once more.
//!
//! The modules say `cfg(test)` so that clippy knows their builders for tests.

#[cfg(feature = "embedded")]
#[cfg(test)]
mod conformance;
#[cfg(feature = "embedded")]
#[cfg(test)]
mod embedded;
#[cfg(all(feature = "redis", feature = "testing"))]
#[cfg(test)]
mod redis;
