//! Streams: what a run records, and how it is cut into batches.

use lucihub_models_core::{BatchBody, Gap, GapCause, GapMark, RunState, SampleBlock, Series};
use proptest::collection::vec;
use proptest::prelude::*;

use super::texts::{log_lines, texts};
use super::values::{any_f64, sample_lists};

/// Samples, or a stretch without any.
#[derive(Debug, Clone)]
pub enum Stretch {
    /// Consecutive samples.
    Samples(Vec<f64>),
    /// So many indices without a sample.
    Missing(u64, GapCause),
}

/// Why samples are missing, unknown words among the known ones.
pub fn gap_causes() -> impl Strategy<Value = GapCause> + Clone {
    prop_oneof![
        Just(GapCause::Device),
        Just(GapCause::Overflow),
        Just(GapCause::Store),
        texts().prop_map(|word| GapCause::from(&*word)),
    ]
}

/// Up to 20 stretches that follow each other.
pub fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
    let samples = vec(any_f64(), 1..30).prop_map(Stretch::Samples);
    let missing = (1_u64..50, gap_causes()).prop_map(|(count, cause)| Stretch::Missing(count, cause));
    vec(prop_oneof![2 => samples, 1 => missing], 0..20)
}

/// A consistent series from any index below a million, with gaps.
pub fn series() -> impl Strategy<Value = Series> {
    (0_u64..1_000_000, stretches()).prop_map(|(first, stretches)| {
        let mut series = Series::starting_at(first);
        for stretch in stretches {
            match stretch {
                Stretch::Samples(values) => series.push_values(&values),
                Stretch::Missing(count, cause) => series.push_gap(Gap::new(series.end..series.end + count, cause)),
            }
        }
        series
    })
}

/// How to cut `n` items into batches: sizes that add up to `n`, zeros among them.
pub fn cuts(n: usize) -> impl Strategy<Value = Vec<usize>> {
    vec(0..=n, 0..8).prop_map(move |mut edges| {
        edges.push(n);
        edges.sort_unstable();
        let mut at = 0;
        edges.into_iter().map(|edge| edge - std::mem::replace(&mut at, edge)).collect()
    })
}

/// A legal way of states after `queued`, with repeats and unknown words; it may
/// or may not end the run.
pub fn state_sequences() -> impl Strategy<Value = Vec<RunState>> {
    let states = prop_oneof![
        3 => Just(RunState::InProgress),
        1 => Just(RunState::Succeeded),
        1 => Just(RunState::Failed),
        1 => Just(RunState::Cancelled),
        2 => Just(RunState::Other("calibrating".to_owned())),
    ];
    vec(states, 0..8).prop_map(|mut states| {
        let mut present = RunState::Queued;
        states.retain(|next| {
            let legal = present.step_to(next).is_some();
            if legal {
                present = next.clone();
            }
            legal
        });
        states
    })
}

/// Legal bodies that follow each other: lines, and blocks of `channels` channels
/// with jumps and gaps between them.
pub fn batches(channels: u32) -> impl Strategy<Value = Vec<BatchBody>> {
    let part = (0..channels.max(1), 0_u64..20, sample_lists(40), gap_causes(), any::<bool>());
    let body = (vec(log_lines(), 0..4), vec(part, 0..4));
    vec(body, 0..12).prop_map(move |bodies| {
        let mut next = vec![0_u64; channels as usize];
        bodies
            .into_iter()
            .map(|(lines, parts)| {
                let mut body = BatchBody { lines: lines.into(), ..BatchBody::default() };
                for (channel, missing, values, cause, known) in parts {
                    let Some(at) = next.get_mut(channel as usize) else { continue };
                    let first = *at + missing;
                    if known && missing > 0 {
                        body.gaps.push(GapMark { channel, gap: Gap::new(*at..first, cause) });
                        *at = first;
                    }
                    if !values.is_empty() {
                        let block = SampleBlock { channel, first, values: values.into() };
                        *at = block.end();
                        body.blocks.push(block);
                    }
                }
                body
            })
            .collect()
    })
}
