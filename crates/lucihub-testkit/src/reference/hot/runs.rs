//! The life of a run.

use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::{
    Cancelled, HotAttachments, HotRun, HotRuns, Lease, Opened, Removed, Renewed, Seal, TakeOver, Taken, TookOver,
};
use lucihub_models_core::{Result, RunHead, RunId, RunState, StateChange, WriterMark};

use super::ReferenceHot;

#[async_trait]
impl HotRuns for ReferenceHot {
    async fn open(&self, head: &RunHead) -> Result<Opened> {
        self.open_with(head, &[]).await
    }

    async fn get(&self, run: RunId) -> Result<Option<HotRun>> {
        Ok(self.lock().runs.get(&run).map(|kept| kept.snapshot(self.clock.now())))
    }

    async fn take_over(&self, request: &TakeOver) -> Result<TookOver> {
        let now = self.clock.now();
        let TakeOver { run, worker, writer, lease } = request.clone();
        let mut inner = self.lock();
        if let Some(seal) = inner.tombstone(run) {
            return Ok(TookOver::Sealed(seal));
        }
        let Some(kept) = inner.runs.get_mut(&run) else { return Ok(TookOver::NoRun) };
        if kept.cancelled_unheld {
            return Ok(TookOver::Cancelled);
        }
        if let Some(seal) = &kept.seal {
            return Ok(TookOver::Sealed(seal.clone()));
        }
        let mark = match &kept.lease {
            Some(held) if held.mark.writer == writer => held.mark,
            Some(held) if held.until > now => {
                return Ok(TookOver::Held { by: held.worker.clone(), until: held.until });
            }
            held => {
                kept.last_seq = 0;
                kept.recent.clear();
                WriterMark { writer, epoch: held.as_ref().map_or(0, |held| held.mark.epoch) + 1 }
            }
        };
        kept.head.worker = Some(worker.clone());
        kept.lease = Some(Lease { worker, mark, until: now.after(lease) });
        kept.changed_at = now;
        self.changed(run);
        Ok(TookOver::Taken(Box::new(Taken { mark, run: kept.snapshot(now) })))
    }

    async fn renew(&self, run: RunId, mark: WriterMark, lease: Duration) -> Result<Renewed> {
        let until = self.clock.now().after(lease);
        let mut inner = self.lock();
        if inner.tombstone(run).is_some() {
            return Ok(Renewed::Sealed(Seal::Deleted));
        }
        let Some(kept) = inner.runs.get_mut(&run) else { return Ok(Renewed::NoRun) };
        match &mut kept.lease {
            Some(held) if held.mark == mark => {
                if let Some(seal) = &kept.seal {
                    return Ok(Renewed::Sealed(seal.clone()));
                }
                held.until = until;
                Ok(Renewed::Until { until, cancel: kept.cancel, confirmed: kept.confirmed.clone() })
            }
            _ => Ok(Renewed::Fenced),
        }
    }

    async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled> {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Some(kept) = inner.runs.get_mut(&run) else { return Ok(Cancelled::NoRun) };
        if kept.cancelled_unheld {
            return Ok(Cancelled::Cancelled);
        }
        if let Some(Seal::Ended(state)) = &kept.seal {
            return Ok(Cancelled::Ended(state.clone()));
        }
        kept.changed_at = now;
        kept.cancel = true;
        if *kept.head.state() == RunState::Queued && kept.living_lease(now).is_none() {
            let mut change = StateChange::new(RunState::Cancelled, now);
            change.reason = reason.map(str::to_owned);
            kept.head.states.push(change);
            kept.seal = Some(Seal::Ended(RunState::Cancelled));
            kept.cancelled_unheld = true;
            self.needs_attention(run);
            return Ok(Cancelled::Cancelled);
        }
        self.changed(run);
        Ok(Cancelled::Requested)
    }

    async fn expire(&self, run: RunId, after: Duration) -> Result<bool> {
        let until = self.clock.now().after(after);
        let mut inner = self.lock();
        let sealed = inner.runs.get_mut(&run).filter(|kept| kept.seal.is_some());
        Ok(sealed.map(|kept| kept.expires = Some(until)).is_some())
    }

    async fn remove(&self, run: RunId, force: bool, tombstone: Duration) -> Result<Removed> {
        let now = self.clock.now();
        let mut inner = self.lock();
        if let Some(kept) = inner.runs.get(&run)
            && let Some(lease) = kept.living_lease(now)
            && kept.seal.is_none()
            && !force
        {
            return Ok(Removed::Held {
                by: lease.worker.clone(),
                until: lease.until,
                idle: now.since(kept.changed_at),
            });
        }
        inner.runs.remove(&run);
        let stands = inner.tombstones.entry(run).or_insert(now);
        // Removing again never shortens it.
        *stands = now.after(tombstone).max(*stands);
        self.changed(run);
        Ok(Removed::Removed)
    }
}
