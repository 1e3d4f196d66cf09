//! Batches: what a worker appends to a run, whole, in order, once.

use std::sync::Arc;

use crate::check::{check_final_value, check_overload, check_phase, check_state};
use crate::digest::{Canonical, Digest};
use crate::error::Invalid;
use crate::id::{RunId, WriterId};
use crate::json::JsonText;
use crate::latest::{Channel, FinalValue, Gap, LogLine, Overload, PhaseChange, StateChange, TimeBase};
use crate::limits::Limits;

/// Who writes: a writer id and the epoch that a take-over gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WriterMark {
    /// The writer.
    pub writer: WriterId,
    /// Counts the take-overs of the run.
    pub epoch: u64,
}

/// Consecutive samples of one channel.
#[derive(Debug, Clone)]
pub struct SampleBlock {
    /// The channel.
    pub channel: u32,
    /// The index of the first sample.
    pub first: u64,
    /// The samples.
    pub values: Arc<[f64]>,
}

impl SampleBlock {
    /// The index after the last sample.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.values.len() as u64)
    }
}

/// A gap of one channel whose cause is known to the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapMark {
    /// The channel.
    pub channel: u32,
    /// The gap.
    pub gap: Gap,
}

/// Fields of the head that only the worker knows. `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct HeadPatch {
    /// The channels. Never fewer than before.
    pub channels: Option<Vec<Channel>>,
    /// The time base.
    pub time_base: Option<TimeBase>,
    /// How long it integrates, in nanoseconds.
    pub op_time_ns: Option<u64>,
    /// How long integrators load, in nanoseconds.
    pub ic_time_ns: Option<u64>,
    /// The device's firmware.
    pub firmware: Option<String>,
    /// The digest of the device's entity tree.
    pub entity_digest: Option<String>,
    /// The output.
    pub output: Option<JsonText>,
    /// What went wrong.
    pub error: Option<String>,
}

/// What a batch brings.
#[derive(Debug, Clone, Default)]
pub struct BatchBody {
    /// State changes. A terminal one is the last of the run and seals it.
    pub states: Vec<StateChange>,
    /// Phase changes.
    pub phases: Vec<PhaseChange>,
    /// Log lines.
    pub lines: Arc<[LogLine]>,
    /// Samples: per channel without overlap, in any order within the batch.
    pub blocks: Vec<SampleBlock>,
    /// Gaps with a known cause. An index that neither a block nor a gap covers
    /// becomes a gap with cause `device`.
    pub gaps: Vec<GapMark>,
    /// Overloads.
    pub overloads: Vec<Overload>,
    /// Final values.
    pub final_values: Vec<FinalValue>,
    /// Fields of the head.
    pub patch: HeadPatch,
}

impl BatchBody {
    /// Whether it brings nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
            && self.phases.is_empty()
            && self.lines.is_empty()
            && self.blocks.is_empty()
            && self.gaps.is_empty()
            && self.overloads.is_empty()
            && self.final_values.is_empty()
            && self.patch == HeadPatch::default()
    }

    /// Bytes that it counts against limits and memory: samples and all texts, and a
    /// small constant per entry.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts = |patch: &HeadPatch| {
            let channels = patch.channels.as_deref().unwrap_or_default().iter().map(channel_size).sum::<usize>();
            let output = patch.output.as_ref().map_or(0, |json| json.as_str().len());
            let rest = [&patch.firmware, &patch.entity_digest, &patch.error];
            channels + output + rest.iter().map(|t| t.as_ref().map_or(0, String::len)).sum::<usize>()
        };
        self.states.iter().map(StateChange::size).sum::<usize>()
            + self.phases.iter().map(PhaseChange::size).sum::<usize>()
            + self.lines.iter().map(LogLine::size).sum::<usize>()
            + self.blocks.iter().map(|b| 16 + 8 * b.values.len()).sum::<usize>()
            + self.gaps.iter().map(|mark| ENTRY + mark.gap.cause.as_str().len()).sum::<usize>()
            + self.overloads.iter().map(Overload::size).sum::<usize>()
            + self.final_values.iter().map(FinalValue::size).sum::<usize>()
            + texts(&self.patch)
    }

    fn digest(&self) -> Digest {
        let mut c = Canonical::of("lucihub batch 1");
        c.each(&self.states, Canonical::state);
        c.each(&self.phases, Canonical::phase);
        c.each(&self.lines, Canonical::line);
        c.each(&self.blocks, |c, block| {
            c.number(block.channel.into());
            c.number(block.first);
            c.count(block.values.len());
        });
        if !self.blocks.is_empty() {
            c.floats(self.blocks.iter().map(|block| &*block.values));
        }
        c.each(&self.gaps, |c, mark| {
            c.number(mark.channel.into());
            c.gap(&mark.gap);
        });
        c.each(&self.overloads, Canonical::overload);
        c.each(&self.final_values, Canonical::final_value);
        let HeadPatch { channels, time_base, op_time_ns, ic_time_ns, firmware, entity_digest, output, error } =
            &self.patch;
        c.optional(channels.as_deref(), |c, channels| c.each(channels, Canonical::channel));
        c.optional(*time_base, Canonical::time_base);
        c.optional(*op_time_ns, Canonical::number);
        c.optional(*ic_time_ns, Canonical::number);
        c.optional(firmware.as_deref(), Canonical::text);
        c.optional(entity_digest.as_deref(), Canonical::text);
        c.optional(output.as_ref().map(JsonText::as_str), Canonical::text);
        c.optional(error.as_deref(), Canonical::text);
        c.finish()
    }
}

fn channel_size(channel: &Channel) -> usize {
    let texts = [&channel.carrier, &channel.probe, &channel.name, &channel.unit];
    16 + texts.iter().map(|t| t.as_ref().map_or(0, String::len)).sum::<usize>() + channel.extra.size()
}

/// What an entry of a list counts beside its texts.
const ENTRY: usize = 48;

/// What each entry of a batch counts against limits and memory, and the limits on it alone.
macro_rules! entry {
    ($($entry:ident: $check:ident, $texts:expr;)+) => {
        $(impl $entry {
            /// Bytes that it counts against limits and memory.
            #[must_use]
            pub fn size(&self) -> usize {
                let texts: fn(&Self) -> usize = $texts;
                ENTRY + texts(self) + self.extra.size()
            }

            /// Checks it against the limits.
            ///
            /// # Errors
            /// [`Invalid`] naming what is too long and the limit.
            pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
                $check(self, limits)
            }
        })+
    };
}

entry! {
    StateChange: check_state, |s| s.state.as_str().len() + s.reason.as_ref().map_or(0, String::len);
    PhaseChange: check_phase, |p| p.phase.as_str().len() + p.carrier.as_ref().map_or(0, String::len);
    Overload: check_overload, |o| o.element.len();
    FinalValue: check_final_value, |v| v.element.len();
}

/// A batch under its number. Cloning shares the body, so a retry sends the same
/// bytes.
///
/// ```
/// use lucihub_models_core::{Batch, BatchBody, LogLine, RunId, Timestamp, WriterId, WriterMark};
/// # let run: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse()?;
/// let mark = WriterMark { writer: WriterId::from_bits(7), epoch: 1 };
/// let body = BatchBody { lines: vec![LogLine::new(Timestamp::EPOCH, "hello")].into(), ..BatchBody::default() };
/// let batch = Batch::new(run, mark, 1, body);
/// assert_eq!(batch.clone().digest(), batch.digest());
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Debug, Clone)]
pub struct Batch {
    run: RunId,
    mark: WriterMark,
    seq: u64,
    digest: Digest,
    size: usize,
    body: Arc<BatchBody>,
}

impl Batch {
    /// The most batches that may be in flight per run, and how many of the last
    /// ones a store remembers.
    pub const WINDOW: usize = 8;

    /// Numbers a body. The first batch after a take-over has the sequence number
    /// that [`Taken::last_seq`](crate::hot::Taken::last_seq) plus one gives.
    #[must_use]
    pub fn new(run: RunId, mark: WriterMark, seq: u64, body: BatchBody) -> Self {
        let (digest, size) = (body.digest(), body.size());
        Self { run, mark, seq, digest, size, body: Arc::new(body) }
    }

    /// The run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// Who writes it.
    #[must_use]
    pub const fn mark(&self) -> WriterMark {
        self.mark
    }

    /// Its number under that mark, counted from 1.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The digest of its content.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Bytes that it counts against limits and memory.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// What it brings.
    #[must_use]
    pub fn body(&self) -> &BatchBody {
        &self.body
    }
}
