//! Samples out of order, slow and failing stores, full queues: nothing twice,
//! nothing out of place, and every missing sample in a gap with its cause.

use std::time::Duration;

use lucihub_models_core::hot::HotRuns;
use lucihub_models_core::{Gap, GapCause, RunState, Series, WriterId};
use lucihub_store::record::{Arrival, End, OnFull};
use lucihub_store::{Keeper, KeeperOptions, RecordOptions};
use lucihub_testkit::{Dice, FaultPlan};
use proptest::prelude::*;

use crate::lab::{begin_small, clean_walk, eager, full_lab, lab, record_some, small, values};

/// A plan under which about one in `n` of many operations fails or loses its answer.
fn storm(seed: u64, n: u64) -> FaultPlan {
    let dice = Dice::new(seed);
    (1..3_000).fold(FaultPlan::none(), |plan, number| match (dice.one_in(n), dice.one_in(2)) {
        (false, _) => plan,
        (true, true) => plan.fail_nth(number),
        (true, false) => plan.lose_nth(number),
    })
}

fn paused(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_arrives_once_and_in_order_whatever_fails(seed in any::<u64>(), bytes in 1..800_usize) {
        paused(async {
            let lab = lab();
            let run = small(&lab.store, 2).await.id;
            let options = RecordOptions::default().with_batch(bytes, Duration::from_millis(5)).with_writer(WriterId::from_bits(9));
            let plan = storm(seed, 4);
            let store = lab.split(&plan, &FaultPlan::none());
            let recorder = loop {
                // A worker that could not take its run over tries again.
                if let Ok(recorder) = store.record_with(run, "worker", options.clone()).await {
                    break recorder;
                }
            };
            recorder.state(RunState::InProgress).await.unwrap();
            record_some(&recorder, 2, 0..3_000, 61).await;
            recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
            assert!(plan.injected() > 0);
            let whole = lab.store.run(run).await.unwrap();
            for (channel, series) in (0..).zip(&whole.series) {
                assert_eq!(series.values, values(run, channel, 0..3_000));
            }
            let texts: Vec<&str> = whole.logs.iter().map(|line| &*line.text).collect();
            let expected: Vec<String> = (1..=50).map(|n| format!("up to {}", (n * 61).min(3_000))).collect();
            assert_eq!(texts, expected);
        });
    }

    #[test]
    fn chunks_out_of_order_come_out_in_order(seed in any::<u64>(), window in 0..600_usize, lost in 0..4_u64) {
        paused(async {
            let lab = lab();
            let run = small(&lab.store, 1).await.id;
            let options = RecordOptions::default().with_reorder(window);
            let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
            let dice = Dice::new(seed);
            // Chunks of 50 samples, each moved back by up to five places, some never sent.
            let mut chunks: Vec<(u64, u64)> = (0..60).map(|n| (n + dice.below(6), n)).collect();
            chunks.sort_unstable();
            let missing: Vec<u64> = (0..lost).map(|_| dice.below(60)).collect();
            let mut late = 0;
            for (_, n) in chunks.into_iter().filter(|(_, n)| !missing.contains(n)) {
                let range = n * 50..n * 50 + 50;
                let arrival = recorder.samples(0, range.start, &values(run, 0, range)).await.unwrap();
                late += if arrival == Arrival::Late { 50 } else { 0 };
            }
            // A last one, so that every run ends at the same index.
            recorder.samples(0, 3_000, &values(run, 0, 3_000..3_010)).await.unwrap();
            recorder.finish(RunState::Failed, End::default()).await.unwrap();
            let series = lab.store.window(run, 0, 0..u64::MAX).await.unwrap();
            assert_eq!(series.end, 3_010);
            check_in_place(&series, &values(run, 0, 0..3_010));
            assert!(series.gaps.iter().all(|gap| gap.cause == GapCause::Device));
            let gone: u64 = series.gaps.iter().map(Gap::len).sum();
            let never = missing.iter().collect::<std::collections::BTreeSet<_>>().len() as u64 * 50;
            assert_eq!(recorder.stats().late_samples, late);
            assert_eq!(gone, never + late, "a sample is missing only if it never came, or came late");
            if window >= 300 {
                assert_eq!(late, 0, "the window holds all that overtook");
            }
        });
    }
}

/// Every sample that is there is the one that belongs there.
fn check_in_place(series: &Series, expected: &[f64]) {
    assert!(series.is_consistent());
    for (first, part) in series.segments() {
        let first = usize::try_from(first).unwrap();
        assert_eq!(part, &expected[first..first + part.len()]);
    }
}

#[tokio::test]
async fn what_waits_behind_a_declared_gap_follows_it_at_once() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    assert_eq!(recorder.samples(0, 10, &values(run, 0, 10..20)).await.unwrap(), Arrival::Waiting);
    assert_eq!(recorder.samples(0, 30, &values(run, 0, 30..40)).await.unwrap(), Arrival::Waiting);
    recorder.gap(0, 10, GapCause::Device).await.unwrap();
    assert_eq!(recorder.next().sample(0), 20);
    recorder.gap(0, 25, GapCause::Overflow).await.unwrap();
    assert_eq!(recorder.samples(0, 25, &values(run, 0, 25..30)).await.unwrap(), Arrival::InOrder);
    recorder.flush().await.unwrap();
    let series = lab.store.window(run, 0, 0..100).await.unwrap();
    assert_eq!(series.gaps, [Gap::new(0..10, GapCause::Device), Gap::new(20..25, GapCause::Overflow)]);
    assert_eq!(series.end, 40);
    check_in_place(&series, &values(run, 0, 0..40));
}

#[tokio::test]
async fn one_push_past_the_window_gives_up_as_much_as_the_window_demands() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = lab.store.record_with(run, "worker", RecordOptions::default().with_reorder(100)).await.unwrap();
    recorder.samples(0, 10, &values(run, 0, 10..20)).await.unwrap();
    recorder.samples(0, 30, &values(run, 0, 30..40)).await.unwrap();
    let arrival = recorder.samples(0, 500, &values(run, 0, 500..700)).await.unwrap();
    assert_eq!((arrival, recorder.next().sample(0)), (Arrival::InOrder, 700));
    assert_eq!(recorder.samples(0, 20, &values(run, 0, 20..30)).await.unwrap(), Arrival::Late);
    assert_eq!(recorder.stats().late_samples, 10);
}

#[tokio::test]
async fn the_end_of_a_run_brings_more_than_a_batch_that_waited() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = lab.store.record_with(run, "worker", RecordOptions::default().with_reorder(1 << 20)).await.unwrap();
    // 3.2 MB behind one missing sample; a batch has 2 MiB at most.
    for channel in 0..2 {
        recorder.samples(channel, 1, &values(run, channel, 1..200_000)).await.unwrap();
    }
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
    for channel in 0..2 {
        let series = lab.store.window(run, channel, 0..u64::MAX).await.unwrap();
        assert_eq!((series.end, series.gaps), (200_000, vec![Gap::new(0..1, GapCause::Device)]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_store_makes_gaps_where_the_caller_cannot_wait_and_goes_on_when_there_is_room() {
    let lab = full_lab(Some(40_000));
    let run = small(&lab.store, 2).await.id;
    let options = RecordOptions::default().with_queue(8_000, OnFull::Gap).with_batch(1_000, Duration::from_millis(5));
    let recorder = lab.store.record_with(run, "reads datagrams", options).await.unwrap();
    let keeper = Keeper::new(lab.store.clone(), eager());
    let push = async |range: std::ops::Range<u64>| {
        for first in range.step_by(50) {
            for channel in 0..2 {
                let samples = values(run, channel, first..first + 50);
                tokio::time::timeout(Duration::ZERO, recorder.samples(channel, first, &samples))
                    .await
                    .unwrap()
                    .unwrap();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    push(0..8_000).await;
    let lost = recorder.stats().overflow_samples;
    assert!(lost > 0, "40 kB do not hold 128 kB");
    while lab.hot.get(run).await.unwrap().unwrap().next != recorder.next() {
        clean_walk(&keeper).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    push(8_000..9_000).await;
    assert_eq!(recorder.stats().overflow_samples, lost, "there is room again");
    clean_walk(&keeper).await;
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
    let mut gone = 0;
    for channel in 0..2 {
        let series = lab.store.window(run, channel, 0..u64::MAX).await.unwrap();
        assert_eq!(series.end, 9_000);
        check_in_place(&series, &values(run, channel, 0..9_000));
        assert!(series.gaps.iter().all(|gap| gap.cause == GapCause::Overflow), "{:?}", series.gaps);
        gone += series.gaps.iter().map(Gap::len).sum::<u64>();
    }
    assert_eq!(gone, lost);
}

#[tokio::test(start_paused = true)]
async fn a_full_store_makes_a_patient_caller_wait_and_loses_nothing() {
    let lab = full_lab(Some(40_000));
    let run = small(&lab.store, 1).await.id;
    let options = RecordOptions::default().with_queue(8_000, OnFull::Wait).with_batch(1_000, Duration::from_millis(5));
    let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
    let recording = async {
        record_some(&recorder, 1, 0..20_000, 50).await;
        recorder.flush().await.unwrap();
    };
    tokio::pin!(recording);
    tokio::time::timeout(Duration::from_secs(60), &mut recording).await.expect_err("160 kB do not fit");
    let keeper = Keeper::new(lab.store.clone(), eager());
    let keeping = async {
        loop {
            clean_walk(&keeper).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = &mut recording => {}
        () = keeping => {}
    }
    let series = lab.store.window(run, 0, 0..u64::MAX).await.unwrap();
    assert_eq!((series.values, series.gaps), (values(run, 0, 0..20_000), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_long_costs_bounded_memory_where_the_caller_cannot_wait() {
    let lab = lab();
    let run = small(&lab.store, 4).await.id;
    let plan = FaultPlan::none();
    let options = RecordOptions::default().with_queue(50_000, OnFull::Gap).with_batch(4_000, Duration::from_millis(5));
    let recorder = lab.split(&plan, &FaultPlan::none()).record_with(run, "worker", options).await.unwrap();
    plan.go_down();
    for n in 0..20_000_u64 {
        for channel in 0..4 {
            recorder.samples(channel, n * 10, &[0.5; 10]).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    plan.mend();
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
    let batches = recorder.stats().batches;
    assert!(batches < 100, "200 s of nothing left {batches} batches");
    let series = lab.store.window(run, 3, 0..u64::MAX).await.unwrap();
    assert_eq!((series.end, series.gaps.len()), (200_000, 1), "{:?}", series.gaps);
}

/// What was acknowledged and is sent again takes nobody's place in the queue.
#[tokio::test(start_paused = true)]
async fn a_store_that_lost_its_run_costs_a_caller_that_cannot_wait_no_samples() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let plan = FaultPlan::none();
    let options = RecordOptions::default().with_queue(4_000, OnFull::Gap).with_batch(1_000, Duration::from_millis(5));
    let recorder = lab.faulty(&plan).record_with(run, "reads datagrams", options).await.unwrap();
    record_some(&recorder, 1, 0..10_000, 100).await;
    recorder.flush().await.unwrap();
    assert!(lab.hot.lose(run));
    record_some(&recorder, 1, 10_000..10_100, 100).await;
    plan.seen("hot.restore", 1).await;
    // 80 kB are on their way a second time, and the store takes none of them yet.
    plan.go_down();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(lab.hot.get(run).await.unwrap().unwrap().next.sample(0), 0);
    assert!(recorder.stats().waiting_bytes < 1_000, "{:?}", recorder.stats());
    record_some(&recorder, 1, 10_100..10_400, 100).await;
    plan.mend();
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
    assert_eq!(recorder.stats().waiting_bytes, 0);
    let series = lab.store.window(run, 0, 0..u64::MAX).await.unwrap();
    assert_eq!((series.gaps, series.values), (vec![], values(run, 0, 0..10_400)));
}

#[tokio::test(start_paused = true)]
async fn overflow_keeps_what_waited_and_names_the_right_cause() {
    let lab = full_lab(Some(3_000));
    let run = small(&lab.store, 1).await.id;
    let options = RecordOptions::default().with_queue(1_000, OnFull::Gap).with_batch(100, Duration::from_millis(1));
    let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
    let push =
        async |range: std::ops::Range<u64>| recorder.samples(0, range.start, &values(run, 0, range)).await.unwrap();
    push(100..110).await;
    push(130..140).await;
    // Another channel's worth of content fills the queue.
    for n in 0..60 {
        tokio::time::timeout(Duration::from_millis(1), recorder.log(format!("{n:0100}"))).await.ok();
    }
    push(90..100).await;
    push(150..160).await;
    let walk = async { while recorder.flush().await.is_err() {} };
    let keeper = Keeper::new(lab.store.clone(), eager());
    let keeping = async {
        loop {
            clean_walk(&keeper).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = walk => {}
        () = keeping => {}
    }
    clean_walk(&keeper).await;
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
    lab.walk(KeeperOptions::default()).await;
    let (whole, _) = lab.archived(run).await;
    let series = &whole.series[0];
    check_in_place(series, &values(run, 0, 0..160));
    assert_eq!(
        series.gaps,
        [
            Gap::new(0..90, GapCause::Device),
            Gap::new(90..100, GapCause::Overflow),
            Gap::new(110..130, GapCause::Device),
            Gap::new(140..150, GapCause::Device),
            Gap::new(150..160, GapCause::Overflow),
        ]
    );
    assert_eq!(recorder.stats().overflow_samples, 20);
}

/// An outage passes; a right that is missing does not, and the worker is told.
#[tokio::test(start_paused = true)]
async fn what_the_store_refuses_for_good_ends_the_recording_and_is_named() {
    let lab = lab();
    let plan = FaultPlan::none();
    let store = lab.split(&plan, &FaultPlan::none());
    let run = small(&store, 1).await.id;
    let options = RecordOptions::default().with_lease(Duration::from_secs(600));
    let recorder = store.record_with(run, "worker", options).await.unwrap();
    plan.go_down();
    recorder.log("kept through an outage of any length").await.unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    plan.mend();
    recorder.flush().await.unwrap();
    plan.refuse();
    recorder.log("kept for a while").await.unwrap();
    tokio::time::sleep(Duration::from_secs(50)).await;
    plan.mend();
    recorder.flush().await.unwrap();
    plan.refuse();
    recorder.log("never taken").await.unwrap();
    let error = recorder.flush().await.unwrap_err().to_string();
    assert!(error.contains("refused it for too long") && error.contains("a right is missing"), "{error}");
}

#[tokio::test]
async fn a_keeper_lets_go_of_what_an_earlier_one_confirmed() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let _recorder = begin_small(&lab.store, run).await;
    let patient = || KeeperOptions::default().with_checkpoint(Duration::ZERO, 0);
    lab.walk(patient()).await;
    let base = async || lab.hot.get(run).await.unwrap().unwrap().base;
    let next = Keeper::new(lab.store.clone(), patient());
    clean_walk(&next).await;
    assert_eq!(base().await.lines, 0, "it has just been seen");
    lab.clock.advance(Duration::from_secs(60));
    clean_walk(&next).await;
    assert_eq!((base().await.lines, base().await.samples), (19, vec![1_900, 1_900]));
}
