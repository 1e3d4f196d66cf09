//! The newest version of every model. Behaviour is written for these.

pub use crate::v1::{DeviceType, InputType, JobType, RunState};
pub use crate::v2::{
    Channel, Device, FinalValue, Gap, GapCause, Grid, LogLine, Overload, Phase, PhaseChange, Relation, RelationKind,
    Run, RunHead, Series, StateChange, TimeBase,
};
