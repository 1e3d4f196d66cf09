//! The life of a run in hot storage.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::append::Seal;
use crate::batch::WriterMark;
use crate::error::Result;
use crate::id::{RunId, WriterId};
use crate::latest::{RunHead, RunState};
use crate::position::Positions;
use crate::timestamp::Timestamp;

/// What opening a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It is there now.
    Created,
    /// It was there already, and is as it was.
    Existing,
    /// It was deleted: its tombstone refuses it.
    Deleted,
}

/// Who holds a run, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The worker.
    pub worker: String,
    /// Its writer id and epoch.
    pub mark: WriterMark,
    /// When the lease runs out, by the store's clock.
    pub until: Timestamp,
}

/// A run in hot storage at one moment: between two batches, never within one.
#[derive(Debug, Clone)]
pub struct HotRun {
    /// The head.
    pub head: Arc<RunHead>,
    /// How far it is.
    pub next: Positions,
    /// Below this, lines and samples have left hot storage.
    pub base: Positions,
    /// Below this, all is safe in cold storage.
    pub confirmed: Positions,
    /// The last writer and its lease; `None` before the first take-over.
    pub lease: Option<Lease>,
    /// The last sequence number applied under that writer.
    pub last_seq: u64,
    /// Whether its end was asked for, also when that ended it at once.
    pub cancel: bool,
    /// How it was sealed, once it is.
    pub seal: Option<Seal>,
    /// When it last changed, by the store's clock: opened, taken over, appended
    /// to, cancelled, restored. Renewing, confirming and trimming are no changes.
    pub changed_at: Timestamp,
    /// The store's clock, when this was read.
    pub now: Timestamp,
}

impl HotRun {
    /// Whether a worker holds it: a living lease on a run that is not sealed.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.seal.is_none() && self.lease.as_ref().is_some_and(|lease| lease.until > self.now)
    }
}

/// A request to write a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeOver {
    /// The run.
    pub run: RunId,
    /// The worker's name, for people.
    pub worker: String,
    /// The worker's writer id, drawn when it started.
    pub writer: WriterId,
    /// How long the lease lasts.
    pub lease: Duration,
}

/// What a worker that took a run over goes on from.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Its writer id and epoch.
    pub mark: WriterMark,
    /// The run as it stands, with next line, next sample per channel and cancel flag.
    pub run: HotRun,
}

impl Taken {
    /// The last sequence number applied under this mark: 0 at first.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.run.last_seq
    }
}

/// The answer to a take-over.
#[derive(Debug, Clone)]
pub enum TookOver {
    /// The run is this writer's.
    Taken(Box<Taken>),
    /// Another writer holds it.
    Held {
        /// The worker.
        by: String,
        /// When its lease runs out.
        until: Timestamp,
    },
    /// It was ended by [`HotRuns::cancel`], since no living worker had it.
    Cancelled,
    /// It has ended otherwise, or was deleted.
    Sealed(Seal),
    /// Hot storage does not have it.
    NoRun,
}

/// The answer to a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewed {
    /// The lease goes on.
    Until {
        /// When it runs out.
        until: Timestamp,
        /// Whether the run's end was asked for.
        cancel: bool,
        /// Positions that are safe in cold storage.
        confirmed: Positions,
    },
    /// Another writer has taken the run over.
    Fenced,
    /// It has ended, or was deleted.
    Sealed(Seal),
    /// Hot storage does not have it.
    NoRun,
}

/// The answer to a request to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelled {
    /// No worker had it: it is cancelled and sealed.
    Cancelled,
    /// A worker has it and learns of the request.
    Requested,
    /// It had ended already.
    Ended(RunState),
    /// Hot storage does not have it.
    NoRun,
}

/// The answer to a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is gone, and a tombstone stands.
    Removed,
    /// A worker holds it.
    Held {
        /// The worker.
        by: String,
        /// When its lease runs out.
        until: Timestamp,
        /// How long ago the run last changed.
        idle: Duration,
    },
}

/// The life of a run: from create to seal, hot storage decides its state.
#[async_trait]
pub trait HotRuns: Send + Sync {
    /// Places a queued run. A run that is there stays as it is, so that any
    /// number of keepers may open it. A deleted run is not opened again. Both come
    /// before the head is checked.
    ///
    /// # Errors
    /// `Invalid` for a head that [`RunHead::check_new`] refuses.
    async fn open(&self, head: &RunHead) -> Result<Opened>;

    /// The run at one moment between two batches. A deleted run is absent.
    async fn get(&self, run: RunId) -> Result<Option<HotRun>>;

    /// Makes a worker the writer of a run.
    ///
    /// - While another writer's lease lives: `Held`. An ended lease gives way.
    /// - The same writer gets the same epoch and its positions again, and its
    ///   lease anew, whether or not it had run out.
    /// - Another writer gets the next epoch, and its batches count from 1.
    /// - Sets the head's `worker`.
    /// - Take-over and cancel exclude each other: of a queued run exactly one wins.
    async fn take_over(&self, request: &TakeOver) -> Result<TookOver>;

    /// Renews the writer's lease, even one that had run out, while no other
    /// writer has taken the run over.
    async fn renew(&self, run: RunId, mark: WriterMark, lease: Duration) -> Result<Renewed>;

    /// Asks for a run's end. If it is queued and no living lease holds it, it
    /// becomes `cancelled` and is sealed; else the worker learns of the request
    /// with its next answer. Asking again answers the same. A deleted run is
    /// absent: `NoRun`.
    async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled>;

    /// Lets a sealed run leave after a time. Runs that are not sealed never
    /// leave by themselves: for them, and for absent ones, the answer is `false`.
    /// Said again, the later word counts.
    async fn expire(&self, run: RunId, after: Duration) -> Result<bool>;

    /// Removes a run and leaves a tombstone for a time: until then, opening,
    /// appending to and restoring it is refused. A living lease refuses the
    /// removal unless it is forced; a sealed run has none. Removing an absent run
    /// succeeds and leaves the tombstone too. Removing again never shortens one.
    async fn remove(&self, run: RunId, force: bool, tombstone: Duration) -> Result<Removed>;
}
