//! Version 2: what changed since version 1.
//!
//! Series have a time base, channel descriptors and gaps; log lines have a
//! time; states have a reason; the head of a run is a type of its own.

mod channel;
mod device;
mod event;
mod head;
mod line;
mod run;
mod series;
mod state;

pub use channel::{Channel, TimeBase};
pub use device::Device;
pub use event::{FinalValue, Overload, Phase, PhaseChange};
pub use head::{Grid, Relation, RelationKind, RunHead};
pub use line::LogLine;
pub use run::Run;
pub use series::{Gap, GapCause, Series};
pub use state::StateChange;
