//! Recordings that outlast an outage, and those that have ended: nobody waits for ever.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::Durability;
use lucihub_models_core::{GapCause, Limits, RunState};
use lucihub_store::record::{End, Failure, OnFull};
use lucihub_store::{RecordError, RecordOptions, Store};
use lucihub_testkit::reference::cold::ReferenceCold;
use lucihub_testkit::reference::hot::ReferenceHot;
use lucihub_testkit::{FaultPlan, FaultyHot, ManualClock};

use crate::lab::{lab, small};

/// Longer than one gap may be.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_very_long_ends_no_recording() {
    let plan = FaultPlan::none();
    let mut limits = Limits::default();
    limits.gap = 1_000;
    let clock = Arc::new(ManualClock::default());
    let hot = Arc::new(FaultyHot::new(Arc::new(ReferenceHot::new(clock.clone(), limits.clone())), plan.clone()));
    let cold = Arc::new(ReferenceCold::new(clock.clone()));
    let store = Store::builder(hot, cold).clock(clock).limits(limits).build();
    let run = small(&store, 1).await.id;
    let options = RecordOptions::default().with_queue(2_000, OnFull::Gap).with_batch(1_000, Duration::from_millis(5));
    let recorder = store.record_with(run, "worker", options).await.unwrap();
    plan.go_down();
    for n in 0..600_u64 {
        recorder.samples(0, n * 10, &[0.5; 10]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    plan.mend();
    recorder.gap(0, 7_000, GapCause::Device).await.unwrap();
    recorder.gap(0, 8_000, GapCause::Device).await.unwrap();
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
    let series = store.window(run, 0, 0..u64::MAX).await.unwrap();
    let causes: Vec<_> = series.gaps.iter().map(|gap| &gap.cause).collect();
    assert_eq!((series.end, causes), (8_000, vec![&GapCause::Overflow, &GapCause::Device]), "{:?}", series.gaps);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_recorder_that_has_ended() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
    recorder.flush().await.unwrap();
    recorder.flush_as(Durability::Applied).await.unwrap();
    let closed =
        |ended: Result<(), RecordError>| matches!(ended, Err(RecordError::Failed { failure: Failure::Closed, .. }));
    let in_time = Duration::from_secs(60);
    assert!(closed(tokio::time::timeout(in_time, recorder.cancelled()).await.unwrap()));
    assert!(closed(Err(tokio::time::timeout(in_time, recorder.stopped()).await.unwrap())));
    // The end was taken by a failover, and nobody is there to send it again.
    assert!(lab.hot.lose(run));
    let secured = tokio::time::timeout(in_time, recorder.flush_as(Durability::Applied)).await.unwrap();
    assert!(closed(secured));
}

/// A process that stood still while another one went on under its writer id.
#[tokio::test(start_paused = true)]
async fn a_twin_that_was_left_behind_gives_up() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let plan = FaultPlan::none();
    let first = lab.split(&plan, &FaultPlan::none()).record(run, "worker").await.unwrap();
    plan.hold("hot.append");
    first.log("frozen").await.unwrap();
    let options = RecordOptions::default().with_writer(first.writer());
    let second = lab.store.record_with(run, "worker", options).await.unwrap();
    for n in 0..20 {
        second.log(format!("line {n}")).await.unwrap();
        second.flush().await.unwrap();
    }
    plan.mend();
    let given_up = tokio::time::timeout(Duration::from_secs(60), first.flush()).await.unwrap();
    assert!(matches!(given_up, Err(RecordError::Failed { failure: Failure::Conflict(1), .. })), "{given_up:?}");
    second.finish(RunState::Failed, End::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_room_takes_one_thing_at_a_time() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let options = RecordOptions::default().with_queue(0, OnFull::Wait);
    let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
    let recording = async {
        for n in 0..5 {
            recorder.log(format!("line {n}")).await.unwrap();
        }
        recorder.finish(RunState::Failed, End::default()).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(60), recording).await.unwrap();
    assert_eq!(lab.store.run(run).await.unwrap().logs.len(), 5);
}
