//! Keepers that act on what they saw before another one was quicker.

use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::{RunState, StoreError};
use lucihub_store::record::End;
use lucihub_store::{Keeper, RecordOptions};
use lucihub_testkit::FaultPlan;

use crate::lab::{eager, lab, record_some, small, values};

/// Two keepers saw a run that was not archived, and find it in hot storage no more.
#[tokio::test]
async fn an_archived_run_is_no_half_deleted_one() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let plans = [FaultPlan::none(), FaultPlan::none()];
    let late = plans.clone().map(|plan| {
        plan.hold("hot.get");
        let keeper = Keeper::new(lab.faulty(&plan), eager());
        tokio::spawn(async move { keeper.walk().await.unwrap() })
    });
    for plan in &plans {
        plan.seen("hot.get", 1).await;
    }
    lab.store.cancel(run, None).await.unwrap();
    lab.walk(eager()).await;
    assert!(lab.hot.lose(run));
    for (plan, keeper) in plans.iter().zip(late) {
        plan.mend();
        let report = keeper.await.unwrap();
        assert!(report.errors.is_empty(), "{report:?}");
    }
    let stored = lab.cold.get(run).await.unwrap().expect("nobody has deleted it");
    assert!(stored.archived.is_some() && *stored.head.state() == RunState::Cancelled);
}

/// One keeper has read what hot storage then lost, and writes it after another one has looked.
#[tokio::test(start_paused = true)]
async fn what_was_written_meanwhile_is_not_lost_again() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let away = FaultPlan::none();
    away.go_down();
    let alone = lab.split(&FaultPlan::none(), &away);
    let first = alone.record(run, "worker").await.unwrap();
    first.state(RunState::InProgress).await.unwrap();
    record_some(&first, 1, 0..900, 100).await;
    first.flush().await.unwrap();
    // Another handle of the same worker, which has nothing left to refill with.
    let options = RecordOptions::default().with_writer(first.writer());
    drop(first);
    let again = alone.record_with(run, "worker", options).await.unwrap();

    let [early, late] = [FaultPlan::none(), FaultPlan::none()];
    let keepers = [&early, &late].map(|plan| {
        plan.hold("cold.checkpoint");
        Keeper::new(lab.faulty(plan), eager())
    });
    let [keeper, other] = keepers;
    let reading = tokio::spawn(async move { keeper.walk().await.unwrap() });
    early.seen("cold.checkpoint", 1).await;
    assert!(lab.hot.lose(run));
    record_some(&again, 1, 900..1_000, 100).await;
    again.flush().await.unwrap();
    let looking = tokio::spawn(async move { other.walk().await.unwrap() });
    late.seen("cold.checkpoint", 1).await;
    early.mend();
    reading.await.unwrap();
    late.mend();
    let errors = looking.await.unwrap().errors;
    assert!(matches!(&errors[..], [(_, StoreError::Precondition { .. })]), "{errors:?}");

    again.finish(RunState::Succeeded, End::default()).await.unwrap();
    lab.walk(eager()).await;
    let (whole, _) = lab.archived(run).await;
    assert!(whole.series[0].gaps.is_empty(), "{:?}", whole.series[0].gaps);
    assert_eq!(whole.series[0].values, values(run, 0, 0..1_000));
    assert!(!whole.logs.contains(&lucihub_models_core::LogLine::lost()));
}
