//! Reference stores: plain maps behind the ports, oracles for real adapters.

pub mod cold;
pub mod hot;
