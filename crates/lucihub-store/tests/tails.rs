//! Cells that are encoded while they grow: fewer bytes are left for the end, and what comes out is the same.

use std::time::Duration;

use lucihub_models_core::{GapCause, Grid, Run, RunId, RunState};
use lucihub_store::record::End;
use lucihub_store::{Keeper, Recorder};
use lucihub_testkit::FaultPlan;

use crate::lab::{Lab, clean_walk, eager, lab, patient, record_some, small, small_head, values};

/// A run of two channels in cells of four parts.
async fn grown(lab: &Lab) -> RunId {
    let mut head = small_head(2);
    head.grid = Grid { samples: 4_096, lines: 16 };
    lab.store.create(&head).await.unwrap();
    head.id
}

/// Its first 7,500 samples, with a gap over the edge of a part on channel 1.
async fn begin(lab: &Lab, run: RunId) -> Recorder {
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 2, 0..6_000, 100).await;
    recorder.gap(1, 6_500, GapCause::Device).await.unwrap();
    recorder.samples(1, 6_500, &values(run, 1, 6_500..7_500)).await.unwrap();
    record_some(&recorder, 1, 6_000..7_500, 100).await;
    recorder.flush().await.unwrap();
    recorder
}

async fn end(recorder: &Recorder) {
    record_some(recorder, 2, 7_500..7_700, 100).await;
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
}

fn begun(plan: &FaultPlan) -> usize {
    plan.log().iter().filter(|name| *name == "cold.begin_cell").count()
}

/// What comes out of a run where nothing was encoded ahead.
async fn plain(lab: &Lab) -> Run {
    let run = grown(lab).await;
    let keeper = Keeper::new(lab.store.clone(), patient().with_ahead_bytes(0));
    let recorder = begin(lab, run).await;
    clean_walk(&keeper).await;
    end(&recorder).await;
    clean_walk(&keeper).await;
    lab.archived(run).await.0
}

#[tokio::test]
async fn parts_are_encoded_once_and_before_the_end() {
    let lab = lab();
    let expected = plain(&lab).await;
    let lab = self::lab();
    let plan = FaultPlan::none();
    let run = grown(&lab).await;
    let keeper = Keeper::new(lab.faulty(&plan), patient());
    let recorder = begin(&lab, run).await;
    clean_walk(&keeper).await;
    assert_eq!(begun(&plan), 4, "of each channel the first cell, and three parts of the second, read together");
    clean_walk(&keeper).await;
    assert_eq!(begun(&plan), 4, "nothing more is complete");
    end(&recorder).await;
    clean_walk(&keeper).await;
    assert_eq!(begun(&plan), 6, "what comes after the last part is all that is left");
    let (whole, _) = lab.archived(run).await;
    assert_eq!((whole.series, whole.logs.len()), (expected.series, expected.logs.len()));
}

#[tokio::test]
async fn what_finds_no_room_is_encoded_with_its_cell() {
    let lab = lab();
    let plan = FaultPlan::none();
    let run = grown(&lab).await;
    // Room for less than one part: each look begins one channel, if none is begun.
    let keeper = Keeper::new(lab.faulty(&plan), patient().with_ahead_bytes(1));
    let recorder = begin(&lab, run).await;
    clean_walk(&keeper).await;
    record_some(&recorder, 2, 7_500..12_100, 100).await;
    recorder.flush().await.unwrap();
    clean_walk(&keeper).await;
    let before = begun(&plan);
    record_some(&recorder, 2, 12_100..12_200, 100).await;
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    clean_walk(&keeper).await;
    // First a cell of each channel, and parts of one; then the next cell of each, and again parts of one; then the rests.
    assert_eq!((before, begun(&plan)), (6, 8), "a cell that is written makes room for the next one");
    lab.archived(run).await;
}

#[tokio::test]
async fn many_channels_that_are_begun_in_one_look_are_bounded_too() {
    let lab = lab();
    let plan = FaultPlan::none();
    let mut head = small_head(16);
    head.grid = Grid { samples: 4_096, lines: 1_024 };
    lab.store.create(&head).await.unwrap();
    let recorder = lab.store.record(head.id, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 16, 0..3_100, 100).await;
    recorder.flush().await.unwrap();
    clean_walk(&Keeper::new(lab.faulty(&plan), patient().with_ahead_bytes(1))).await;
    assert_eq!(begun(&plan), 1, "the first one takes all the room that there is");
}

#[tokio::test]
async fn a_checkpoint_before_the_end_takes_what_was_encoded() {
    let lab = lab();
    let run = grown(&lab).await;
    let keeper = Keeper::new(lab.store.clone(), patient());
    let hasty = Keeper::new(lab.store.clone(), patient().with_checkpoint(Duration::ZERO, 0));
    let recorder = begin(&lab, run).await;
    for (from, to) in [(7_500, 7_600), (7_600, 9_000), (9_000, 9_400)] {
        clean_walk(&keeper).await;
        clean_walk(&hasty).await;
        record_some(&recorder, 2, from..to, 100).await;
        recorder.flush().await.unwrap();
    }
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    clean_walk(&hasty).await;
    lab.archived(run).await;
}

#[tokio::test]
async fn a_keeper_that_is_stopped_anywhere_leaves_the_same() {
    let expected = plain(&lab()).await;
    let stopped = async |plan: FaultPlan| {
        let lab = lab();
        let run = grown(&lab).await;
        let keeper = Keeper::new(lab.faulty(&plan), patient());
        let recorder = begin(&lab, run).await;
        let _stopped = keeper.walk().await;
        let _stopped = keeper.walk().await;
        end(&recorder).await;
        let _stopped = keeper.walk().await;
        lab.walk(patient()).await;
        assert_eq!(lab.archived(run).await.0.series, expected.series, "{:?}", plan.log().last());
        plan.operations()
    };
    let count = stopped(FaultPlan::none()).await;
    for n in 1..=count {
        stopped(FaultPlan::none().down(n..u64::MAX)).await;
        stopped(FaultPlan::none().fail_nth(n)).await;
        stopped(FaultPlan::none().lose_nth(n)).await;
    }
}

#[tokio::test]
async fn what_another_writer_wrote_anew_is_read_anew() {
    let lab = lab();
    let run = grown(&lab).await;
    let keeper = Keeper::new(lab.store.clone(), patient());
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 1, 0..3_500, 100).await;
    recorder.flush().await.unwrap();
    clean_walk(&keeper).await;
    // A failover, after which hot storage knows nothing of what was encoded.
    drop(recorder);
    let options = lab.failed_over(run).await;
    let other = lab.store.record_with(run, "another", options).await.unwrap();
    let anew = values(run, 1, 0..3_500);
    other.samples(0, 0, &anew).await.unwrap();
    other.finish(RunState::Succeeded, End::default()).await.unwrap();
    clean_walk(&keeper).await;
    assert_eq!(lab.archived(run).await.0.series[0].values, anew);
}

/// A long gap has no samples, and yet a row and a summary for each of its cells.
#[tokio::test]
async fn cells_without_a_sample_count_in_a_transaction() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = crate::lab::begun(&lab, run, 100).await;
    recorder.gap(0, 40 * 1_024, GapCause::Device).await.unwrap();
    recorder.flush().await.unwrap();
    let plan = FaultPlan::none();
    clean_walk(&Keeper::new(lab.faulty(&plan), eager())).await;
    let transactions = plan.log().iter().filter(|call| *call == "cold.checkpoint").count();
    assert!((3..=10).contains(&transactions), "{transactions} for 40 cells, 4 KiB each");
}
