//! Runs whose worker has died, and runs that hot storage has lost.

use std::time::Duration;

use lucihub_models_core::cold::ColdRun;
use lucihub_models_core::hot::{HotRun, Outcome, Restore, Restored, TakeOver, TookOver};
use lucihub_models_core::{
    Batch, BatchBody, Limits, Positions, Result, RunHead, RunState, StateChange, StoreEventKind, WriterMark,
};
use tokio::time::Instant;

use super::keeper::{Keeper, WalkReport};
use crate::observe::keeping;

/// The keeper's name where it writes a run of which it knows no worker.
const NAME: &str = "keeper";
/// Its lease: long enough for one batch.
const LEASE: Duration = Duration::from_secs(10);

impl Keeper {
    /// Whether the worker of a run counts as dead: its lease has run out, and
    /// did so before this keeper's eyes. After an outage that was longer than a
    /// lease, keeper and worker are back at the same time.
    pub(super) fn is_dead(&self, hot: &HotRun) -> bool {
        let run_out = hot.lease.as_ref().map(|lease| lease.until).filter(|until| *until <= hot.now);
        let mut memory = self.memory();
        let memory = memory.entry(hot.head.id).or_default();
        let Some(until) = run_out else {
            memory.run_out = None;
            return false;
        };
        let since = match memory.run_out {
            Some((same, since)) if same == until => since,
            _ => hot.now,
        };
        memory.run_out = Some((until, since));
        since.after(self.options.patience) <= hot.now
    }

    /// Ends the run of a dead worker as failed. `false` if another writer was quicker.
    pub(super) async fn fail(&self, hot: &HotRun) -> Result<bool> {
        let (worker, until) = match &hot.lease {
            Some(lease) => (lease.worker.clone(), lease.until),
            None => return Ok(false),
        };
        // Under the dead worker's name: the head goes on to say who executed the run, also
        // to a keeper that finds it because this one was stopped before the next step.
        let request = TakeOver { run: hot.head.id, worker: worker.clone(), writer: self.writer, lease: LEASE };
        let TookOver::Taken(taken) = self.store.hot().take_over(&request).await? else { return Ok(false) };
        let asked = if hot.cancel { "; its cancellation had been asked for" } else { "" };
        let reason = format!("{worker} stopped answering: its lease ran out at {until}{asked}");
        let ended = self.end(&taken.run.head, taken.mark, taken.last_seq() + 1, reason.clone()).await?;
        if ended {
            self.tell(hot.head.id, StoreEventKind::EndedByKeeper, &reason).await;
        }
        Ok(ended)
    }

    async fn end(&self, head: &RunHead, mark: WriterMark, seq: u64, reason: String) -> Result<bool> {
        let failed = StateChange::new(RunState::Failed, self.store.now()).because(reason.clone());
        let mut body = BatchBody { states: vec![failed], ..BatchBody::default() };
        body.patch.error = head.error.is_none().then_some(reason);
        let answer = self.store.hot().append(&Batch::new(head.id, mark, seq, body)).await?;
        Ok(matches!(answer.outcome, Outcome::Applied | Outcome::Duplicate))
    }

    /// Puts a lost run back from its checkpoint once its writer has had the time
    /// to do so itself, and ends it: what the store lost is a gap.
    pub(super) async fn rescue(&self, cold: ColdRun, report: &mut WalkReport) -> Result<()> {
        let run = cold.head.id;
        let since = *self.memory().entry(run).or_default().lost_since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.options.lost_patience {
            return Ok(());
        }
        if cold.head.state().is_terminal() {
            // The mirror saw the end, so nobody writes any more: what is here is all there is.
            return keeping::archive(run, self.finish_from_cold(&cold, report)).await;
        }
        let mark = WriterMark { writer: self.writer, epoch: 1 };
        let restore = Restore {
            head: cold.head.clone(),
            worker: cold.head.worker.clone().unwrap_or_else(|| NAME.to_owned()),
            mark,
            lease: LEASE,
            last_seq: 0,
            confirmed: cold.positions.clone(),
            // Part of the same step, so that a keeper stopped after it leaves no run without its gap.
            next: lost_end(&cold, self.store.limits()),
        };
        if self.store.hot().restore(&restore).await? == Restored::Restored {
            report.rescued += 1;
            let reason = "hot storage lost the run and its worker did not put it back".to_owned();
            self.end(&cold.head, mark, 1, reason.clone()).await?;
            let (lines, samples) = (cold.positions.lines, cold.positions.samples.iter().max().copied());
            let details = format!("{reason}; ended at line {lines}, sample {}", samples.unwrap_or_default());
            self.tell(run, StoreEventKind::Rescued, &details).await;
        }
        Ok(())
    }
}

/// Where the run would have ended, as far as that is known: what lies between
/// its checkpoint and this is lost.
///
/// All channels share one time axis, so each was recorded at least as far as the furthest: a checkpoint is written
/// channel by channel, and a keeper may have died within one.
fn lost_end(cold: &ColdRun, limits: &Limits) -> Positions {
    let (head, mut end) = (&cold.head, cold.positions.clone());
    let planned = head
        .time_base
        .zip(head.op_time_ns)
        .map(|(base, op_time_ns)| base.index(base.origin_s + Duration::from_nanos(op_time_ns).as_secs_f64()));
    let furthest = cold.positions.samples.iter().max().copied();
    for channel in 0..u32::try_from(head.channels.len()).unwrap_or(u32::MAX) {
        let have = cold.positions.sample(channel);
        // A plan past the limits is no plan: nothing is concluded from it.
        let possible = have..=have.saturating_add(limits.gap).min(limits.samples);
        let known = [planned, furthest].into_iter().flatten().filter(|end| possible.contains(end));
        end.set_sample(channel, known.max().unwrap_or(have));
    }
    end
}
