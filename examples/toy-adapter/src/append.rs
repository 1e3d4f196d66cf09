//! Append, the central contract: core's checks in the law's order, then one change.

use std::sync::Arc;

use async_trait::async_trait;
use lucihub_models_core::hot::{Answer, Durability, HotAppend, HotRuns, Outcome, Restore, Restored, Seal, Secured};
use lucihub_models_core::{
    Batch, Gap, GapCause, LogLine, Piece, Plan, Positions, Result, RunId, Timestamp, WriterMark,
};

use crate::Toy;
use crate::run::Run;

#[async_trait]
impl HotAppend for Toy {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        let id = batch.run();
        let (answer, for_keepers) = self.locked(|state, now| {
            let free = self.max_bytes.map_or(u64::MAX, |max| max.saturating_sub(state.used_bytes()));
            let Some(run) = state.runs.get_mut(&id) else {
                let deleted = state.tombstones.contains_key(&id);
                let outcome = if deleted { Outcome::Sealed(Seal::Deleted) } else { Outcome::NoRun };
                return (Answer { outcome, cancel: false, confirmed: Positions::default() }, false);
            };
            let before = run.hot.next.clone();
            let outcome = self.check(run, batch, free).map_or_else(
                |refused| refused,
                |plan| {
                    write(run, batch, plan, now);
                    Outcome::Applied
                },
            );
            let answer = Answer { outcome, cancel: run.hot.cancel, confirmed: run.hot.confirmed.clone() };
            let next = &run.hot.next;
            (answer, next.states > before.states || run.hot.head.grid.completes(&before, next))
        });
        if for_keepers {
            self.wake_keepers(id);
        } else if answer.outcome == Outcome::Applied {
            self.wake_followers(id);
        }
        Ok(answer)
    }

    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured> {
        durability.only_applied("the toy adapter")?;
        Ok(Secured::of(self.get(run).await?.as_ref(), mark, seq))
    }

    async fn restore(&self, restore: &Restore) -> Result<Restored> {
        let id = restore.head.id;
        let restored = self.locked(|state, now| {
            if state.tombstones.contains_key(&id) {
                return Ok(Restored::Sealed(Seal::Deleted));
            }
            // One that nobody ever took over gives way: it was placed anew while its writer lives. So does an older copy.
            let older = |run: &&Run| {
                let is_writers = run.hot.lease.as_ref().is_some_and(|lease| lease.mark == restore.mark);
                is_writers && run.hot.last_seq < restore.last_seq
            };
            let before = state.runs.get(&id);
            if before.is_some_and(|run| run.hot.seal.is_some() || run.hot.lease.is_some() && !older(&run)) {
                return Ok(Restored::Existing);
            }
            let present = restore.head.state();
            if present.is_terminal() {
                return Ok(Restored::Sealed(Seal::Ended(present.clone())));
            }
            restore.head.check(&self.limits)?;
            let mut run = restored_run(restore, now);
            if let Some(before) = before.filter(older) {
                // What others gave the run stays.
                run.bytes += before.attachments.values().map(|(attachment, _)| attachment.info.size).sum::<u64>();
                run.attachments.clone_from(&before.attachments);
                run.events.clone_from(&before.events);
                run.hot.cancel = before.hot.cancel;
            }
            state.runs.insert(id, run);
            Ok(Restored::Restored)
        });
        if matches!(restored, Ok(Restored::Restored)) {
            self.wake_keepers(id);
        }
        restored
    }

    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>> {
        Ok(self.locked(|state, _| {
            let hot = &mut state.runs.get_mut(&run)?.hot;
            hot.confirmed = hot.confirmed.max(&safe.min(&hot.next));
            Some(hot.confirmed.clone())
        }))
    }

    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>> {
        Ok(self.locked(|state, _| Some(state.runs.get_mut(&run)?.trim(below))))
    }
}

impl Toy {
    /// The checks of the law, in its order, on a run that is there.
    fn check(&self, run: &Run, batch: &Batch, free: u64) -> Result<Plan, Outcome> {
        let hot = &run.hot;
        let own = run.mark() == Some(batch.mark());
        // Only the present mark's numbers are remembered.
        if let Some((_, digest)) = run.recent.iter().find(|(seq, _)| own && *seq == batch.seq()) {
            return Err(if *digest == batch.digest() { Outcome::Duplicate } else { Outcome::Conflict });
        }
        if !own {
            return Err(Outcome::Fenced);
        }
        if let Some(seal) = &hot.seal {
            return Err(Outcome::Sealed(seal.clone()));
        }
        if hot.last_seq.checked_add(1) != Some(batch.seq()) {
            return Err(Outcome::Behind(hot.last_seq));
        }
        let plan = Plan::new(batch.body(), &hot.head, &hot.next, &self.limits).map_err(Outcome::Rejected)?;
        if batch.size() as u64 > free { Err(Outcome::Full) } else { Ok(plan) }
    }
}

fn write(run: &mut Run, batch: &Batch, plan: Plan, now: Timestamp) {
    let body = batch.body();
    Arc::make_mut(&mut run.hot.head).apply(body, &plan);
    plan.advance(body, &mut run.hot.next);
    run.hot.seal = plan.seal().cloned().map(Seal::Ended);
    for line in body.lines.iter() {
        run.push_line(line.clone());
    }
    for (channel, pieces) in plan.pieces {
        for piece in pieces {
            run.push_piece(channel, piece);
        }
    }
    run.hot.last_seq = batch.seq();
    run.hot.changed_at = now;
    run.recent.push_back((batch.seq(), batch.digest()));
    if run.recent.len() > Batch::WINDOW {
        run.recent.pop_front();
    }
}

/// What cold storage has is below the base; what it lacks below `next` is lost.
fn restored_run(restore: &Restore, now: Timestamp) -> Run {
    let Restore { head, worker, mark, lease, last_seq, confirmed, next } = restore;
    let mut run = Run::new(head.clone(), now);
    run.give(*mark, worker, *lease, now);
    run.hot.last_seq = *last_seq;
    run.hot.next = next.clone();
    run.hot.confirmed = confirmed.min(next);
    run.hot.base = Positions { states: 0, phases: 0, ..run.hot.confirmed.clone() };
    for _ in run.hot.base.lines..next.lines {
        run.push_line(LogLine::lost());
    }
    for (channel, end) in (0..).zip(&next.samples) {
        let first = run.hot.base.sample(channel);
        if first < *end {
            run.push_piece(channel, Piece::Gap(Gap::new(first..*end, GapCause::Store)));
        }
    }
    run
}
