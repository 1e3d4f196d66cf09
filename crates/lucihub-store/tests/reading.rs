//! Every way of reading answers as a plain list would, wherever the run is.

#[cfg(test)]
use std::ops::Range;
use std::time::Duration;

use crate::lab::{Lab, eager, lab, small, values};
use crate::naive::{Naive, Stretch};
use futures_util::TryStreamExt;
use lucihub_models_core::{GapCause, LogLine, RunId, RunState, Series, StoreError, TimeBase};
use lucihub_store::record::End;
use lucihub_store::{KeeperOptions, Recorder, Source, Store};
use lucihub_testkit::FaultPlan;
use proptest::prelude::*;

/// Where a run is when it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Hot,
    /// The first part in cold storage alone, the second in hot storage alone.
    Joined,
    Archive,
}

const PLACES: [Place; 3] = [Place::Hot, Place::Joined, Place::Archive];

fn stretches(longest: u64) -> impl Strategy<Value = Vec<Stretch>> {
    let content = prop_oneof![
        4 => any::<u64>().prop_map(Ok),
        1 => Just(Err(GapCause::Device)),
        1 => Just(Err(GapCause::Overflow)),
    ];
    let one = (content, 1..longest).prop_map(|(content, length)| Stretch { content, length });
    proptest::collection::vec(one, 0..6)
}

fn ranges() -> impl Strategy<Value = Range<u64>> {
    // Edges of cells and summaries, and their neighbours, come often.
    let index = prop_oneof![0..9_000_u64, (0..9_u64, 0..3_u64).prop_map(|(k, d)| (k * 1_024 + d).saturating_sub(1))];
    prop_oneof![9 => (index.clone(), index).prop_map(|(a, b)| a.min(b)..a.max(b)), 1 => Just(0..u64::MAX), 1 => Just(Range { start: 9, end: 3 })]
}

async fn append(recorder: &Recorder, stretches: &[Stretch]) {
    for stretch in stretches {
        let at = recorder.next().sample(0);
        match (stretch.values(), &stretch.content) {
            (Some(values), _) => drop(recorder.samples(0, at, &values).await.unwrap()),
            (None, Err(cause)) => recorder.gap(0, at + stretch.length, cause.clone()).await.unwrap(),
            (None, Ok(_)) => unreachable!("samples have values"),
        }
        recorder.log(format!("{} more", stretch.length)).await.unwrap();
    }
    recorder.flush().await.unwrap();
}

/// A run with two parts in a place. The recorder keeps it alive.
async fn placed(lab: &Lab, parts: [&[Stretch]; 2], place: Place) -> (RunId, Recorder) {
    let run = small(&lab.store, 1).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    append(&recorder, parts[0]).await;
    if place == Place::Joined {
        lab.walk(eager()).await;
    }
    append(&recorder, parts[1]).await;
    if place == Place::Archive {
        recorder.finish(RunState::Failed, End::default()).await.unwrap();
        lab.walk(KeeperOptions::default().with_grace(Duration::ZERO)).await;
    }
    (run, recorder)
}

fn blocking(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_are_slices(a in stretches(2_500), b in stretches(2_500), ranges in proptest::collection::vec(ranges(), 12)) {
        blocking(async {
            for place in PLACES {
                let (lab, all) = (lab(), Naive::of(&[a.clone(), b.clone()].concat()));
                let (run, _recorder) = placed(&lab, [&a, &b], place).await;
                for range in &ranges {
                    let window = lab.store.window(run, 0, range.clone()).await.unwrap();
                    assert_eq!(window, all.slice(range), "{place:?} {range:?}");
                    let parts: Vec<Series> = lab.store.sample_stream(run, 0, range.clone()).try_collect().await.unwrap();
                    let mut joined = Series::starting_at(range.start.min(range.end).min(all.end()));
                    for part in &parts {
                        assert!((1..=8 * 1_024).contains(&(part.end - part.first)), "{place:?} {range:?}");
                        joined.append(part);
                    }
                    if range.start < range.end {
                        assert_eq!(joined, all.slice(range), "{place:?} {range:?}");
                    }
                }
                assert_eq!(lab.store.run(run).await.unwrap().series[0], all.slice(&(0..u64::MAX)));
            }
        });
    }

    #[test]
    fn envelopes_are_those_of_the_list(
        a in stretches(2_500),
        b in stretches(2_500),
        ranges in proptest::collection::vec(ranges(), 3),
        odd in 1..3_000_u64,
    ) {
        blocking(async {
            for place in PLACES {
                let (lab, all) = (lab(), Naive::of(&[a.clone(), b.clone()].concat()));
                let (run, _recorder) = placed(&lab, [&a, &b], place).await;
                for range in ranges.iter().filter(|range| range.start <= range.end).chain([&(0..u64::MAX)]) {
                    // From one bucket for all of it to one for each sample.
                    for most in [0, 1, 2, 3, 5, 9, 17, 40, 100, 700, odd, 20_000] {
                        let most_buckets = usize::try_from(most).unwrap();
                        let envelope = lab.store.envelope(run, 0, range.clone(), most_buckets).await.unwrap();
                        let expected = all.envelope(range, most);
                        assert_eq!(envelope, expected, "{place:?} {range:?} in {most}");
                    }
                }
            }
        });
    }

    #[test]
    fn lines_are_slices(first in 0..50_u64, second in 0..50_u64, ranges in proptest::collection::vec((0..110_u64, 0..110_u64), 12)) {
        blocking(async {
            for place in PLACES {
                let lab = lab();
                let run = small(&lab.store, 1).await.id;
                let recorder = lab.store.record(run, "worker").await.unwrap();
                let all: Vec<String> = (0..first + second).map(|n| format!("line {n}")).collect();
                let write = async |range: Range<u64>| {
                    for n in range {
                        recorder.line(LogLine::from(format!("line {n}"))).await.unwrap();
                    }
                    recorder.flush().await.unwrap();
                };
                write(0..first).await;
                if place == Place::Joined {
                    lab.walk(eager()).await;
                }
                write(first..first + second).await;
                if place == Place::Archive {
                    recorder.finish(RunState::Failed, End::default()).await.unwrap();
                    lab.walk(KeeperOptions::default().with_grace(Duration::ZERO)).await;
                }
                for (from, to) in ranges.iter().copied().chain([(0, u64::MAX)]) {
                    let slice = lab.store.lines(run, from..to).await.unwrap();
                    let end = to.min(first + second);
                    let from = from.min(end);
                    assert_eq!(slice.first, from);
                    let texts: Vec<String> = slice.lines.into_iter().map(|line| line.text).collect();
                    assert_eq!(texts, all[usize::try_from(from).unwrap()..usize::try_from(end).unwrap()]);
                }
            }
        });
    }
}

#[tokio::test]
async fn seconds_are_indices_of_the_time_base() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.samples(0, 0, &values(run, 0, 0..2_000)).await.unwrap();
    recorder.flush().await.unwrap();
    for (seconds, indices) in [
        (0.0..0.1, 0..1_000),
        (0.1..0.15, 1_000..1_500),
        (0.100_01..0.100_29, 1_001..1_003),
        (-5.0..0.000_1, 0..1),
        (0.19..f64::INFINITY, 1_900..2_000),
    ] {
        let (series, base) = lab.store.window_seconds(run, 0, seconds.clone()).await.unwrap();
        assert_eq!((series.first, series.end), (indices.start, indices.end), "{seconds:?}");
        assert_eq!(base, TimeBase::from_rate(10_000.0));
    }
    let mut head = crate::lab::small_head(2);
    head.time_base = None;
    lab.store.create(&head).await.unwrap();
    let error = lab.store.window_seconds(head.id, 0, 0.0..1.0).await.unwrap_err();
    assert!(matches!(error, StoreError::Precondition { .. }), "{error}");
}

#[tokio::test]
async fn a_snapshot_is_of_one_position_and_its_cursor_follows_from_there() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let _recorder = crate::lab::begin_small(&lab.store, run).await;
    let snapshot = lab.store.snapshot(run, 5, 10).await.unwrap();
    assert_eq!((snapshot.lines.first, snapshot.lines.end()), (14, 19));
    assert_eq!(snapshot.cursor.at, snapshot.status.positions);
    assert_eq!(snapshot.envelopes.len(), 2);
    assert!(snapshot.envelopes.iter().all(|envelope| envelope.end == 1_900 && envelope.buckets.len() <= 10));
    assert_eq!(snapshot.envelopes[1].gaps.len(), 1);
}

#[tokio::test]
async fn without_hot_storage_the_archive_is_readable_and_a_live_run_shows_its_checkpoint() {
    let lab = lab();
    let hot = FaultPlan::none();
    let cut_off: Store = lab.split(&hot, &FaultPlan::none());
    let run = small(&lab.store, 2).await.id;
    let recorder = crate::lab::begin_small(&lab.store, run).await;
    let before = lab.store.run(run).await.unwrap();
    lab.walk(eager()).await;
    crate::lab::record_some(&recorder, 2, 1_900..2_500, 150).await;
    recorder.flush().await.unwrap();
    hot.go_down();
    let status = cut_off.status(run).await.unwrap();
    assert_eq!((status.source, status.ended), (Source::Stale, false));
    assert_eq!(
        crate::lab::content(&cut_off.run(run).await.unwrap()),
        crate::lab::content(&before),
        "as at the checkpoint"
    );
    assert_eq!(cut_off.envelope(run, 0, 0..u64::MAX, 4).await.unwrap().end, 1_900);

    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    lab.walk(eager()).await;
    let (whole, _) = lab.archived(run).await;
    assert_eq!(cut_off.status(run).await.unwrap().source, Source::Archive);
    assert_eq!(cut_off.run(run).await.unwrap(), whole);
}
