//! The tests of this crate, in one program: each program more is linked with every dependency once more.
//!
//! The modules say `cfg(test)` so that clippy knows their builders for tests.

#[cfg(feature = "sqlite")]
#[cfg(test)]
mod attachments;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod backup;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod concurrency;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod conformance;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod corruption;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod migrations;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod open;
#[cfg(feature = "postgres")]
#[cfg(test)]
mod postgres;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod quotas;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod size;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg(test)]
mod written;
