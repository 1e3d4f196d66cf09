//! Fault plans: what they count, and what each fault leaves behind.

use std::sync::Arc;

use lucihub_models_core::cold::{ColdRuns, Created};
use lucihub_models_core::hot::{HotRuns, Opened};
use lucihub_models_core::{Limits, StoreError};
use lucihub_testkit::models::run_head;
use lucihub_testkit::reference::cold::ReferenceCold;
use lucihub_testkit::reference::hot::ReferenceHot;
use lucihub_testkit::{FaultPlan, FaultyCold, FaultyHot, ManualClock};

fn stores(plan: &FaultPlan) -> (FaultyHot<ReferenceHot>, FaultyCold<ReferenceCold>) {
    let hot = ReferenceHot::new(Arc::new(ManualClock::new()), Limits::default());
    (
        FaultyHot::new(Arc::new(hot), plan.clone()),
        FaultyCold::new(Arc::new(ReferenceCold::new(Arc::new(ManualClock::new()))), plan.clone()),
    )
}

#[tokio::test]
async fn one_plan_counts_over_both_stores() {
    let plan = FaultPlan::none();
    let (hot, cold) = stores(&plan);
    let head = run_head(1);
    assert_eq!(cold.create(&head).await.unwrap(), Created::Created);
    assert_eq!(hot.open(&head).await.unwrap(), Opened::Created);
    assert!(hot.get(head.id).await.unwrap().is_some());
    assert_eq!((plan.operations(), plan.injected()), (3, 0));
    assert_eq!(plan.log(), ["cold.create", "hot.open", "hot.get"]);
}

#[tokio::test]
async fn a_failed_operation_was_not_applied() {
    let plan = FaultPlan::none().fail_nth(2);
    let (hot, cold) = stores(&plan);
    let head = run_head(1);
    cold.create(&head).await.unwrap();
    assert!(matches!(hot.open(&head).await, Err(StoreError::Unavailable { .. })));
    assert!(hot.get(head.id).await.unwrap().is_none());
    assert_eq!((plan.operations(), plan.injected()), (3, 1));
}

#[tokio::test]
async fn a_lost_answer_was_applied() {
    let plan = FaultPlan::none().lose_nth(1).lose_nth(2);
    let (_, cold) = stores(&plan);
    let head = run_head(1);
    assert!(matches!(cold.create(&head).await, Err(StoreError::Unknown { .. })));
    assert!(matches!(cold.get(head.id).await, Err(StoreError::Unavailable { .. })), "a read has nothing to apply");
    assert!(cold.get(head.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_that_is_down_comes_back() {
    let plan = FaultPlan::none().down(2..4);
    let (hot, _) = stores(&plan);
    let head = run_head(1);
    hot.open(&head).await.unwrap();
    for _ in 2..4 {
        assert!(hot.get(head.id).await.is_err());
    }
    assert!(hot.get(head.id).await.is_ok());
    plan.go_down();
    assert!(hot.get(head.id).await.is_err());
    plan.mend();
    assert!(hot.get(head.id).await.is_ok());
}
