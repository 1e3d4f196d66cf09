//! The hot ports: what happens now.
//!
//! Small dyn-safe traits; an adapter implements them all and is a
//! [`HotStore`]. The law of each method stands in its doc comment, and the
//! conformance suite of `lucihub-testkit` checks that law.

mod append;
mod attachments;
mod devices;
mod durability;
mod events;
mod logs;
mod restore;
mod runs;
mod samples;
mod scan;
mod watch;

pub use append::{Answer, HotAppend, Outcome, Seal};
pub use attachments::{Attached, HotAttachment, HotAttachments, SmallAttachment};
pub use devices::{ActiveDevice, Announced, DEVICE_LEASE, DeviceSeen, HotDevices};
pub use durability::{Durability, Secured};
pub use events::HotEvents;
pub use logs::{HotLogs, LineSlice};
pub use restore::{Restore, Restored};
pub use runs::{Cancelled, HotRun, HotRuns, Lease, Opened, Removed, Renewed, TakeOver, Taken, TookOver};
pub use samples::HotSamples;
pub use scan::{HotScan, ScannedRuns};
pub use watch::{Health, HotWatch, RunWakes, Wakes};

/// Hot storage, whole.
pub trait HotStore:
    HotRuns + HotAppend + HotLogs + HotSamples + HotAttachments + HotEvents + HotDevices + HotWatch + HotScan
{
}

impl<
    T: HotRuns + HotAppend + HotLogs + HotSamples + HotAttachments + HotEvents + HotDevices + HotWatch + HotScan + ?Sized,
> HotStore for T
{
}
