//! Recording a run: a worker's side of the append contract.
//!
//! A [`Recorder`] gathers what a worker pushes into batches by size and time,
//! numbers them, keeps up to eight in flight, sends the same bytes again until
//! an answer comes, keeps what is acknowledged but not yet confirmed, and puts
//! the run back when hot storage has lost it.

pub(crate) mod asked;
mod attachments;
mod body;
mod checks;
mod end;
mod error;
mod flush;
pub(crate) mod notes;
mod options;
mod pause;
mod recorder;
mod reorder;
mod replay;
mod restore;
mod samples;
mod sender;
mod shared;
mod states;
mod take;

pub use end::End;
pub use error::{Failure, RecordError};
pub use options::{OnFull, RecordOptions};
pub use recorder::Recorder;
pub use reorder::Arrival;
pub use shared::RecorderStats;
