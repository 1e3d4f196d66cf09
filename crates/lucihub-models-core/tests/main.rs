//! The tests of this crate, in one program: each program more is linked with every dependency once more.
//!
//! The modules say `cfg(test)` so that clippy knows their builders for tests.

#[cfg(test)]
mod assemble;
#[cfg(test)]
mod assemble_edges;
#[cfg(test)]
mod chunks;
#[cfg(test)]
mod coordinates;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod edges;
#[cfg(test)]
mod envelope;
#[cfg(test)]
mod given;
#[cfg(test)]
mod older;
#[cfg(feature = "check")]
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod series;
