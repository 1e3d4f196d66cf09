//! Hot storage as a writer has it, with a note of every take-over and batch: which it was, and what was answered.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::{
    self, Answer, Cancelled, Durability, HotAppend, HotRun, HotRuns, HotStore, Opened, Removed, Renewed, Restore,
    Restored, Secured, TakeOver, TookOver,
};
use lucihub_models_core::{Batch, Positions, Result, RunHead, RunId, StoreError, WriterMark};
use serde::{Deserialize, Serialize};

use super::ledger::now;

/// A writer id and its epoch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) epoch: u64,
    pub(crate) writer: String,
}

impl From<WriterMark> for Mark {
    fn from(mark: WriterMark) -> Self {
        Self { epoch: mark.epoch, writer: mark.writer.to_string() }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.writer, self.epoch)
    }
}

/// Which batch: its writer, its number under that, and the digest of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) mark: Mark,
    pub(crate) seq: u64,
    pub(crate) hash: String,
}

/// What is known of a batch that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Said {
    /// It was sent: without an answer, nobody knows.
    Unknown,
    Applied,
    Duplicate,
    /// It was refused, and why.
    Fail(String),
}

impl Said {
    /// Whether the writer may rely on it.
    pub(crate) const fn is_accepted(&self) -> bool {
        matches!(self, Self::Applied | Self::Duplicate)
    }
}

/// Something that was noted. Times are those of this process: the call lies between both.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Note {
    /// A run was taken over, by a writer that asks cold storage before it puts that back, or by one that cannot.
    Took { run: RunId, since: u64, at: u64, mark: Mark, asks: bool },
    /// A run that was lost was put back, with this writer.
    Restored { run: RunId, since: u64, at: u64, mark: Mark },
    /// A batch was sent, and then once more with its answer.
    Batch { run: RunId, since: u64, at: u64, batch: Numbered, said: Said },
}

/// A store that notes.
pub(crate) struct Noting {
    inner: Arc<dyn HotStore>,
    asks: bool,
    note: Box<dyn Fn(Note) + Send + Sync>,
}

impl Noting {
    /// Wraps a store; `note` is told each note as soon as it is known. `asks`: whether the writer has cold storage too.
    pub(crate) fn new(inner: Arc<dyn HotStore>, asks: bool, note: impl Fn(Note) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { inner, asks, note: Box::new(note) })
    }
}

forwards_the_rest!(Noting);

#[async_trait]
impl HotAppend for Noting {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        let (run, since) = (batch.run(), now());
        let numbered = Numbered { mark: batch.mark().into(), seq: batch.seq(), hash: batch.digest().to_string() };
        (self.note)(Note::Batch { run, since, at: since, batch: numbered.clone(), said: Said::Unknown });
        let answer = self.inner.append(batch).await;
        let said = match &answer {
            Ok(Answer { outcome: hot::Outcome::Applied, .. }) => Said::Applied,
            Ok(Answer { outcome: hot::Outcome::Duplicate, .. }) => Said::Duplicate,
            Ok(Answer { outcome, .. }) => Said::Fail(format!("{outcome:?}")),
            Err(StoreError::Unknown { .. }) => Said::Unknown,
            Err(error) => Said::Fail(error.kind().to_owned()),
        };
        (self.note)(Note::Batch { run, since, at: now(), batch: numbered, said });
        answer
    }

    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured> {
        self.inner.secure(run, mark, seq, durability).await
    }

    async fn restore(&self, restore: &Restore) -> Result<Restored> {
        let since = now();
        let answer = self.inner.restore(restore).await;
        if let Ok(Restored::Restored) = &answer {
            (self.note)(Note::Restored { run: restore.head.id, since, at: now(), mark: restore.mark.into() });
        }
        answer
    }

    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>> {
        self.inner.confirm(run, safe).await
    }

    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>> {
        self.inner.trim(run, below).await
    }
}

#[async_trait]
impl HotRuns for Noting {
    async fn open(&self, head: &RunHead) -> Result<Opened> {
        self.inner.open(head).await
    }

    async fn get(&self, run: RunId) -> Result<Option<HotRun>> {
        self.inner.get(run).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<TookOver> {
        let since = now();
        let answer = self.inner.take_over(request).await;
        if let Ok(TookOver::Taken(taken)) = &answer {
            (self.note)(Note::Took { run: request.run, since, at: now(), mark: taken.mark.into(), asks: self.asks });
        }
        answer
    }

    async fn renew(&self, run: RunId, mark: WriterMark, lease: Duration) -> Result<Renewed> {
        self.inner.renew(run, mark, lease).await
    }

    async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled> {
        self.inner.cancel(run, reason).await
    }

    async fn expire(&self, run: RunId, after: Duration) -> Result<bool> {
        self.inner.expire(run, after).await
    }

    async fn remove(&self, run: RunId, force: bool, tombstone: Duration) -> Result<Removed> {
        self.inner.remove(run, force, tombstone).await
    }
}
