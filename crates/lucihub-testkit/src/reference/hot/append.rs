//! Appending, restoring, confirming, trimming.

use async_trait::async_trait;
use lucihub_models_core::hot::{
    Answer, Durability, HotAppend, HotRuns, Lease, Outcome, Restore, Restored, Seal, Secured,
};
use lucihub_models_core::{Batch, Positions, Result, RunId, RunState, WriterMark};

use super::check::broken_rule;
use super::run::Kept;
use super::{Inner, ReferenceHot};

impl ReferenceHot {
    /// The first check that a batch does not pass, in the order of the law.
    fn obstacle(&self, inner: &Inner, batch: &Batch) -> Option<Outcome> {
        let Some(kept) = inner.runs.get(&batch.run()) else {
            return Some(inner.tombstone(batch.run()).map_or(Outcome::NoRun, Outcome::Sealed));
        };
        if kept.mark() == Some(batch.mark())
            && let Some((_, digest)) = kept.recent.iter().find(|(seq, _)| *seq == batch.seq())
        {
            return Some(if *digest == batch.digest() { Outcome::Duplicate } else { Outcome::Conflict });
        }
        if kept.mark() != Some(batch.mark()) {
            return Some(Outcome::Fenced);
        }
        if let Some(seal) = &kept.seal {
            return Some(Outcome::Sealed(seal.clone()));
        }
        if Some(batch.seq()) != kept.last_seq.checked_add(1) {
            return Some(Outcome::Behind(kept.last_seq));
        }
        if let Some(reason) = broken_rule(batch.body(), kept, &self.limits) {
            return Some(Outcome::Rejected(reason));
        }
        let full = self.max_bytes.is_some_and(|max| inner.used() + batch.size() as u64 > max);
        full.then_some(Outcome::Full)
    }
}

#[async_trait]
impl HotAppend for ReferenceHot {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        let now = self.clock.now();
        let mut inner = self.lock();
        let obstacle = self.obstacle(&inner, batch);
        let kept = inner.runs.get_mut(&batch.run());
        let outcome = match (obstacle, kept) {
            (Some(outcome), _) => outcome,
            (None, None) => Outcome::NoRun,
            (None, Some(kept)) => {
                let before = kept.next();
                let attention = kept.write(batch, now) || kept.head.grid.completes(&before, &kept.next());
                if attention {
                    self.needs_attention(batch.run());
                } else {
                    self.changed(batch.run());
                }
                Outcome::Applied
            }
        };
        let kept = inner.runs.get(&batch.run());
        Ok(Answer {
            outcome,
            cancel: kept.is_some_and(|kept| kept.cancel),
            confirmed: kept.map(|kept| kept.confirmed.clone()).unwrap_or_default(),
        })
    }

    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured> {
        durability.only_applied("the reference store")?;
        Ok(Secured::of(self.get(run).await?.as_ref(), mark, seq))
    }

    async fn restore(&self, restore: &Restore) -> Result<Restored> {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Restore { head, worker, mark, lease, last_seq, confirmed, next } = restore.clone();
        if let Some(seal) = inner.tombstone(head.id) {
            return Ok(Restored::Sealed(seal));
        }
        let older = |kept: &&Kept| kept.mark() == Some(mark) && kept.last_seq < last_seq;
        let before = inner.runs.get(&head.id);
        if before.is_some_and(|kept| kept.seal.is_some() || kept.lease.is_some() && !older(&kept)) {
            return Ok(Restored::Existing);
        }
        let others = before.filter(older).map(|kept| (kept.attachments.clone(), kept.events.clone(), kept.cancel));
        if matches!(head.state(), RunState::Succeeded | RunState::Failed | RunState::Cancelled) {
            return Ok(Restored::Sealed(Seal::Ended(head.state().clone())));
        }
        let run = head.id;
        let mut kept = Kept::new(head, now);
        kept.head.worker = Some(worker.clone());
        kept.lease = Some(Lease { worker, mark, until: now.after(lease) });
        kept.last_seq = last_seq;
        kept.fill_lost(&confirmed, &next);
        kept.drop_below(&confirmed);
        kept.confirmed = confirmed;
        if let Some(others) = others {
            (kept.attachments, kept.events, kept.cancel) = others;
        }
        inner.runs.insert(run, kept);
        self.needs_attention(run);
        Ok(Restored::Restored)
    }

    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>> {
        Ok(self.lock().runs.get_mut(&run).map(|kept| {
            let safe = safe.min(&kept.next());
            kept.confirmed = kept.confirmed.max(&safe);
            kept.confirmed.clone()
        }))
    }

    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>> {
        Ok(self.lock().runs.get_mut(&run).map(|kept| {
            let base = kept.base.max(&below.min(&kept.confirmed));
            kept.drop_below(&base);
            kept.base.clone()
        }))
    }
}
