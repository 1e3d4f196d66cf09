//! The tests of this crate, in one program: each program more is linked with every dependency once more.
//!
//! `decoders` is apart: `cargo xtask fuzz` builds it with counters.
//!
//! The modules say `cfg(test)` so that clippy knows their builders for tests.

#[cfg(test)]
mod cold;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hot;
#[cfg(test)]
mod mutant;
#[cfg(test)]
mod mutants;
#[cfg(feature = "servers")]
#[cfg(test)]
mod servers;
