//! What the recorder's handle and its sending task share.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;

use lucihub_models_core::hot::SmallAttachment;
use lucihub_models_core::{
    AttachmentName, Batch, BatchBody, Gap, GapCause, Grid, LogLine, Positions, RunId, RunState, WriterMark,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::body::OpenBody;
use super::error::Failure;
use super::reorder::{Arrival, Reorder};
use super::replay::Numbered;

/// What a recorder has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecorderStats {
    /// Batches acknowledged.
    pub batches: u64,
    /// Times that batches were sent again.
    pub retries: u64,
    /// Times that the run was put back.
    pub restores: u64,
    /// Samples that came after their place was decided, and were dropped.
    pub late_samples: u64,
    /// Samples that became a gap because the queue was full.
    pub overflow_samples: u64,
    /// Acknowledged batches that left the replay buffer unconfirmed.
    pub replay_dropped: u64,
    /// Bytes in the replay buffer.
    pub replay_bytes: usize,
    /// Bytes that are not acknowledged yet. What is sent again after an acknowledgement is not among them.
    pub waiting_bytes: usize,
}

/// The state behind the handle.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: Mutex<Pending>,
    /// Something to send, or to stop for.
    pub(super) work: Notify,
    /// Something was acknowledged, or recording failed.
    pub(super) progress: Notify,
}

/// What waits to be sent, and what is known of the run.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) open: OpenBody,
    pub(super) opened_at: Option<Instant>,
    /// Whether the open body completes a part of a cell, which keepers wait for.
    pub(super) completes: bool,
    pub(super) grid: Grid,
    /// Bytes at which the open body is closed.
    pub(super) batch_bytes: usize,
    /// Samples that one gap may have.
    pub(super) gap: u64,
    pub(super) ready: VecDeque<Ready>,
    pub(super) ready_bytes: usize,
    /// Bytes of numbered batches that were never acknowledged.
    pub(super) sent_bytes: usize,
    /// Where the run is after all that was pushed.
    pub(super) next: Positions,
    pub(super) channels: usize,
    pub(super) run_state: RunState,
    pub(super) overloads: usize,
    pub(super) reorder: HashMap<u32, Reorder>,
    /// What was attached, for a store that loses it.
    pub(super) attached: BTreeMap<AttachmentName, SmallAttachment>,
    /// Bodies closed so far, and how many of them are acknowledged.
    pub(super) closed: u64,
    pub(super) acknowledged: u64,
    /// Where the run is after the last acknowledged batch.
    pub(super) acknowledged_to: Positions,
    /// The number of the last acknowledged batch.
    pub(super) acknowledged_seq: u64,
    pub(super) confirmed: Positions,
    pub(super) cancel: bool,
    pub(super) closing: bool,
    /// When the handle was dropped: what is queued is then sent for a while only.
    pub(super) abandoned_at: Option<Instant>,
    pub(super) failure: Option<Failure>,
    pub(super) stats: RecorderStats,
}

/// A closed body, where the run is after it, and its place in the order of all.
#[derive(Debug)]
pub(super) struct Ready {
    body: BatchBody,
    end: Positions,
    place: u64,
}

impl Shared {
    /// The state. A panic while it was held leaves it usable: every change to it
    /// is complete before the next await.
    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Pending {
    /// Bytes that are not acknowledged yet.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.open.bytes() + self.ready_bytes + self.sent_bytes
    }

    /// Closes the open body once it is large enough.
    pub(super) fn pushed(&mut self, now: Instant) {
        if self.open.bytes() >= self.batch_bytes {
            self.close_open();
        } else if !self.open.is_empty() {
            self.opened_at.get_or_insert(now);
        }
    }

    /// Makes the open body ready to be numbered.
    pub(super) fn close_open(&mut self) {
        (self.opened_at, self.completes) = (None, false);
        if self.open.is_empty() {
            return;
        }
        let body = std::mem::take(&mut self.open).close();
        self.closed += 1;
        self.ready_bytes += body.size();
        self.ready.push_back(Ready { body, end: self.next.clone(), place: self.closed });
    }

    /// Marks all up to positions as lost, in gaps of at most so many samples. `false` if the lines fill the queue first.
    pub(super) fn pass_over(&mut self, to: &Positions, gap: u64, queue_bytes: usize) -> bool {
        while self.next.lines < to.lines {
            if self.waiting_bytes() >= queue_bytes {
                return false;
            }
            self.next.lines += 1;
            self.open.line(LogLine::lost());
            if self.open.bytes() >= self.batch_bytes {
                self.close_open();
            }
        }
        for channel in 0..u32::try_from(self.channels).unwrap_or(u32::MAX) {
            while self.next.sample(channel) < to.sample(channel) {
                let next = self.next.sample(channel);
                let end = to.sample(channel).min(next.saturating_add(gap.max(1)));
                self.take_gap(channel, Gap::new(next..end, GapCause::Store));
                if end < to.sample(channel) {
                    self.close_open();
                }
            }
        }
        true
    }

    /// Makes a body without content ready, for the sake of its answer.
    pub(super) fn close_empty(&mut self) {
        self.close_open();
        self.closed += 1;
        self.ready.push_back(Ready { body: BatchBody::default(), end: self.next.clone(), place: self.closed });
    }

    /// Takes the next ready body under a number.
    pub(super) fn number(&mut self, run: RunId, mark: WriterMark, seq: u64) -> Option<Numbered> {
        let Ready { body, end, place } = self.ready.pop_front()?;
        let batch = Batch::new(run, mark, seq, body);
        self.ready_bytes -= batch.size();
        self.sent_bytes += batch.size();
        Some(Numbered { batch, end, place })
    }

    /// Appends samples of a channel in order of index: what comes early waits,
    /// what never comes in time becomes a gap.
    pub(super) fn arrive(&mut self, channel: u32, first: u64, values: &[f64], window: usize) -> Arrival {
        let next = self.next.sample(channel);
        if first > next {
            let reorder = self.reorder.entry(channel).or_default();
            reorder.keep(first, values);
            while self.reorder.get(&channel).is_some_and(|reorder| reorder.is_past(window)) {
                self.give_up_first(channel);
            }
            return if self.next.sample(channel) > first { Arrival::InOrder } else { Arrival::Waiting };
        }
        let known = usize::try_from(next - first).unwrap_or(usize::MAX);
        if known >= values.len() {
            self.stats.late_samples += values.len() as u64;
            return Arrival::Late;
        }
        self.stats.late_samples += known as u64;
        self.take(channel, &values[known..]);
        self.drain(channel);
        Arrival::InOrder
    }

    /// The first missing stretch of a channel becomes a gap, and what waited
    /// behind it follows.
    pub(super) fn give_up_first(&mut self, channel: u32) {
        let next = self.next.sample(channel);
        if let Some(first) = self.reorder.get(&channel).and_then(Reorder::first).filter(|first| *first > next) {
            self.take_gap(channel, Gap::new(next..first, GapCause::Device));
        }
        self.drain(channel);
    }

    /// Every stretch of a channel that is missing before something that waits
    /// below an index becomes a gap.
    pub(super) fn give_up_below(&mut self, channel: u32, index: u64) {
        while self.reorder.get(&channel).and_then(Reorder::first).is_some_and(|first| first < index) {
            self.give_up_first(channel);
        }
    }

    /// Every missing stretch becomes a gap: nothing more will come.
    pub(super) fn give_up_all(&mut self) {
        let mut channels: Vec<u32> = self.reorder.keys().copied().collect();
        channels.sort_unstable();
        for channel in channels {
            while self.reorder.get(&channel).is_some_and(|r| !r.is_empty()) {
                self.give_up_first(channel);
            }
        }
    }

    fn drain(&mut self, channel: u32) {
        while let Some(values) = self.reorder.get_mut(&channel).and_then(|r| r.following(self.next.sample(channel))) {
            self.take(channel, &values);
        }
    }

    fn take(&mut self, channel: u32, values: &[f64]) {
        let next = self.next.sample(channel);
        let end = next + values.len() as u64;
        self.open.samples(channel, next, values);
        // The channels are looked through only where this one comes to the end of a part.
        let part = self.grid.part();
        let before = (end / part > next / part).then(|| self.grid.complete_parts(&self.next));
        self.next.set_sample(channel, end);
        self.completes |= before.is_some_and(|before| self.grid.complete_parts(&self.next) > before);
        // One push may bring back much that waited; no batch may grow past its limit.
        if self.open.bytes() >= self.batch_bytes {
            self.close_open();
        }
    }

    pub(super) fn take_gap(&mut self, channel: u32, gap: Gap) {
        self.next.set_sample(channel, gap.end);
        self.open.gap(channel, gap, self.gap);
    }

    /// A gap from where the channel is up to the end of this one, and what waited
    /// behind it.
    pub(super) fn gap_up_to(&mut self, channel: u32, gap: Gap) {
        self.give_up_below(channel, gap.end);
        let next = self.next.sample(channel);
        if gap.end > next {
            self.take_gap(channel, Gap { first: next, ..gap });
        }
        self.drain(channel);
    }

    /// Samples that nobody could take: their place is a gap with cause
    /// `overflow`, what is missing before them one with cause `device`.
    pub(super) fn overflow(&mut self, channel: u32, range: std::ops::Range<u64>) {
        self.give_up_below(channel, range.start);
        let next = self.next.sample(channel);
        if range.start > next {
            self.take_gap(channel, Gap::new(next..range.start, GapCause::Device));
        }
        self.drain(channel);
        while self.next.sample(channel) < range.end {
            let next = self.next.sample(channel);
            let waiting = self.reorder.get(&channel).and_then(Reorder::first).unwrap_or(u64::MAX);
            let until = range.end.min(waiting);
            self.stats.overflow_samples += until - next;
            self.take_gap(channel, Gap::new(next..until, GapCause::Overflow));
            self.drain(channel);
        }
    }
}
