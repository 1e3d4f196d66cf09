//! One carrier's chunks on their way into order.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::carrier::Carrier;
use super::options::AssemblerOptions;
use super::outcome::{Assembled, ChunkStats, Reconciled};
use super::sizes::Sizes;
use crate::batch::{GapMark, SampleBlock};
use crate::latest::{Gap, GapCause};

/// Stretches of lost chunks that are remembered, to tell late chunks from
/// duplicates.
const REMEMBERED: usize = 64;

/// The samples of a chunk, a channel each, all equally many.
pub(super) type Columns = Vec<Arc<[f64]>>;

/// How long a stretch of lost chunks was.
#[derive(Clone, Copy)]
struct Length {
    samples: u64,
    inferred: bool,
}

/// What is missing to the expected number of samples, for those lost chunks
/// whose place is still open.
#[derive(Clone, Copy)]
struct Share {
    samples: u64,
    chunks: u64,
}

impl Share {
    /// Takes the part of some of the chunks; the last ones take what is left.
    fn take(&mut self, chunks: u64) -> u64 {
        let part = self.samples * chunks / self.chunks.max(1);
        self.samples -= part;
        self.chunks -= chunks;
        part
    }
}

/// The state of one carrier. Chunk numbers are wider here than on the wire, so
/// that the one after the last has a place.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) channels: Vec<u32>,
    /// The first chunk without a place.
    next: u64,
    /// The sample index at which it begins.
    index: u64,
    waiting: BTreeMap<u64, Columns>,
    values: usize,
    sizes: Sizes,
    /// The size of the last chunk that got its place.
    before: Option<u64>,
    lost: VecDeque<Range<u64>>,
    /// Below this number lost chunks are no longer known.
    forgotten: u64,
    pub(super) stats: ChunkStats,
}

impl Track {
    pub(super) fn new(carrier: Carrier) -> Self {
        let first = u64::from(carrier.first_chunk);
        Self {
            channels: carrier.channels,
            next: first,
            index: carrier.first_index,
            waiting: BTreeMap::new(),
            values: 0,
            sizes: Sizes::default(),
            before: None,
            lost: VecDeque::new(),
            // Chunks before the first one were never asked for.
            forgotten: first,
            stats: ChunkStats::default(),
        }
    }

    /// How many numbers a chunk would skip that no chunk has come near yet.
    pub(super) fn jump(&self, number: u64) -> u64 {
        number.saturating_sub(self.sizes.highest().map_or(self.next, |highest| highest + 1))
    }

    /// Values that wait for a missing chunk.
    pub(super) const fn waiting_values(&self) -> usize {
        self.values
    }

    /// Takes a chunk that passed all checks.
    pub(super) fn take(
        &mut self,
        number: u64,
        columns: impl FnOnce() -> Columns,
        size: u64,
        options: &AssemblerOptions,
        out: &mut Vec<Assembled>,
    ) {
        if number < self.next && self.is_late(number) {
            self.stats.late += 1;
            // Too late for its place; its size still tells whether sizes vary.
            if number >= self.forgotten {
                self.sizes.see(number, size);
            }
            return;
        }
        if number < self.next || self.waiting.contains_key(&number) {
            self.stats.duplicates += 1;
            return;
        }
        let columns = columns();
        self.values += count(&columns);
        self.waiting.insert(number, columns);
        self.sizes.see(number, size);
        self.stats.chunks += 1;
        self.place(out);
        while let Some(until) = self.overdue(options) {
            let length = self.length(until - self.next);
            self.lose(until, length, out);
            self.place(out);
        }
    }

    /// Places all that still waits, and compares with the expected number.
    pub(super) fn finish(
        mut self,
        name: String,
        expected: Option<u64>,
        options: &AssemblerOptions,
        out: &mut Vec<Assembled>,
    ) -> Reconciled {
        let mut share = expected.and_then(|expected| self.share(expected, options));
        while let Some(first) = self.waiting.first_key_value().map(|(number, _)| *number) {
            let chunks = first - self.next;
            let length = match &mut share {
                Some(share) => Length { samples: share.take(chunks), inferred: true },
                None => self.length(chunks),
            };
            self.lose(first, length, out);
            self.place(out);
        }
        let expected = expected.unwrap_or(self.index);
        let missing = expected.saturating_sub(self.index);
        self.gap(Length { samples: missing, inferred: true }, out);
        Reconciled {
            carrier: name,
            end: self.index,
            missing,
            surplus: self.index.saturating_sub(expected),
            stats: self.stats,
        }
    }

    /// Gives out the chunks that are next.
    fn place(&mut self, out: &mut Vec<Assembled>) {
        while let Some(columns) = self.waiting.remove(&self.next) {
            self.values -= count(&columns);
            let size = columns.first().map_or(0, |column| column.len() as u64);
            let first = self.index;
            out.extend(
                self.channels
                    .iter()
                    .zip(columns)
                    .map(|(&channel, values)| Assembled::Samples(SampleBlock { channel, first, values })),
            );
            self.index += size;
            self.before = Some(size);
            self.next += 1;
        }
    }

    /// The number up to which missing chunks count as lost by now. The next one
    /// is missing if anything waits.
    fn overdue(&self, options: &AssemblerOptions) -> Option<u64> {
        let (&first, _) = self.waiting.first_key_value()?;
        if self.values > options.window_values {
            return Some(first);
        }
        let until = self.sizes.highest()?.saturating_sub(options.window_chunks.into());
        (until > self.next).then_some(until.min(first))
    }

    /// How long the next chunks were, which are missing.
    fn length(&self, chunks: u64) -> Length {
        if let Some(size) = self.sizes.steady() {
            return Length { samples: chunks * size, inferred: false };
        }
        let after = self.waiting.first_key_value().and_then(|(_, columns)| columns.first());
        let after = after.map(|column| column.len() as u64);
        let samples = match (self.before, after) {
            (Some(before), Some(after)) => chunks * (before + after) / 2,
            (one, other) => chunks * one.or(other).unwrap_or(0),
        };
        Length { samples, inferred: true }
    }

    /// What the chunks that are missing now must have had together, if sizes vary
    /// and those seen explain it. Else samples are missing at the end as well.
    fn share(&self, expected: u64, options: &AssemblerOptions) -> Option<Share> {
        let (&last, _) = self.waiting.last_key_value()?;
        let chunks = last + 1 - self.next - self.waiting.len() as u64;
        let waiting = (self.values / self.channels.len().max(1)) as u64;
        let samples = expected.checked_sub(self.index + waiting)?;
        let sizes = self.sizes.plausible(options.chunk_samples.into());
        let explained = (chunks * sizes.start()..=chunks * sizes.end()).contains(&samples);
        (explained && self.sizes.steady().is_none()).then_some(Share { samples, chunks })
    }

    /// Gives up all chunks before a number.
    fn lose(&mut self, until: u64, length: Length, out: &mut Vec<Assembled>) {
        if until == self.next {
            return;
        }
        self.stats.lost_chunks += until - self.next;
        match self.lost.back_mut() {
            Some(last) if last.end == self.next => last.end = until,
            _ => self.lost.push_back(self.next..until),
        }
        if self.lost.len() > REMEMBERED {
            self.forgotten = self.lost.pop_front().map_or(self.forgotten, |oldest| oldest.end);
        }
        self.next = until;
        self.gap(length, out);
    }

    fn gap(&mut self, length: Length, out: &mut Vec<Assembled>) {
        let Length { samples, inferred } = length;
        if samples == 0 {
            return;
        }
        let gap = Gap { inferred, ..Gap::new(self.index..self.index + samples, GapCause::Device) };
        self.index = gap.end;
        self.stats.lost_samples += samples;
        self.stats.inferred_samples += if inferred { samples } else { 0 };
        out.extend(self.channels.iter().map(|&channel| Assembled::Gap(GapMark { channel, gap: gap.clone() })));
    }

    /// Whether a chunk before the next one was given up, as far as is known.
    fn is_late(&self, number: u64) -> bool {
        number < self.forgotten || self.lost.iter().any(|lost| lost.contains(&number))
    }
}

fn count(columns: &Columns) -> usize {
    columns.iter().map(|column| column.len()).sum()
}
