//! What is acknowledged but not yet confirmed, kept in case the store loses it.

use std::collections::VecDeque;
use std::time::Duration;

use lucihub_models_core::hot::Taken;
use lucihub_models_core::{Batch, Limits, Plan, Positions, RunHead};
use tokio::time::Instant;

/// A batch, where it ends, and the place of its body in the order of all.
#[derive(Debug, Clone)]
pub(super) struct Numbered {
    pub(super) batch: Batch,
    pub(super) end: Positions,
    pub(super) place: u64,
}

/// Acknowledged batches in order, over a floor: the run as it was before the
/// first of them.
#[derive(Debug)]
pub(super) struct Replay {
    kept: VecDeque<(Instant, Numbered)>,
    bytes: usize,
    floor: Floor,
    dropped: u64,
}

/// The run at a position and sequence number.
#[derive(Debug, Clone)]
pub(super) struct Floor {
    pub(super) head: RunHead,
    pub(super) at: Positions,
    pub(super) seq: u64,
}

impl Replay {
    pub(super) fn new(taken: &Taken) -> Self {
        let floor = Floor { head: (*taken.run.head).clone(), at: taken.run.next.clone(), seq: taken.last_seq() };
        Self { kept: VecDeque::new(), bytes: 0, floor, dropped: 0 }
    }

    /// Keeps an acknowledged batch.
    pub(super) fn push(&mut self, numbered: Numbered, now: Instant) {
        self.bytes += numbered.batch.size();
        self.kept.push_back((now, numbered));
    }

    /// Lets go of what is safe in cold storage.
    pub(super) fn confirm(&mut self, confirmed: &Positions, limits: &Limits) {
        while self.kept.front().is_some_and(|(_, first)| confirmed.covers(&first.end)) {
            self.let_go(limits);
        }
    }

    /// Lets go of the oldest beyond the limits: from then on their safety is the
    /// store's own. Counted.
    pub(super) fn bound(&mut self, bytes: usize, age: Duration, now: Instant, limits: &Limits) {
        while let Some((since, _)) = self.kept.front() {
            if self.bytes <= bytes && now.duration_since(*since) <= age {
                return;
            }
            self.dropped += 1;
            self.let_go(limits);
        }
    }

    fn let_go(&mut self, limits: &Limits) {
        let Some((_, first)) = self.kept.pop_front() else { return };
        self.bytes -= first.batch.size();
        let body = first.batch.body();
        // It was applied, so it passes; the floor only has to follow.
        if let Ok(plan) = Plan::new(body, &self.floor.head, &self.floor.at, limits) {
            self.floor.head.apply(body, &plan);
        }
        self.floor.at = first.end;
        self.floor.seq = first.batch.seq();
    }

    pub(super) const fn floor(&self) -> &Floor {
        &self.floor
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes back every batch after a number; `None` if the one after it is no
    /// longer kept.
    pub(super) fn take_after(&mut self, seq: u64) -> Option<Vec<Numbered>> {
        if seq < self.floor.seq {
            return None;
        }
        let at = self.kept.partition_point(|(_, n)| n.batch.seq() <= seq);
        let again: Vec<Numbered> = self.kept.split_off(at).into_iter().map(|(_, n)| n).collect();
        self.bytes -= again.iter().map(|n| n.batch.size()).sum::<usize>();
        Some(again)
    }
}
