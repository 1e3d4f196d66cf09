//! Batches and their bodies.

use std::ops::Range;

use lucihub_models_core::{
    Batch, BatchBody, Gap, GapCause, GapMark, LogLine, RunId, RunState, SampleBlock, StateChange, Timestamp, WriterMark,
};

use super::signals::sample_value;

/// The first `n` lines of a log; line `k` says so, and is a millisecond after line `k - 1`.
#[must_use]
pub fn lines(n: usize) -> Vec<LogLine> {
    (0..n).map(line).collect()
}

fn line(number: usize) -> LogLine {
    let micros = 1_767_600_000_000_000 + i64::try_from(number).unwrap_or(0) * 1_000;
    let at = Timestamp::from_micros(micros).unwrap_or(Timestamp::EPOCH);
    LogLine::new(at, format!("line {number}")).level(["info", "debug"][number % 2])
}

/// A body of lines with these texts.
#[must_use]
pub fn lines_body<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> BatchBody {
    let lines = texts.into_iter().map(|text| LogLine::from(text.into())).collect();
    BatchBody { lines, ..BatchBody::default() }
}

/// A body of state changes, a second apart.
#[must_use]
pub fn state_body(states: impl IntoIterator<Item = RunState>) -> BatchBody {
    let states = states
        .into_iter()
        .zip((1_767_600_001_000_000..).step_by(1_000_000))
        .map(|(state, micros)| StateChange::new(state, Timestamp::from_micros(micros).unwrap_or(Timestamp::EPOCH)))
        .collect();
    BatchBody { states, ..BatchBody::default() }
}

/// A body whose samples are [`sample_value`]: channels and their ranges of indices.
#[must_use]
pub fn samples_body(run: RunId, ranges: impl IntoIterator<Item = (u32, Range<u64>)>) -> BatchBody {
    let blocks = ranges
        .into_iter()
        .map(|(channel, range)| SampleBlock {
            channel,
            first: range.start,
            values: range.map(|index| sample_value(run, channel, index)).collect(),
        })
        .collect();
    BatchBody { blocks, ..BatchBody::default() }
}

/// A batch whose samples are [`sample_value`].
///
/// ```
/// use lucihub_models_core::{WriterId, WriterMark};
/// use lucihub_testkit::models::{batch_of_samples, run_id, sample_value};
/// let mark = WriterMark { writer: WriterId::from_bits(7), epoch: 1 };
/// let batch = batch_of_samples(run_id(1), mark, 1, [(0, 0..100), (1, 0..80)]);
/// assert_eq!(batch.body().blocks[1].values[79], sample_value(run_id(1), 1, 79));
/// ```
#[must_use]
pub fn batch_of_samples(
    run: RunId,
    mark: WriterMark,
    seq: u64,
    ranges: impl IntoIterator<Item = (u32, Range<u64>)>,
) -> Batch {
    Batch::new(run, mark, seq, samples_body(run, ranges))
}

/// The body with a gap added to it.
#[must_use]
pub fn gap_in(mut body: BatchBody, channel: u32, range: Range<u64>, cause: GapCause) -> BatchBody {
    body.gaps.push(GapMark { channel, gap: Gap::new(range, cause) });
    body
}

/// The body with a state added that ends the run.
#[must_use]
pub fn ending_in(mut body: BatchBody, state: RunState) -> BatchBody {
    body.states.extend(state_body([state]).states);
    body
}
