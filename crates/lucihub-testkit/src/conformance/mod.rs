//! The conformance suites: each case checks one law as the ports' doc comments state it.

pub mod cold;
pub mod hot;
