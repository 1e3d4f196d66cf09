//! The life of a run: open, take over, renew, cancel, expire, remove.

use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::{
    Cancelled, HotAttachments, HotRun, HotRuns, Opened, Removed, Renewed, Seal, TakeOver, Taken, TookOver,
};
use lucihub_models_core::{Result, RunHead, RunId, RunState, Timestamp, WriterMark};

use crate::{State, Toy};

#[async_trait]
impl HotRuns for Toy {
    async fn open(&self, head: &RunHead) -> Result<Opened> {
        self.open_with(head, &[]).await
    }

    async fn get(&self, run: RunId) -> Result<Option<HotRun>> {
        Ok(self.locked(|state, now| state.runs.get(&run).map(|run| run.at(now))))
    }

    async fn take_over(&self, request: &TakeOver) -> Result<TookOver> {
        let answer = self.locked(|state, now| take_over(state, request, now));
        if matches!(answer, TookOver::Taken(_)) {
            self.wake_followers(request.run);
        }
        Ok(answer)
    }

    async fn renew(&self, run: RunId, mark: WriterMark, lease: Duration) -> Result<Renewed> {
        Ok(self.locked(|state, now| {
            if state.tombstones.contains_key(&run) {
                return Renewed::Sealed(Seal::Deleted);
            }
            let Some(run) = state.runs.get_mut(&run) else { return Renewed::NoRun };
            let Some(held) = run.hot.lease.as_mut().filter(|held| held.mark == mark) else { return Renewed::Fenced };
            if let Some(seal) = &run.hot.seal {
                return Renewed::Sealed(seal.clone());
            }
            held.until = now.after(lease);
            Renewed::Until { until: held.until, cancel: run.hot.cancel, confirmed: run.hot.confirmed.clone() }
        }))
    }

    async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled> {
        let answer = self.locked(|state, now| {
            let Some(run) = state.runs.get_mut(&run) else { return Cancelled::NoRun };
            match &run.hot.seal {
                Some(_) if run.ended_by_cancel => return Cancelled::Cancelled,
                Some(_) => return Cancelled::Ended(run.hot.head.state().clone()),
                None => {}
            }
            run.hot.cancel = true;
            run.hot.changed_at = now;
            if *run.hot.head.state() != RunState::Queued || run.living_lease(now).is_some() {
                return Cancelled::Requested;
            }
            run.end_by_cancel(reason, now);
            Cancelled::Cancelled
        });
        match answer {
            Cancelled::Cancelled => self.wake_keepers(run),
            Cancelled::Requested => self.wake_followers(run),
            Cancelled::Ended(_) | Cancelled::NoRun => {}
        }
        Ok(answer)
    }

    async fn expire(&self, run: RunId, after: Duration) -> Result<bool> {
        Ok(self.locked(|state, now| {
            let sealed = state.runs.get_mut(&run).filter(|run| run.hot.seal.is_some());
            sealed.map(|run| run.expires = Some(now.after(after))).is_some()
        }))
    }

    async fn remove(&self, run: RunId, force: bool, tombstone: Duration) -> Result<Removed> {
        let answer = self.locked(|state, now| {
            let held = state.runs.get(&run).filter(|_| !force).and_then(|run| Some((run, run.living_lease(now)?)));
            if let Some((run, lease)) = held {
                let idle = now.since(run.hot.changed_at);
                return Removed::Held { by: lease.worker.clone(), until: lease.until, idle };
            }
            state.runs.remove(&run);
            // Of two tombstones the longer one stands.
            let until = now.after(tombstone);
            state.tombstones.entry(run).and_modify(|longest| *longest = until.max(*longest)).or_insert(until);
            Removed::Removed
        });
        if answer == Removed::Removed {
            self.wake_followers(run);
        }
        Ok(answer)
    }
}

fn take_over(state: &mut State, request: &TakeOver, now: Timestamp) -> TookOver {
    if state.tombstones.contains_key(&request.run) {
        return TookOver::Sealed(Seal::Deleted);
    }
    let Some(run) = state.runs.get_mut(&request.run) else { return TookOver::NoRun };
    match &run.hot.seal {
        Some(_) if run.ended_by_cancel => return TookOver::Cancelled,
        Some(seal) => return TookOver::Sealed(seal.clone()),
        None => {}
    }
    let epoch = match run.mark() {
        Some(mark) if mark.writer == request.writer => mark.epoch,
        mark => {
            if let Some(lease) = run.living_lease(now) {
                return TookOver::Held { by: lease.worker.clone(), until: lease.until };
            }
            mark.map_or(1, |mark| mark.epoch + 1)
        }
    };
    let mark = WriterMark { writer: request.writer, epoch };
    run.give(mark, &request.worker, request.lease, now);
    TookOver::Taken(Box::new(Taken { mark, run: run.at(now) }))
}
