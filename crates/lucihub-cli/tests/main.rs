//! The tests of this crate, in one program: each program more is linked with every dependency once more.
//!
//! The modules say `cfg(test)` so that clippy knows their builders for tests.

#[cfg(test)]
mod check;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod maintain;
#[cfg(test)]
mod migrate;
#[cfg(test)]
mod models;
#[cfg(test)]
mod plot;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod record;
#[cfg(test)]
mod report;
#[cfg(test)]
mod terminals;
#[cfg(test)]
mod transfer;
#[cfg(test)]
mod verbs;
