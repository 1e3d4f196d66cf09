//! What hot storage lets go of: only what cold storage has, and has as hot storage has it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[cfg(test)]
mod lab;

use std::time::Duration;

use lab::{Lab, begun, eager, lab, patient, small, small_head, values};
use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::hot::HotRuns;
use lucihub_models_core::{Positions, RunId, RunState, StoreError};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, Recorder};
use lucihub_testkit::FaultPlan;

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
