//! How a run moves into cold storage.

use std::sync::Arc;

use async_trait::async_trait;

use super::begun::{Begun, GrownCell};
use crate::cell::{LogCell, SampleCell};
use crate::digest::Digest;
use crate::error::Result;
use crate::id::RunId;
use crate::latest::RunHead;
use crate::position::Positions;
use crate::timestamp::Timestamp;

/// Cells of a run, written together.
#[derive(Debug, Clone, Default)]
pub struct Checkpoint {
    /// Log cells.
    pub lines: Vec<LogCell>,
    /// Sample cells.
    pub samples: Vec<SampleCell>,
    /// Sample cells whose beginning was encoded ahead.
    pub grown: Vec<GrownCell>,
    /// The head that the run has with them, to be mirrored in the same step.
    pub head: Option<Arc<RunHead>>,
}

/// The last step of archiving.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The complete head.
    pub head: RunHead,
    /// How far its lines and samples are.
    pub positions: Positions,
    /// The digest of what it recorded.
    pub digest: Digest,
    /// When.
    pub at: Timestamp,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// The run is archived now.
    Committed,
    /// It was archived before, with the same digest.
    Existing,
}

/// What a run costs in cold storage, in bytes of its columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredBytes {
    /// Head, input and output.
    pub head: u64,
    /// Encoded log lines.
    pub lines: u64,
    /// Encoded samples.
    pub samples: u64,
    /// Summaries, gaps and digests of the cells.
    pub summaries: u64,
    /// Attachments.
    pub attachments: u64,
}

impl StoredBytes {
    /// All of it.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.head + self.lines + self.samples + self.summaries + self.attachments
    }
}

/// Mirroring, checkpoints, and the archive. Every step is idempotent, and any
/// number of keepers may take it at once.
#[async_trait]
pub trait ColdArchive: Send + Sync {
    /// Mirrors a live run's head. It only ever goes forward: a head with fewer
    /// states than the mirror has changes nothing, and neither does any head
    /// once the run is archived. Labels stay: people own them, here. Returns
    /// whether the mirror holds at least these states now.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    async fn mirror(&self, head: &RunHead) -> Result<bool>;

    /// Encodes the beginning of a sample cell while the rest of it has not come, so that the checkpoint has less to do.
    /// `part` is that beginning, or goes on where `before` ended. It ends at a multiple of
    /// [`SUMMARY_WIDTH`](crate::SUMMARY_WIDTH), or else is the last one: nothing goes on after it. Nothing is written.
    /// With its rest, as a [`GrownCell`], it is written as the same cell whole would be: with that content, for ever
    /// readable as any other.
    ///
    /// What is encoded has been decoded again, and was the same bit for bit. A cell that is there whole may be begun as
    /// one last part, to be encoded off the transaction.
    ///
    /// `None` where the store does not encode such a part ahead: then the cell is to be written whole.
    ///
    /// # Errors
    /// `Invalid` for a part that is empty or not consistent, does not go on where `before` ended, goes on after a last
    /// one, or is none of the cell of `before`.
    async fn begin_cell(&self, before: Option<&Begun>, part: SampleCell) -> Result<Option<Begun>>;

    /// Writes cells in one transaction. Of two cells under one key the longer
    /// one stays, so that checkpoints with any settings converge; a damaged one
    /// gives way, so that no flipped bit keeps out what came after. An archived
    /// run takes none: the answer is `false` then. A head that comes along is
    /// mirrored as [`mirror`](Self::mirror) does: whoever reads it has the cells.
    ///
    /// # Errors
    /// `NotFound` if there is no such run: cells of a deleted run never rise again. `Invalid` for a grown cell that a
    /// store of another kind began, or whose rest does not go on where it ended. `Precondition` for a longer cell that
    /// would take away what a shorter one has, with a gap of [`GapCause::Store`](crate::GapCause::Store) or a
    /// [lost line](crate::LogLine::lost) in its place: somebody wrote it meanwhile, so the cell is to be read again, with
    /// it. Nothing is written then.
    async fn checkpoint(&self, run: RunId, cells: &Checkpoint) -> Result<bool>;

    /// Reads cells back, and says of each in turn whether it is there byte for byte as a checkpoint of it stores it. As
    /// [`begin_cell`](Self::begin_cell) has decoded those bytes, such a cell has its content; nothing is decoded here.
    ///
    /// `false` for one that is missing, shorter, longer, damaged, or encoded otherwise, as by another keeper: it says
    /// nothing of what that one holds. Of an absent run there are none.
    ///
    /// # Errors
    /// `Invalid` for a cell that [`checkpoint`](Self::checkpoint) refuses.
    async fn gives_back(&self, run: RunId, cells: &[GrownCell]) -> Result<Vec<bool>>;

    /// Archives a run: head, positions, digest and time in one transaction.
    /// Labels stay.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if it was archived with another digest.
    async fn commit(&self, commit: &Commit) -> Result<Committed>;

    /// Says that hot storage has let go of an archived run, so that keepers need
    /// not attend to it again: it is not pending from then on. A run that is not
    /// archived stays pending: the answer is `false` then, as for an absent one.
    async fn release(&self, run: RunId) -> Result<bool>;

    /// Replaces cells of a run that was archived with this digest, all in one transaction: longer ones, damaged ones
    /// and missing ones alike. Head, positions and digest stay. The caller has made sure that the run has this digest
    /// with them; nothing else may call it. A run that is not archived, or with another digest, stays as it is: the
    /// answer is `false` then.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    async fn repair(&self, run: RunId, cells: &Checkpoint, digest: Digest) -> Result<bool>;

    /// What a run costs. `None` if there is no such run.
    async fn stored_bytes(&self, run: RunId) -> Result<Option<StoredBytes>>;
}
