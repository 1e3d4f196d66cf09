//! Retention: which archived runs go, and that nothing else does.

use std::time::Duration;

use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::{RunId, RunState};
use lucihub_store::KeeperOptions;
use lucihub_store::maintain::{KeepRule, Retention};
use lucihub_testkit::{FaultPlan, models};

use crate::lab::{Lab, eager, lab, record_whole, small};

const DAY: Duration = Duration::from_secs(86_400);

fn keep(rules: &[(RunState, Duration)]) -> Retention {
    let rule = |(state, age): &(RunState, Duration)| KeepRule::new(state.clone(), *age).unwrap();
    rules.iter().map(rule).try_fold(Retention::default(), Retention::with).unwrap()
}

/// A run that has succeeded, and one that was cancelled, both archived now.
async fn two_archived(lab: &Lab) -> (RunId, RunId) {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut head = crate::lab::small_head(1);
        head.id = lab.store.new_run(head.job_type.clone()).id;
        head.created_at = lab.store.now();
        lab.store.create(&head).await.unwrap();
        ids.push(head);
    }
    record_whole(&lab.store, &ids[0], 1_500).await;
    lab.store.cancel(ids[1].id, Some("not wanted")).await.unwrap();
    lab.walk(eager()).await;
    assert!(lab.store.status(ids[1].id).await.unwrap().archived.is_some());
    (ids[0].id, ids[1].id)
}

#[tokio::test]
async fn runs_go_by_state_and_age() {
    let lab = lab();
    let (succeeded, cancelled) = two_archived(&lab).await;
    lab.clock.advance(10 * DAY);
    let (young, _) = two_archived(&lab).await;
    lab.clock.advance(DAY);
    let open = small(&lab.store, 1).await.id;

    let rules = keep(&[(RunState::Succeeded, 90 * DAY), (RunState::Cancelled, 7 * DAY)]);
    let counted = lab.store.expired(&rules).await.unwrap();
    assert_eq!(counted.iter().map(|of| (of.found, of.deleted)).collect::<Vec<_>>(), [(0, 0), (1, 0)]);
    assert!(lab.cold.get(cancelled).await.unwrap().is_some(), "counting deletes nothing");

    let deleted = lab.store.delete_expired(&rules, |_| ()).await.unwrap();
    assert_eq!(deleted.iter().map(|of| (of.found, of.deleted, of.failed)).collect::<Vec<_>>(), [(0, 0, 0), (1, 1, 0)]);
    assert!(lab.cold.get(cancelled).await.unwrap().is_none());
    assert!(lab.cold.get(succeeded).await.unwrap().is_some());

    let all = keep(&[
        (RunState::Succeeded, 5 * DAY),
        (RunState::Failed, Duration::ZERO),
        (RunState::Cancelled, Duration::ZERO),
    ]);
    let mut seen = 0;
    let deleted = lab.store.delete_expired(&all, |_| seen += 1).await.unwrap();
    assert_eq!(deleted.iter().map(|of| of.deleted).collect::<Vec<_>>(), [1, 0, 1]);
    assert_eq!(seen, 2);
    assert!(lab.cold.get(succeeded).await.unwrap().is_none());
    assert!(lab.cold.get(young).await.unwrap().is_some(), "it is not old enough");
    assert!(lab.cold.get(open).await.unwrap().is_some(), "an open run stays whatever its age");
    assert!(lab.store.expired(&Retention::default()).await.unwrap().is_empty(), "without a rule nothing goes");
}

#[tokio::test]
async fn an_ended_run_that_is_not_archived_stays() {
    let lab = lab();
    let head = small(&lab.store, 1).await;
    lab.store.cancel(head.id, None).await.unwrap();
    // Its end is mirrored, and the keeper is stopped before the commit.
    let plan = FaultPlan::none();
    let mut mirrored = lucihub_models_core::hot::HotRuns::get(&*lab.hot, head.id).await.unwrap().unwrap().head;
    std::sync::Arc::make_mut(&mut mirrored).labels.clear();
    lucihub_models_core::cold::ColdArchive::mirror(&*lab.cold, &mirrored).await.unwrap();
    lab.clock.advance(DAY);
    let rules = keep(&[(RunState::Cancelled, Duration::ZERO)]);
    assert_eq!(lab.faulty(&plan).expired(&rules).await.unwrap()[0].found, 0);
    lab.walk(KeeperOptions::default()).await;
    assert_eq!(lab.store.expired(&rules).await.unwrap()[0].found, 1);
}

#[tokio::test]
async fn more_than_a_page_goes_and_what_failed_is_gone_on_with() {
    let lab = lab();
    for _ in 0..450 {
        let mut head = models::run_head(1);
        head.id = lab.store.new_run(head.job_type.clone()).id;
        head.created_at = lab.store.now();
        lab.store.create(&head).await.unwrap();
        lab.store.cancel(head.id, None).await.unwrap();
    }
    lab.walk(KeeperOptions::default()).await;
    lab.clock.advance(DAY);
    let rules = keep(&[(RunState::Cancelled, Duration::from_secs(60))]);
    // Each deletion is four operations; the page before it is one.
    let stopped = lab.faulty(&FaultPlan::none().down(100..u64::MAX)).delete_expired(&rules, |_| ()).await;
    assert!(stopped.is_err(), "the next page could not be read");
    let left = lab.store.expired(&rules).await.unwrap()[0].found;
    assert!((1..450).contains(&left), "{left}");
    let deleted = lab.store.delete_expired(&rules, |_| ()).await.unwrap();
    assert_eq!((deleted[0].deleted, deleted[0].failed), (left, 0));
    assert_eq!(lab.store.expired(&rules).await.unwrap()[0].found, 0);
}

#[test]
fn no_rule_is_about_open_runs_and_no_state_has_two() {
    assert!(KeepRule::new(RunState::Queued, DAY).is_err() && KeepRule::new(RunState::InProgress, DAY).is_err());
    assert!(KeepRule::new(RunState::from("calibrating"), DAY).is_err());
    let twice = keep(&[(RunState::Failed, DAY)]).with(KeepRule::new(RunState::Failed, 2 * DAY).unwrap());
    assert!(twice.is_err());
}
