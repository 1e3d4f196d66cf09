//! Runs in cold storage.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::digest::Digest;
use crate::error::Result;
use crate::filter::RunFilter;
use crate::id::RunId;
use crate::json::JsonText;
use crate::latest::RunHead;
use crate::page::{PageRequest, RunPage};
use crate::position::Positions;
use crate::prefix::RunPrefix;
use crate::timestamp::Timestamp;

/// What creating a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is there now.
    Created,
    /// It was there already, created with the same content.
    Existing,
}

/// That a run was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived {
    /// When.
    pub at: Timestamp,
    /// The digest of what it recorded.
    pub digest: Digest,
}

/// A run in cold storage.
#[derive(Debug, Clone, PartialEq)]
pub struct ColdRun {
    /// The head: complete once archived, before that the last mirror.
    pub head: RunHead,
    /// How far its lines and samples are here.
    pub positions: Positions,
    /// Whether it was archived.
    pub archived: Option<Archived>,
}

/// A run that a keeper still has to attend to: not archived, or archived and
/// not yet [released](super::ColdArchive::release) by hot storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingRun {
    /// The run.
    pub id: RunId,
    /// When it was created.
    pub created_at: Timestamp,
    /// How many states the mirror has.
    pub states: u64,
}

/// What people may change on a run. `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunUpdate {
    /// All labels anew.
    pub labels: Option<BTreeMap<String, String>>,
    /// The output; only once the run is archived.
    pub output: Option<JsonText>,
    /// The error; only once the run is archived.
    pub error: Option<String>,
}

/// Runs: the durable fact, the lists, and what people change.
#[async_trait]
pub trait ColdRuns: Send + Sync {
    /// Creates a run in state `queued`. The same id with the same content again
    /// succeeds, also when the run has gone on since.
    ///
    /// # Errors
    /// `AlreadyExists` for the same id with other content, `Invalid` past a limit.
    async fn create(&self, head: &RunHead) -> Result<Created>;

    /// One run, without its lines and samples.
    async fn get(&self, run: RunId) -> Result<Option<ColdRun>>;

    /// Changes labels at any time, output and error once the run is archived:
    /// before that its worker writes them.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` for output or error of a run that is not
    /// archived; `Invalid` past a limit. Nothing is changed then.
    async fn update(&self, run: RunId, update: &RunUpdate) -> Result<()>;

    /// One page of runs by `(created_at, id)`, and the number of all that the
    /// filter finds if the request asks for it; both are of the same moment. The
    /// cost of the page is its own, wherever in the list it lies, except for what
    /// [`RunFilter`] and [`PageRequest`] say; large columns are not touched. A
    /// cursor outlives its run.
    ///
    /// # Errors
    /// `Unavailable`, with what to narrow, if it takes longer than an adapter allows;
    /// `Invalid` for a page of 0 or past [`Limits::page`](crate::Limits::page), more
    /// items of a filter than [`Limits::filter_items`](crate::Limits::filter_items) or
    /// more label names than [`Limits::labels`](crate::Limits::labels), an offset past
    /// [`Limits::offset`](crate::Limits::offset), both a cursor and an offset, and a
    /// cursor of another filter or order.
    async fn list(&self, filter: &RunFilter, page: &PageRequest) -> Result<RunPage>;

    /// The ids that begin so, in their order, at most `limit`. Served by the
    /// primary key; whatever the state of the runs.
    async fn ids(&self, prefix: &RunPrefix, limit: usize) -> Result<Vec<RunId>>;

    /// Runs that were not [released](super::ColdArchive::release) yet, by
    /// `(created_at, id)`, after another one. Served by a partial index, so its
    /// cost is that of the open runs, whatever the number of all runs.
    async fn pending(&self, after: Option<PendingRun>, limit: usize) -> Result<Vec<PendingRun>>;

    /// Deletes a run and all that hangs on it. `false` if there was none.
    async fn delete(&self, run: RunId) -> Result<bool>;
}
