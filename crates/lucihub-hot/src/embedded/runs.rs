//! The life of a run.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::{Cancelled, HotRun, HotRuns, Opened, Removed, Renewed, Seal, TakeOver, Taken, TookOver};
use lucihub_models_core::{Invalid, Result, RunHead, RunId, RunState, StateChange, Timestamp, WriterMark};

use super::live::LiveRun;
use super::shelf::Entry;
use super::{EmbeddedHot, weight};

#[async_trait]
impl HotRuns for EmbeddedHot {
    async fn open(&self, head: &RunHead) -> Result<Opened> {
        self.place(head, &[])
    }

    async fn get(&self, run: RunId) -> Result<Option<HotRun>> {
        let mut visit = self.visit(run);
        let now = visit.now;
        Ok(visit.live().map(|live| live.snapshot(now)))
    }

    async fn take_over(&self, request: &TakeOver) -> Result<TookOver> {
        self.check_text("worker", &request.worker)?;
        let took = {
            let mut visit = self.visit(request.run);
            let now = visit.now;
            match visit.entry() {
                None => TookOver::NoRun,
                Some(Entry::Tombstone(_)) => TookOver::Sealed(Seal::Deleted),
                Some(Entry::Run(live)) => live.take_over(request, now),
            }
        };
        if matches!(took, TookOver::Taken(_)) {
            self.bells.ring(request.run);
        }
        Ok(took)
    }

    async fn renew(&self, run: RunId, mark: WriterMark, lease: Duration) -> Result<Renewed> {
        let mut visit = self.visit(run);
        let now = visit.now;
        Ok(match visit.entry() {
            None => Renewed::NoRun,
            Some(Entry::Tombstone(_)) => Renewed::Sealed(Seal::Deleted),
            Some(Entry::Run(live)) => live.renew(mark, lease, now),
        })
    }

    async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled> {
        self.check_text("reason", reason.unwrap_or_default())?;
        let cancelled = {
            let mut visit = self.visit(run);
            let now = visit.now;
            visit.live().map_or(Cancelled::NoRun, |live| live.cancel(reason, now))
        };
        match cancelled {
            Cancelled::Cancelled => self.bells.ring_keepers(run),
            Cancelled::Requested => self.bells.ring(run),
            Cancelled::Ended(_) | Cancelled::NoRun => {}
        }
        Ok(cancelled)
    }

    async fn expire(&self, run: RunId, after: Duration) -> Result<bool> {
        let mut visit = self.visit(run);
        let at = visit.now.after(after);
        let sealed = visit.live().is_some_and(|live| live.seal.is_some());
        if sealed {
            visit.leave_at(at);
        }
        Ok(sealed)
    }

    async fn remove(&self, run: RunId, force: bool, tombstone: Duration) -> Result<Removed> {
        // The run's memory is given back after the lock is gone.
        let _removed = {
            let mut visit = self.visit(run);
            let now = visit.now;
            let mut until = now.after(tombstone);
            match visit.entry() {
                Some(Entry::Run(live)) if !force => {
                    if let Some(lease) = live.living_lease(now) {
                        let idle = now.since(live.changed_at);
                        return Ok(Removed::Held { by: lease.worker.clone(), until: lease.until, idle });
                    }
                }
                // A second removal never shortens the first one's promise.
                Some(Entry::Tombstone(standing)) => until = until.max(*standing),
                Some(Entry::Run(_)) | None => {}
            }
            visit.place(Entry::Tombstone(until))
        };
        self.bells.ring(run);
        Ok(Removed::Removed)
    }
}

impl EmbeddedHot {
    fn check_text(&self, thing: &str, text: &str) -> Result<(), Invalid> {
        let limit = self.options.limits.text_bytes;
        if text.len() > limit {
            return Err(
                Invalid::new(thing, format!("{} bytes", text.len())).hint(format!("the limit is {limit} bytes"))
            );
        }
        Ok(())
    }
}

impl LiveRun {
    fn take_over(&mut self, request: &TakeOver, now: Timestamp) -> TookOver {
        if self.cancelled_in_queue {
            return TookOver::Cancelled;
        }
        if let Some(seal) = &self.seal {
            return TookOver::Sealed(seal.clone());
        }
        let epoch = match &self.lease {
            Some(lease) if lease.mark.writer == request.writer => lease.mark.epoch,
            Some(lease) if lease.until > now => {
                return TookOver::Held { by: lease.worker.clone(), until: lease.until };
            }
            Some(lease) => lease.mark.epoch.saturating_add(1),
            None => 1,
        };
        let mark = WriterMark { writer: request.writer, epoch };
        self.hand_to(&request.worker, mark, request.lease, now);
        if self.head.worker.as_deref() != Some(&*request.worker) {
            let before = self.head.worker.as_ref().map_or(0, String::len) as u64;
            // The name of a worker is too small to refuse a run for.
            self.share.set(self.share.bytes() + request.worker.len() as u64 - before);
            Arc::make_mut(&mut self.head).worker = Some(request.worker.clone());
        }
        self.changed_at = now;
        TookOver::Taken(Box::new(Taken { mark, run: self.snapshot(now) }))
    }

    fn renew(&mut self, mark: WriterMark, lease: Duration, now: Timestamp) -> Renewed {
        match &mut self.lease {
            Some(present) if present.mark == mark => {
                if let Some(seal) = &self.seal {
                    return Renewed::Sealed(seal.clone());
                }
                present.until = now.after(lease);
                Renewed::Until { until: present.until, cancel: self.cancel, confirmed: self.confirmed.clone() }
            }
            _ => Renewed::Fenced,
        }
    }

    fn cancel(&mut self, reason: Option<&str>, now: Timestamp) -> Cancelled {
        if self.cancelled_in_queue {
            return Cancelled::Cancelled;
        }
        match &self.seal {
            Some(Seal::Ended(state)) => return Cancelled::Ended(state.clone()),
            Some(Seal::Deleted) => return Cancelled::NoRun,
            None => {}
        }
        if !self.cancel {
            self.cancel = true;
            self.changed_at = now;
        }
        if *self.head.state() != RunState::Queued || self.living_lease(now).is_some() {
            return Cancelled::Requested;
        }
        let mut change = StateChange::new(RunState::Cancelled, now);
        change.reason = reason.map(str::to_owned);
        // A full store must still let runs end.
        self.share.set(self.share.bytes() + weight::state(&change));
        Arc::make_mut(&mut self.head).states.push(change);
        self.count_head();
        self.cancelled_in_queue = true;
        self.changed_at = now;
        self.seal = Some(Seal::Ended(RunState::Cancelled));
        Cancelled::Cancelled
    }
}
