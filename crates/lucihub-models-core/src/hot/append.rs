//! Append: the central contract.

use async_trait::async_trait;

use super::durability::{Durability, Secured};
use super::restore::{Restore, Restored};
use crate::batch::{Batch, WriterMark};
use crate::error::Result;
use crate::id::RunId;
use crate::latest::RunState;
use crate::plan::Reject;
use crate::position::Positions;

/// Why a run is closed for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// It ended in this state.
    Ended(RunState),
    /// It was deleted.
    Deleted,
}

/// What an append did. All but `Applied` wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The batch is in the store, whole.
    Applied,
    /// The same batch was applied before.
    Duplicate,
    /// Another batch was applied under this number: a fault in the writer.
    Conflict,
    /// Another writer has taken the run over.
    Fenced,
    /// The run is closed.
    Sealed(Seal),
    /// The store does not have the run, or lost it.
    NoRun,
    /// The number is not the next one: the last one applied is this.
    Behind(u64),
    /// The batch breaks a rule; its number is free.
    Rejected(Reject),
    /// There is no room; its number is free.
    Full,
}

/// The answer to every append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it did.
    pub outcome: Outcome,
    /// Whether the run's end was asked for.
    pub cancel: bool,
    /// Positions that are safe in cold storage.
    pub confirmed: Positions,
}

/// Appending to a run, and what the keeper tells hot storage about it.
#[async_trait]
pub trait HotAppend: Send + Sync {
    /// Applies a batch whole, in order, once.
    ///
    /// The checks, in this order; nothing is written before all have passed:
    ///
    /// 1. a number among the last [`Batch::WINDOW`] applied under the same mark:
    ///    `Duplicate` if the digest is the same, else `Conflict`. Also on a
    ///    sealed run, whose last reply may have been lost
    /// 2. another writer id or epoch than the run's: `Fenced`
    /// 3. the run is closed, or its tombstone stands: `Sealed`
    /// 4. there is no such run: `NoRun`
    /// 5. the number is not the last one plus one: `Behind`
    /// 6. [`Plan::new`](crate::Plan::new) refuses it: `Rejected`
    /// 7. no room: `Full`
    /// 8. it is written: `Applied`. A terminal state seals the run in the same step
    ///
    /// An absent run has no writer, so 2 is passed by default, and a run that
    /// nobody took over yet answers `Fenced` to everyone.
    ///
    /// # Errors
    /// `Unknown` when no answer came: send the same batch again.
    async fn append(&self, batch: &Batch) -> Result<Answer>;

    /// Waits until all up to a batch is as safe as asked. `Missing` if the run is
    /// not there, its present writer is another, or its last batch is an earlier one.
    ///
    /// # Errors
    /// `Precondition` for a level that the store cannot give, and then nothing was
    /// waited for. `Unavailable` while it is in doubt: too few replicas answered in
    /// time, or the connection broke meanwhile; asking again is right.
    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured>;

    /// Puts a run back that the store has lost. A run that is there stays as it is. But of those that are not sealed, two
    /// give way:
    ///
    /// - one that nobody ever took over: it was placed anew by somebody who did not know that it was lost
    /// - one of the same mark whose last batch comes before `last_seq`: the store went back to an older copy, and the
    ///   writer has let go since of what was confirmed. Its attachments, its events and the request to end it stay
    async fn restore(&self, restore: &Restore) -> Result<Restored>;

    /// Says that all below these positions is safe in cold storage. It only ever
    /// grows, and never past what was applied. Returns what is confirmed then;
    /// `None` if there is no such run.
    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>>;

    /// Lets lines and samples below these positions leave, as far as they are
    /// confirmed and whole blocks lie below. States and phases stay. Returns the
    /// new base; `None` if there is no such run.
    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>>;
}
