//! Append: the central contract.

use std::sync::Arc;

use async_trait::async_trait;
use lucihub_models_core::hot::{Answer, Durability, HotAppend, HotRuns, Outcome, Restore, Restored, Seal, Secured};
use lucihub_models_core::{Batch, BatchBody, HeadPatch, Limits, Plan, Positions, Result, RunId, Timestamp, WriterMark};

use super::live::LiveRun;
use super::samples::Track;
use super::shelf::Entry;
use super::{EmbeddedHot, weight};

#[async_trait]
impl HotAppend for EmbeddedHot {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        let run = batch.run();
        let line_bytes = weight::lines(&batch.body().lines);
        let (answer, completes) = {
            let mut visit = self.visit(run);
            let now = visit.now;
            match visit.entry() {
                None => (absent(Outcome::NoRun), false),
                Some(Entry::Tombstone(_)) => (absent(Outcome::Sealed(Seal::Deleted)), false),
                Some(Entry::Run(live)) => {
                    let before = live.next.clone();
                    let outcome = live.append(batch, line_bytes, &self.options.limits, now);
                    let completes = live.head.grid.completes(&before, &live.next);
                    (Answer { outcome, cancel: live.cancel, confirmed: live.confirmed.clone() }, completes)
                }
            }
        };
        if answer.outcome == Outcome::Applied {
            if completes || !batch.body().states.is_empty() {
                self.bells.ring_keepers(run);
            } else {
                self.bells.ring(run);
            }
        }
        Ok(answer)
    }

    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured> {
        durability.only_applied("embedded hot storage")?;
        Ok(Secured::of(self.get(run).await?.as_ref(), mark, seq))
    }

    async fn restore(&self, restore: &Restore) -> Result<Restored> {
        self.put_back(restore)
    }

    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>> {
        let (confirmed, grew) = {
            let mut visit = self.visit(run);
            let Some(live) = visit.live() else { return Ok(None) };
            let confirmed = live.confirmed.max(&live.within(safe));
            let grew = live.confirmed != confirmed;
            live.confirmed.clone_from(&confirmed);
            (confirmed, grew)
        };
        if grew {
            self.bells.ring(run);
        }
        Ok(Some(confirmed))
    }

    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>> {
        // What leaves is dropped after the lock is gone.
        let (base, left) = {
            let mut visit = self.visit(run);
            let Some(live) = visit.live() else { return Ok(None) };
            let left = live.trim(below);
            (live.base.clone(), left)
        };
        if !left.is_empty() {
            self.bells.ring(run);
        }
        Ok(Some(base))
    }
}

fn absent(outcome: Outcome) -> Answer {
    Answer { outcome, cancel: false, confirmed: Positions::default() }
}

/// What a trim took out of a run.
#[derive(Debug)]
struct Trimmed {
    lines: Vec<super::logs::Chunk>,
    samples: Vec<Vec<lucihub_models_core::Piece>>,
}

impl Trimmed {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.samples.is_empty()
    }

    fn bytes(&self) -> u64 {
        self.lines.iter().map(|chunk| chunk.bytes).sum::<u64>()
            + self.samples.iter().flatten().map(weight::piece).sum::<u64>()
    }
}

impl LiveRun {
    /// The checks in the order of the law, then the write. The steps for absent
    /// runs are the caller's.
    fn append(&mut self, batch: &Batch, line_bytes: u64, limits: &Limits, now: Timestamp) -> Outcome {
        if let Some(refused) = self.refuse(batch) {
            return refused;
        }
        let body = batch.body();
        let plan = match Plan::new(body, &self.head, &self.next, limits) {
            Ok(plan) => plan,
            Err(reject) => return Outcome::Rejected(reject),
        };
        let pieces = plan.pieces.iter().flat_map(|(_, pieces)| pieces).map(weight::piece).sum::<u64>();
        let (added, removed) = weight::growth(&self.head, body, &plan);
        if !self.share.try_set(self.share.bytes() + line_bytes + pieces + added - removed) {
            return Outcome::Full;
        }
        self.write(body, plan, line_bytes, now);
        if self.applied.len() == Batch::WINDOW {
            self.applied.pop_front();
        }
        self.applied.push_back((batch.seq(), batch.digest()));
        self.last_seq = batch.seq();
        Outcome::Applied
    }

    /// Checks 1, 2, 3 and 5: all that the batch's content does not matter for.
    fn refuse(&self, batch: &Batch) -> Option<Outcome> {
        let ours = self.is_writer(batch.mark());
        if ours && let Some((_, digest)) = self.applied.iter().find(|(seq, _)| *seq == batch.seq()) {
            return Some(if *digest == batch.digest() { Outcome::Duplicate } else { Outcome::Conflict });
        }
        if !ours {
            return Some(Outcome::Fenced);
        }
        if let Some(seal) = &self.seal {
            return Some(Outcome::Sealed(seal.clone()));
        }
        (self.last_seq.checked_add(1) != Some(batch.seq())).then_some(Outcome::Behind(self.last_seq))
    }

    /// Writes a batch that passed every check and has its room.
    fn write(&mut self, body: &BatchBody, plan: Plan, line_bytes: u64, now: Timestamp) {
        if touches_head(body, &plan) {
            Arc::make_mut(&mut self.head).apply(body, &plan);
            self.count_head();
        }
        self.log.push(self.next.lines, body.lines.clone(), line_bytes);
        self.next.lines += body.lines.len() as u64;
        let seal = plan.seal().cloned();
        for (channel, pieces) in plan.pieces {
            for piece in pieces {
                self.next.set_sample(channel, piece.end());
                self.track(channel).push(piece);
            }
        }
        self.changed_at = now;
        if let Some(state) = seal {
            self.seal = Some(Seal::Ended(state));
        }
    }

    /// The track of a channel, made when it is first written.
    pub(super) fn track(&mut self, channel: u32) -> &mut Track {
        let at = channel as usize;
        if self.tracks.len() <= at {
            self.tracks.resize_with(at + 1, Track::default);
        }
        &mut self.tracks[at]
    }

    fn trim(&mut self, below: &Positions) -> Trimmed {
        let limit = self.confirmed.min(&self.within(below));
        let lines = self.log.take_below(limit.lines);
        if let Some(last) = lines.last() {
            self.base.lines = last.end();
        }
        let mut samples = Vec::new();
        for (channel, track) in (0_u32..).zip(&mut self.tracks) {
            let taken = track.take_below(limit.sample(channel));
            if let Some(last) = taken.last() {
                self.base.set_sample(channel, last.end());
                samples.push(taken);
            }
        }
        let left = Trimmed { lines, samples };
        self.share.set(self.share.bytes() - left.bytes());
        left
    }
}

/// Whether a batch changes the head. Most bring lines and samples alone, and
/// must not copy a head that some reader still holds.
fn touches_head(body: &BatchBody, plan: &Plan) -> bool {
    !(plan.states.is_empty()
        && body.phases.is_empty()
        && body.overloads.is_empty()
        && body.final_values.is_empty()
        && body.patch == HeadPatch::default())
}
