//! However samples and lines are cut into batches, readers see the same.
#![expect(clippy::cast_possible_truncation, reason = "lengths and indices of small lists")]

use std::ops::Range;

use lucihub_models_core::hot::{HotAppend, HotLogs, HotSamples};
use lucihub_models_core::{BatchBody, Gap, GapCause, GapMark, LogLine, Positions, RunId, SampleBlock, Series};
use lucihub_testkit::Dice;
use lucihub_testkit::models::{run_head, run_id};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::embedded::bench::{Bench, Worker, at_once};

/// One index of a channel: a sample, or why there is none.
#[derive(Debug, Clone, PartialEq)]
enum Index {
    Sample(f64),
    Missing(GapCause),
}

/// A channel as one naive list.
fn channel() -> impl Strategy<Value = Vec<Index>> {
    let stretch = (0_u8..4, 1_usize..40, any::<u64>());
    vec(stretch, 1..12).prop_map(|stretches| {
        let stretch = |(kind, length, bits): (u8, usize, u64)| match kind {
            0 => vec![Index::Missing(GapCause::Device); length],
            1 => vec![Index::Missing(GapCause::Overflow); length],
            // Any bits: NaN payloads too must come back as they went.
            _ => (0..length as u64).map(|n| Index::Sample(f64::from_bits(bits ^ n))).collect(),
        };
        stretches.into_iter().flat_map(stretch).collect()
    })
}

/// What a window of the naive list reads as.
fn naive(list: &[Index], base: u64, range: &Range<u64>) -> Series {
    let end = list.len() as u64;
    let first = range.start.clamp(base, end);
    let mut series = Series::starting_at(first);
    for index in first..range.end.clamp(first, end) {
        match &list[index as usize] {
            Index::Sample(value) => series.push_values(&[*value]),
            Index::Missing(cause) => series.push_gap(Gap::new(index..index + 1, cause.clone())),
        }
    }
    series
}

/// The stretches of equal kind in a range, cut further by the dice.
fn stretches(list: &[Index], range: Range<usize>, dice: &Dice) -> Vec<Range<usize>> {
    let kind = |at: usize| match &list[at] {
        Index::Sample(_) => None,
        Index::Missing(cause) => Some(cause.clone()),
    };
    let mut cut: Vec<Range<usize>> = Vec::new();
    for at in range {
        match cut.last_mut() {
            Some(last) if kind(last.start) == kind(at) && !dice.one_in(9) => last.end = at + 1,
            _ => cut.push(at..at + 1),
        }
    }
    cut
}

/// Adds a part of a channel to a batch. A gap of cause `device` may be left
/// out: the jump that follows says the same.
fn add(body: &mut BatchBody, channel: u32, list: &[Index], range: Range<usize>, dice: &Dice) {
    for part in stretches(list, range, dice) {
        let (first, end) = (part.start as u64, part.end as u64);
        match &list[part.start] {
            Index::Missing(GapCause::Device) if part.end < list.len() && dice.one_in(2) => {}
            Index::Missing(cause) => {
                body.gaps.push(GapMark { channel, gap: Gap::new(first..end, cause.clone()) });
            }
            Index::Sample(_) => {
                let value = |index: &Index| match index {
                    Index::Sample(value) => *value,
                    Index::Missing(_) => unreachable!("stretches are of one kind"),
                };
                body.blocks.push(SampleBlock { channel, first, values: list[part].iter().map(value).collect() });
            }
        }
    }
}

/// Appends all channels and lines in batches of random cuts.
fn append_all(worker: &mut Worker, channels: &[Vec<Index>], lines: &[LogLine], dice: &Dice) {
    let mut at = vec![0; channels.len()];
    let mut line = 0;
    while line < lines.len() || at.iter().zip(channels).any(|(at, list)| *at < list.len()) {
        let mut body = BatchBody::default();
        for (channel, (at, list)) in (0..).zip(at.iter_mut().zip(channels)) {
            let end = (*at + dice.below(60) as usize).min(list.len());
            add(&mut body, channel, list, *at..end, dice);
            *at = end;
        }
        let end = (line + dice.below(5) as usize).min(lines.len());
        body.lines = lines[line..end].into();
        line = end;
        worker.put(body);
    }
}

fn window(bench: &Bench, run: RunId, channel: u32, range: Range<u64>) -> Series {
    at_once(bench.hot.window(run, channel, range)).unwrap().unwrap()
}

/// Any range of a list, also past its end and the wrong way round.
fn some_range(length: usize, dice: &Dice) -> Range<u64> {
    let past = length as u64 + 20;
    dice.below(past)..dice.below(past)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn windows_do_not_depend_on_the_cuts(channels in vec(channel(), 1..4), lines in 0_usize..40, seed: u64) {
        let (bench, dice) = (Bench::new(), Dice::new(seed));
        let lines: Vec<LogLine> = (0..lines).map(|n| LogLine::from(format!("line {n}"))).collect();
        let runs: Vec<RunId> = (0..2).map(|n| {
            let mut worker = bench.started(n);
            append_all(&mut worker, &channels, &lines, &dice);
            worker.run
        }).collect();
        for run in &runs {
            let hot = bench.get(*run);
            prop_assert_eq!(hot.next.lines, lines.len() as u64);
            for (channel, list) in (0..).zip(&channels) {
                prop_assert_eq!(hot.next.sample(channel), list.len() as u64);
                let whole = window(&bench, *run, channel, 0..u64::MAX);
                prop_assert!(whole.is_consistent());
                prop_assert_eq!(whole, naive(list, 0, &(0..u64::MAX)));
                for _ in 0..20 {
                    let range = some_range(list.len(), &dice);
                    prop_assert_eq!(window(&bench, *run, channel, range.clone()), naive(list, 0, &range), "{:?}", range);
                }
            }
            let range = some_range(lines.len(), &dice);
            let slice = at_once(bench.hot.lines(*run, range.clone())).unwrap().unwrap();
            let first = range.start.min(lines.len() as u64);
            prop_assert_eq!(slice.first, first);
            let end = range.end.clamp(first, lines.len() as u64);
            prop_assert_eq!(&slice.lines, &lines[first as usize..end as usize]);
        }
    }

    #[test]
    fn a_trim_takes_whole_pieces_and_gives_their_room_back(list in channel(), lines in 0_usize..20, seed: u64) {
        let (bench, dice) = (Bench::new(), Dice::new(seed));
        let mut worker = bench.started(1);
        let empty = bench.used();
        let lines: Vec<LogLine> = (0..lines).map(|n| LogLine::from(format!("line {n}"))).collect();
        append_all(&mut worker, std::slice::from_ref(&list), &lines, &dice);
        let (length, mut base) = (list.len() as u64, Positions::default());
        for _ in 0..4 {
            let some = |end: u64| dice.below(end + 10);
            let (safe, below) = (
                Positions { lines: some(20), samples: vec![some(length)], ..Positions::default() },
                Positions { lines: some(20), samples: vec![some(length)], ..Positions::default() },
            );
            let confirmed = at_once(bench.hot.confirm(worker.run, &safe)).unwrap().unwrap();
            prop_assert!(bench.get(worker.run).next.covers(&confirmed));
            let used = bench.used();
            let after = at_once(bench.hot.trim(worker.run, &below)).unwrap().unwrap();
            prop_assert!(after.covers(&base), "the base never goes back");
            prop_assert!(confirmed.covers(&after), "what is not confirmed stays");
            prop_assert_eq!(bench.used() < used, after != base, "room comes back with what leaves, and only then");
            base = after;
            let whole = window(&bench, worker.run, 0, 0..u64::MAX);
            prop_assert_eq!(whole, naive(&list, base.sample(0), &(0..u64::MAX)));
            let slice = at_once(bench.hot.lines(worker.run, 0..u64::MAX)).unwrap().unwrap();
            prop_assert_eq!(slice.first, base.lines);
            prop_assert_eq!(&slice.lines, &lines[base.lines as usize..]);
        }
        let all = bench.get(worker.run).next;
        at_once(bench.hot.confirm(worker.run, &all)).unwrap();
        let end = at_once(bench.hot.trim(worker.run, &all)).unwrap().unwrap();
        prop_assert_eq!((end.lines, end.sample(0)), (all.lines, all.sample(0)));
        prop_assert_eq!(bench.used(), empty, "all that was appended has left");
    }
}

#[test]
fn a_block_is_kept_without_a_copy() {
    let bench = Bench::new();
    let mut worker = bench.start(&run_head(1));
    let values: std::sync::Arc<[f64]> = vec![0.5; 1000].into();
    let block = SampleBlock { channel: 0, first: 0, values: values.clone() };
    worker.put(BatchBody { blocks: vec![block], ..BatchBody::default() });
    assert_eq!(std::sync::Arc::strong_count(&values), 2, "the store holds the worker's own block");
    assert!(bench.hot.forget(run_id(1)));
    assert_eq!(std::sync::Arc::strong_count(&values), 1);
}
