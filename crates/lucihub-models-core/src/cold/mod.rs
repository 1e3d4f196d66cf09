//! The cold ports: what happened.
//!
//! Small dyn-safe traits; an adapter implements them all and is a
//! [`ColdStore`]. The law of each method stands in its doc comment, and the
//! conformance suite of `lucihub-testkit` checks that law.

mod archive;
mod attachments;
mod begun;
mod devices;
mod events;
mod logs;
mod runs;
mod samples;
mod usage;
mod watch;

pub use archive::{Checkpoint, ColdArchive, Commit, Committed, StoredBytes};
pub use attachments::ColdAttachments;
pub use begun::{Begun, GrownCell};
pub use devices::{ColdDevices, DevicePage, OperatorFields, SeenFields};
pub use events::ColdEvents;
pub use logs::ColdLogs;
pub use runs::{Archived, ColdRun, ColdRuns, Created, PendingRun, RunUpdate};
pub use samples::ColdSamples;
pub use usage::{ColdUsage, Quota, Usage};
pub use watch::{ColdHealth, ColdWatch, ModelUse};

/// Cold storage, whole.
pub trait ColdStore:
    ColdRuns + ColdUsage + ColdArchive + ColdLogs + ColdSamples + ColdDevices + ColdAttachments + ColdEvents + ColdWatch
{
}

impl<T> ColdStore for T where
    T: ColdRuns
        + ColdUsage
        + ColdArchive
        + ColdLogs
        + ColdSamples
        + ColdDevices
        + ColdAttachments
        + ColdEvents
        + ColdWatch
        + ?Sized
{
}
