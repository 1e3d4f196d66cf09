//! One run in the reference store: every sample at its index.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use lucihub_models_core::hot::{HotAttachment, HotRun, Lease, LineSlice, Seal};
use lucihub_models_core::{
    AttachmentName, Batch, BatchBody, Digest, Gap, GapCause, LogLine, Positions, RunHead, RunState, Series,
    StateChange, StoreEvent, Timestamp, WriterMark,
};

/// The samples of one channel.
#[derive(Debug, Default)]
pub(super) struct Samples {
    values: BTreeMap<u64, f64>,
    gaps: Vec<Gap>,
    next: u64,
}

/// One run.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) head: RunHead,
    pub(super) lines: BTreeMap<u64, LogLine>,
    pub(super) next_line: u64,
    pub(super) channels: BTreeMap<u32, Samples>,
    pub(super) base: Positions,
    pub(super) confirmed: Positions,
    pub(super) lease: Option<Lease>,
    pub(super) last_seq: u64,
    pub(super) recent: VecDeque<(u64, Digest)>,
    pub(super) cancel: bool,
    pub(super) cancelled_unheld: bool,
    pub(super) seal: Option<Seal>,
    pub(super) changed_at: Timestamp,
    pub(super) expires: Option<Timestamp>,
    pub(super) attachments: BTreeMap<AttachmentName, (HotAttachment, Arc<[u8]>)>,
    pub(super) events: Vec<StoreEvent>,
}

impl Kept {
    pub(super) fn new(head: RunHead, now: Timestamp) -> Self {
        Self {
            head,
            lines: BTreeMap::new(),
            next_line: 0,
            channels: BTreeMap::new(),
            base: Positions::default(),
            confirmed: Positions::default(),
            lease: None,
            last_seq: 0,
            recent: VecDeque::new(),
            cancel: false,
            cancelled_unheld: false,
            seal: None,
            changed_at: now,
            expires: None,
            attachments: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    pub(super) fn mark(&self) -> Option<WriterMark> {
        self.lease.as_ref().map(|lease| lease.mark)
    }

    pub(super) fn living_lease(&self, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| lease.until > now)
    }

    pub(super) fn next_sample(&self, channel: u32) -> u64 {
        self.channels.get(&channel).map_or(0, |samples| samples.next)
    }

    pub(super) fn next(&self) -> Positions {
        let mut next = Positions {
            states: self.head.states.len() as u64,
            phases: self.head.phases.len() as u64,
            lines: self.next_line,
            samples: Vec::new(),
        };
        for (channel, samples) in &self.channels {
            next.set_sample(*channel, samples.next);
        }
        next
    }

    pub(super) fn snapshot(&self, now: Timestamp) -> HotRun {
        HotRun {
            head: Arc::new(self.head.clone()),
            next: self.next(),
            base: self.base.clone(),
            confirmed: self.confirmed.clone(),
            lease: self.lease.clone(),
            last_seq: self.last_seq,
            cancel: self.cancel,
            seal: self.seal.clone(),
            changed_at: self.changed_at,
            now,
        }
    }

    /// Bytes of attachments, and of lines and samples above the base.
    pub(super) fn bytes(&self) -> u64 {
        let lines: usize = self.lines.values().map(LogLine::size).sum();
        let samples: usize = self.channels.values().map(|samples| 8 * samples.values.len()).sum();
        let attachments: usize = self.attachments.values().map(|(_, bytes)| bytes.len()).sum();
        (lines + samples + attachments) as u64
    }

    /// Writes a checked batch. Returns whether the state changed.
    pub(super) fn write(&mut self, batch: &Batch, now: Timestamp) -> bool {
        let body = batch.body();
        let changed = self.write_states(&body.states);
        self.head.phases.extend(body.phases.iter().cloned());
        self.head.overloads.extend(body.overloads.iter().cloned());
        self.head.final_values.extend(body.final_values.iter().cloned());
        self.write_patch(body);
        for line in body.lines.iter() {
            self.lines.insert(self.next_line, line.clone());
            self.next_line += 1;
        }
        self.write_samples(body);
        self.last_seq = batch.seq();
        self.recent.push_back((batch.seq(), batch.digest()));
        if self.recent.len() > Batch::WINDOW {
            self.recent.pop_front();
        }
        self.changed_at = now;
        changed
    }

    fn write_states(&mut self, changes: &[StateChange]) -> bool {
        let before = self.head.states.len();
        for change in changes {
            if *self.head.state() != change.state {
                self.head.states.push(change.clone());
            }
        }
        let state = self.head.state();
        if matches!(state, RunState::Succeeded | RunState::Failed | RunState::Cancelled) {
            self.seal = Some(Seal::Ended(state.clone()));
        }
        self.head.states.len() > before
    }

    fn write_patch(&mut self, body: &BatchBody) {
        let patch = body.patch.clone();
        let head = &mut self.head;
        if let Some(channels) = patch.channels {
            head.channels = channels;
        }
        if patch.time_base.is_some() {
            head.time_base = patch.time_base;
        }
        if patch.op_time_ns.is_some() {
            head.op_time_ns = patch.op_time_ns;
        }
        if patch.ic_time_ns.is_some() {
            head.ic_time_ns = patch.ic_time_ns;
        }
        if patch.firmware.is_some() {
            head.firmware = patch.firmware;
        }
        if patch.entity_digest.is_some() {
            head.entity_digest = patch.entity_digest;
        }
        if patch.output.is_some() {
            head.output = patch.output;
        }
        if patch.error.is_some() {
            head.error = patch.error;
        }
    }

    fn write_samples(&mut self, body: &BatchBody) {
        let mut starts: Vec<(u32, u64, Option<GapCause>, usize)> = Vec::new();
        starts.extend(body.blocks.iter().enumerate().map(|(n, block)| (block.channel, block.first, None, n)));
        starts
            .extend(body.gaps.iter().enumerate().map(|(n, m)| (m.channel, m.gap.first, Some(m.gap.cause.clone()), n)));
        starts.sort_by_key(|(channel, first, ..)| (*channel, *first));
        for (channel, first, cause, n) in starts {
            let samples = self.channels.entry(channel).or_default();
            samples.jump(first);
            if cause.is_some() {
                samples.gap(body.gaps[n].gap.clone());
            } else {
                body.blocks[n].values.iter().for_each(|value| samples.push(*value));
            }
        }
    }

    /// Puts lost stretches where lines and samples were, up to `next`.
    pub(super) fn fill_lost(&mut self, confirmed: &Positions, next: &Positions) {
        self.next_line = next.lines;
        for number in confirmed.lines..next.lines {
            self.lines.insert(number, LogLine::lost());
        }
        for channel in 0..u32::try_from(next.samples.len()).unwrap_or(u32::MAX) {
            let (from, to) = (confirmed.sample(channel), next.sample(channel));
            let samples = self.channels.entry(channel).or_default();
            samples.next = from;
            samples.gap(Gap::new(from..to, GapCause::Store));
        }
    }

    /// Lets go of everything below a base. A block of this store is one line or one sample.
    pub(super) fn drop_below(&mut self, base: &Positions) {
        self.lines.retain(|number, _| *number >= base.lines);
        for (channel, samples) in &mut self.channels {
            let first = base.sample(*channel);
            samples.values.retain(|index, _| *index >= first);
        }
        self.base.lines = base.lines;
        self.base.samples.clone_from(&base.samples);
    }

    pub(super) fn line_range(&self, range: &Range<u64>) -> LineSlice {
        let (first, end) = clip(range, self.base.lines, self.next_line);
        LineSlice { first, lines: self.lines.range(first..end).map(|(_, line)| line.clone()).collect() }
    }

    pub(super) fn sample_range(&self, channel: u32, range: &Range<u64>) -> Series {
        let (first, end) = clip(range, self.base.sample(channel), self.next_sample(channel));
        let mut series = Series { end, ..Series::starting_at(first) };
        if let Some(samples) = self.channels.get(&channel) {
            series.gaps = samples.gaps.iter().filter_map(|gap| gap.clip(&(first..end))).collect();
            series.values = samples.values.range(first..end).map(|(_, value)| *value).collect();
        }
        series
    }
}

impl Samples {
    /// An index that nothing covered before `first` is missing: the device never sent it.
    fn jump(&mut self, first: u64) {
        if first > self.next {
            self.gap(Gap::new(self.next..first, GapCause::Device));
        }
    }

    fn push(&mut self, value: f64) {
        self.values.insert(self.next, value);
        self.next += 1;
    }

    fn gap(&mut self, gap: Gap) {
        self.next = self.next.max(gap.end);
        if gap.first >= gap.end {
            return;
        }
        if let Some(last) = self.gaps.last_mut()
            && last.end == gap.first
            && (&last.cause, last.inferred) == (&gap.cause, gap.inferred)
        {
            last.end = gap.end;
        } else {
            self.gaps.push(gap);
        }
    }
}

/// A range inside `[base, next]`; an empty one begins at its clipped start.
fn clip(range: &Range<u64>, base: u64, next: u64) -> (u64, u64) {
    let first = range.start.clamp(base, next);
    (first, range.end.clamp(first, next))
}
