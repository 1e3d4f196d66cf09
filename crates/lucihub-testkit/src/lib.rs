#![doc = include_str!("../README.md")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a testkit fails by panicking"
)]

mod clock;
pub mod conformance;
pub mod faults;
pub mod fuzz;
mod harness;
mod ids;
pub mod models;
pub mod reference;
#[cfg(feature = "servers")]
pub mod servers;
pub mod strategies;

pub use clock::ManualClock;
pub use faults::{FaultPlan, FaultyCold, FaultyHot};
pub use harness::HotHarness;
pub use ids::{Dice, SeededIds};
