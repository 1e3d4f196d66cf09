//! Why recording cannot begin, or cannot go on.

use lucihub_models_core::hot::Seal;
use lucihub_models_core::{Invalid, Reject, RunId, StoreError, Timestamp};
use thiserror::Error;

/// Why recording cannot begin, or cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Another worker has the run.
    #[error("run {run} is held by {by} until {until}")]
    Held {
        /// The run.
        run: RunId,
        /// The worker.
        by: String,
        /// When its lease runs out.
        until: Timestamp,
    },
    /// The run was cancelled before a worker had it.
    #[error("run {0} was cancelled")]
    Cancelled(RunId),
    /// Hot storage does not have the run: it was never created, or waits for a
    /// keeper to open it.
    #[error("run {0} is not in hot storage; a keeper opens it if it exists, try again in a second")]
    NoRun(RunId),
    /// Recording has ended for a reason that sending again cannot mend.
    #[error("run {run}: {failure}")]
    Failed {
        /// The run.
        run: RunId,
        /// The reason.
        failure: Failure,
    },
    /// What was pushed breaks a rule; it was not taken.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The store failed before recording began.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A reason that sending again cannot mend.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Failure {
    /// Another worker has taken the run over.
    #[error("another worker has taken it over")]
    Fenced,
    /// Somebody else has ended the run, for this reason: a keeper, for example,
    /// after the lease had run out.
    #[error("it was ended meanwhile: {0}")]
    Ended(String),
    /// The run is closed.
    #[error("{}", crate::runs::sealed(.0))]
    Sealed(Seal),
    /// The store has other content under a number of this writer.
    #[error("the store has another batch under number {0}; the writer id was used twice")]
    Conflict(u64),
    /// The store refused a batch.
    #[error("the store refused a batch: {0}")]
    Rejected(Reject),
    /// The store has given the same kind of error for as long as a batch is
    /// kept: a right that is missing, for example.
    #[error("the store has refused it for too long: {0}")]
    Refused(String),
    /// The store lost acknowledged batches that this recorder no longer has.
    #[error("the store went back to batch {last}, and batch {wanted} is no longer kept here")]
    Lost {
        /// The last batch the store has.
        last: u64,
        /// The first one it would need.
        wanted: u64,
    },
    /// The recorder was closed.
    #[error("the recorder was closed")]
    Closed,
    /// The task that sends has panicked: a fault of this library.
    #[error("the task that sends its batches has panicked")]
    Panicked,
}
