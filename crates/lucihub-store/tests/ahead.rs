//! Ahead of the end: complete cells are written and read back before a run ends, and what was read back is forgotten when
//! hot storage went back to an older copy.

use std::time::Duration;

use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::{Positions, RunState, StoreError};
use lucihub_store::Keeper;
use lucihub_store::record::End;
use lucihub_testkit::FaultPlan;

use crate::lab::{begin_small, begun, clean_walk, end_small, lab, patient, record_some, small, values};

#[tokio::test]
async fn complete_cells_are_written_before_their_time() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let keeper = Keeper::new(lab.store.clone(), patient());
    let recorder = begin_small(&lab.store, run).await;
    assert_eq!(clean_walk(&keeper).await.checkpoints, 1);
    let expected = Positions { states: 2, lines: 16, samples: vec![1_024, 1_024], ..Positions::default() };
    assert_eq!(lab.cold.get(run).await.unwrap().unwrap().positions, expected, "cells of 1,024 samples and 16 lines");
    assert_eq!(lab.store.hot().get(run).await.unwrap().unwrap().confirmed, expected, "and hot storage knows");
    assert_eq!(clean_walk(&keeper).await.checkpoints, 0, "nothing more is complete");
    end_small(&recorder).await;
    clean_walk(&keeper).await;
    lab.archived(run).await;
}

#[tokio::test]
async fn what_was_read_back_is_not_read_again() {
    let lab = lab();
    let plan = FaultPlan::none();
    let run = small(&lab.store, 2).await.id;
    let keeper = Keeper::new(lab.faulty(&plan), patient());
    let recorder = begin_small(&lab.store, run).await;
    record_some(&recorder, 2, 1_900..4_000, 150).await;
    recorder.flush().await.unwrap();
    clean_walk(&keeper).await;
    let count = |name: &str| plan.log().iter().filter(|done| *done == name).count();
    let before = count("cold.gives_back");
    assert!(before > 0, "three complete cells of each channel");
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    clean_walk(&keeper).await;
    assert_eq!(count("cold.gives_back") - before, 1, "the tails of two channels");
    assert_eq!(count("cold.sample_cells"), 0, "what came back byte for byte is not decoded");
    lab.archived(run).await;
}

#[tokio::test]
async fn what_another_keeper_wrote_is_decoded() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    record_some(&recorder, 2, 1_900..4_000, 150).await;
    recorder.flush().await.unwrap();
    clean_walk(&Keeper::new(lab.store.clone(), patient())).await;
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    let plan = FaultPlan::none();
    clean_walk(&Keeper::new(lab.faulty(&plan), patient())).await;
    let decoded = plan.log().iter().filter(|done| *done == "cold.sample_cells").count();
    assert_eq!(decoded, 6, "three complete cells of each channel, and none of the tails");
    lab.archived(run).await;
}

#[tokio::test(start_paused = true)]
async fn another_content_after_an_older_copy_is_noticed() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let keeper = Keeper::new(lab.store.clone(), patient());
    let recorder = begun(&lab, run, 1_500).await;
    clean_walk(&keeper).await;
    // A failover, after which hot storage knows neither of the cell nor of its being confirmed.
    drop(recorder);
    let options = lab.failed_over(run).await;
    // It cannot ask cold storage how far that is.
    let away = FaultPlan::none();
    away.go_down();
    let other = lab.split(&FaultPlan::none(), &away).record_with(run, "another", options).await.unwrap();
    other.samples(0, 0, &values(run, 1, 0..1_500)).await.unwrap();
    other.finish(RunState::Succeeded, End::default()).await.unwrap();
    let errors = keeper.walk().await.unwrap().errors;
    assert!(matches!(&errors[..], [(_, StoreError::Corrupt { .. })]), "{errors:?}");
}

/// As above, but cold storage comes back: who takes over asks again, and does not write anew what that has.
#[tokio::test(start_paused = true)]
async fn cold_storage_that_is_away_for_a_moment_is_asked_again() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = begun(&lab, run, 1_500).await;
    clean_walk(&Keeper::new(lab.store.clone(), patient())).await;
    drop(recorder);
    let options = lab.failed_over(run).await;
    let away = FaultPlan::none();
    away.go_down();
    let store = lab.split(&FaultPlan::none(), &away);
    let comes_back = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        away.mend();
    };
    let (other, ()) = tokio::join!(store.record_with(run, "another", options), comes_back);
    let other = other.unwrap();
    assert_eq!(other.next().sample(0), 1_024, "the cell that cold storage has");
    record_some(&other, 1, 1_024..2_000, 100).await;
    other.finish(RunState::Succeeded, End::default()).await.unwrap();
    clean_walk(&Keeper::new(lab.store.clone(), patient())).await;
    lab.archived(run).await;
}

#[tokio::test(start_paused = true)]
async fn a_cell_is_written_as_soon_as_it_is_complete() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = begun(&lab, run, 100).await;
    let keeper = Keeper::new(lab.store.clone(), patient().with_walk(Duration::from_secs(1)));
    let working = async {
        // The first walk has come.
        tokio::time::sleep(Duration::from_millis(50)).await;
        record_some(&recorder, 1, 100..1_100, 1_000).await;
        recorder.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let mut checkpoints = 0;
    keeper.watch(working, |report| checkpoints += report.unwrap().checkpoints).await;
    assert_eq!(checkpoints, 1, "long before the next walk");
}
