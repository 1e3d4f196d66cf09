//! Version 1: the first draft, exactly.
//!
//! Frozen. What later versions changed stands in their own modules. It has no place for unknown fields: they are dropped.

mod device;
mod kinds;
mod run;
mod state;

pub use device::Device;
pub use kinds::{DeviceType, InputType, JobType};
pub(crate) use run::MOST_CHANNELS;
pub use run::Run;
pub use state::{RunState, StateChange};
