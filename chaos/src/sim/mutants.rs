//! Hot storage with one defect, for a checker that must notice it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_hot::embedded::EmbeddedHot;
use lucihub_models_core::hot::{
    Answer, Cancelled, Durability, HotAppend, HotRun, HotRuns, Opened, Outcome, Removed, Renewed, Restore, Restored,
    Secured, TakeOver, TookOver,
};
use lucihub_models_core::{Batch, BatchBody, Positions, Result, RunHead, RunId, WriterMark};

/// A defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Batches are appended as they come, whatever their numbers and indices say.
    Rpush,
    /// A batch of an earlier writer is applied as if it were the present one's.
    NoFence,
    /// A run that has ended leaves at once.
    ExpireBeforeCommit,
    /// The end of a run is acknowledged, and closes nothing.
    NoSeal,
}

impl Mutant {
    /// All of them, by name.
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("rpush", Self::Rpush),
        ("no_fence", Self::NoFence),
        ("expire_before_commit", Self::ExpireBeforeCommit),
        ("no_seal", Self::NoSeal),
    ];
}

/// Embedded hot storage with a defect.
pub(crate) struct Broken {
    inner: Arc<EmbeddedHot>,
    mutant: Mutant,
}

impl Broken {
    pub(crate) const fn new(inner: Arc<EmbeddedHot>, mutant: Mutant) -> Self {
        Self { inner, mutant }
    }

    /// Applies a body under another mark and number.
    async fn apply(&self, batch: &Batch, mark: WriterMark, seq: u64, body: BatchBody) -> Result<Answer> {
        self.inner.append(&Batch::new(batch.run(), mark, seq, body)).await
    }

    /// A body whose samples and gaps follow what is there.
    fn pushed(body: &BatchBody, next: &Positions) -> BatchBody {
        let (mut body, mut next) = (body.clone(), next.clone());
        body.gaps.clear();
        for block in &mut body.blocks {
            block.first = next.sample(block.channel);
            next.set_sample(block.channel, block.end());
        }
        body
    }
}

#[async_trait]
impl HotAppend for Broken {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        let Some(run) = self.inner.get(batch.run()).await? else { return self.inner.append(batch).await };
        let holder = run.lease.as_ref().map(|lease| lease.mark);
        let ends = batch.body().states.iter().any(|change| change.state.is_terminal());
        match (self.mutant, holder) {
            (Mutant::Rpush, Some(mark)) if mark == batch.mark() => {
                self.apply(batch, mark, run.last_seq + 1, Self::pushed(batch.body(), &run.next)).await
            }
            (Mutant::NoFence, Some(mark)) if mark != batch.mark() => {
                self.apply(batch, mark, run.last_seq + 1, batch.body().clone()).await
            }
            (Mutant::NoSeal, Some(mark)) if mark == batch.mark() && ends => {
                let states = Vec::new();
                self.apply(batch, mark, batch.seq(), BatchBody { states, ..batch.body().clone() }).await
            }
            (Mutant::ExpireBeforeCommit, _) => {
                let answer = self.inner.append(batch).await?;
                if ends && answer.outcome == Outcome::Applied {
                    self.inner.expire(batch.run(), Duration::ZERO).await?;
                }
                Ok(answer)
            }
            _ => self.inner.append(batch).await,
        }
    }

    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured> {
        self.inner.secure(run, mark, seq, durability).await
    }

    async fn restore(&self, restore: &Restore) -> Result<Restored> {
        self.inner.restore(restore).await
    }

    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>> {
        self.inner.confirm(run, safe).await
    }

    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>> {
        self.inner.trim(run, below).await
    }
}

#[async_trait]
impl HotRuns for Broken {
    async fn open(&self, head: &RunHead) -> Result<Opened> {
        self.inner.open(head).await
    }

    async fn get(&self, run: RunId) -> Result<Option<HotRun>> {
        self.inner.get(run).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<TookOver> {
        self.inner.take_over(request).await
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

forwards_the_rest!(Broken);
