//! What hot storage lets go of: only what cold storage has, and has as hot storage has it.

use std::time::Duration;

use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdRuns, ColdSamples};
use lucihub_models_core::hot::HotRuns;
use lucihub_models_core::{Positions, RunId, RunState, StoreError};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, Recorder};
use lucihub_testkit::FaultPlan;

use crate::lab::{Lab, begin_small, begun, clean_walk, eager, lab, patient, record_some, small, small_head, values};

/// A keeper that trims nothing.
fn keeping() -> KeeperOptions {
    let mut options = eager();
    options.trim_fill = 2.0;
    options
}

async fn base(lab: &Lab, run: RunId) -> Positions {
    lab.hot.get(run).await.unwrap().unwrap().base
}

/// Cold storage out of a backup, or asked on a standby that is behind, has less than hot storage was told.
#[tokio::test]
async fn what_cold_storage_has_no_more_stays_in_hot_storage() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = begun(&lab, run, 900).await;
    lab.walk(keeping()).await;
    assert_eq!(lab.hot.get(run).await.unwrap().unwrap().confirmed.sample(0), 900);
    lab.cold.delete(run).await.unwrap();
    lab.cold.create(&small_head(1)).await.unwrap();

    let mut full = patient();
    full.trim_fill = 0.0;
    lab.walk(full).await;
    assert_eq!(base(&lab, run).await, Positions::default());
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    lab.walk(eager()).await;
    assert_eq!(lab.archived(run).await.0.series[0].values, values(run, 0, 0..900));
}

/// A run of 1,500 samples that is in cold storage, which hot storage lost; another worker, which cannot ask cold storage
/// how far that is, begins anew with other samples.
async fn begun_otherwise(lab: &Lab) -> (RunId, Recorder) {
    let run = small(&lab.store, 1).await.id;
    let recorder = begun(lab, run, 1_500).await;
    lab.walk(keeping()).await;
    drop(recorder);
    let options = lab.failed_over(run).await;
    let away = FaultPlan::none();
    away.go_down();
    let other = lab.split(&FaultPlan::none(), &away).record_with(run, "another", options).await.unwrap();
    (run, other)
}

async fn is_corrupt(keeper: &Keeper) -> bool {
    let errors = keeper.walk().await.unwrap().errors;
    match &errors[..] {
        [] => false,
        [(_, StoreError::Corrupt { .. })] => true,
        _ => panic!("{errors:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_confirmed_or_let_go_of_where_cold_storage_is_further() {
    let lab = lab();
    let (run, other) = begun_otherwise(&lab).await;
    other.samples(0, 0, &values(run, 1, 0..1_200)).await.unwrap();
    other.flush().await.unwrap();
    let keeper = Keeper::new(lab.store.clone(), eager());
    for _ in 0..3 {
        assert!(!is_corrupt(&keeper).await);
        let hot = lab.hot.get(run).await.unwrap().unwrap();
        assert_eq!((hot.confirmed.sample(0), hot.base.sample(0)), (0, 0), "what it has may be something else");
    }
    other.samples(0, 1_200, &values(run, 1, 1_200..1_600)).await.unwrap();
    other.finish(RunState::Succeeded, End::default()).await.unwrap();
    for _ in 0..3 {
        assert!(is_corrupt(&keeper).await, "the first cell is that of the first worker");
    }
    assert!(lab.store.status(run).await.unwrap().archived.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_cell_is_compared_before_hot_storage_lets_go_of_it() {
    let lab = lab();
    let (run, other) = begun_otherwise(&lab).await;
    other.samples(0, 0, &values(run, 1, 0..1_600)).await.unwrap();
    other.flush().await.unwrap();
    let keeper = Keeper::new(lab.store.clone(), eager());
    for _ in 0..3 {
        assert!(is_corrupt(&keeper).await);
        assert_eq!(base(&lab, run).await.sample(0), 0);
        lab.clock.advance(Duration::from_secs(1));
    }
    other.finish(RunState::Succeeded, End::default()).await.unwrap();
    assert!(is_corrupt(&keeper).await);
    assert!(lab.store.status(run).await.unwrap().archived.is_none());
}

/// The same samples again may be called safe, and make room.
#[tokio::test(start_paused = true)]
async fn what_agrees_with_cold_storage_that_is_further_is_let_go_of() {
    let lab = lab();
    let (run, other) = begun_otherwise(&lab).await;
    for at in (0..1_200).step_by(100) {
        other.samples(0, at, &values(run, 0, at..at + 100)).await.unwrap();
        other.flush().await.unwrap();
    }
    let keeper = Keeper::new(lab.store.clone(), eager());
    assert!(!is_corrupt(&keeper).await);
    assert!(!is_corrupt(&keeper).await);
    let hot = lab.hot.get(run).await.unwrap().unwrap();
    assert_eq!((hot.confirmed.sample(0), hot.base.sample(0)), (1_200, 1_200));
    other.samples(0, 1_200, &values(run, 1, 1_200..1_300)).await.unwrap();
    other.flush().await.unwrap();
    assert!(!is_corrupt(&keeper).await);
    assert_eq!(
        lab.hot.get(run).await.unwrap().unwrap().confirmed.sample(0),
        1_200,
        "from here on it is another content"
    );
}

/// A cell that is damaged in cold storage, and that hot storage has let go of, is no reason to keep what came after it.
#[tokio::test]
async fn what_is_damaged_in_cold_storage_alone_keeps_nothing_in_hot_storage() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    let keeper = Keeper::new(lab.store.clone(), eager());
    for _ in 0..2 {
        clean_walk(&keeper).await;
    }
    let before = base(&lab, run).await;
    assert!(before.sample(0) >= 1_024 && before.sample(1) >= 1_024);
    // The mutation of one who knows the reference store: the cell comes back otherwise than it was.
    let mut cell = lab.cold.sample_cells(run, 0, 0..1).await.unwrap().remove(0);
    cell.series.end += 1;
    cell.series.values.push(0.0);
    lab.cold.checkpoint(run, &Checkpoint { samples: vec![cell], ..Checkpoint::default() }).await.unwrap();
    record_some(&recorder, 2, 1_900..3_000, 100).await;
    recorder.flush().await.unwrap();
    let next = Keeper::new(lab.store.clone(), eager());
    for _ in 0..3 {
        assert!(matches!(next.walk().await.unwrap().errors[..], [] | [(_, StoreError::Corrupt { .. })]));
    }
    let after = base(&lab, run).await;
    assert!(after.sample(0) > before.sample(0) && after.sample(1) > before.sample(1), "{before:?} -> {after:?}");
}
