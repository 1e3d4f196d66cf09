//! Deleting, creating and cancelling while others are at work.

use std::time::Duration;

use lucihub_models_core::cold::{ColdRuns, Created};
use lucihub_models_core::hot::{Cancelled, HotRuns, Seal};
use lucihub_models_core::{RunState, StoreError};
use lucihub_store::record::Failure;
use lucihub_store::{Keeper, KeeperOptions, RecordError, Source};
use lucihub_testkit::FaultPlan;

use crate::lab::{begin_small, eager, end_small, lab, small};

#[tokio::test]
async fn deleting_a_live_run_is_refused_unless_forced_and_its_worker_learns_of_it() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    lab.clock.advance(Duration::from_secs(7));
    let refused = lab.store.delete(run, false).await.unwrap_err();
    assert!(matches!(refused, StoreError::Precondition { .. }), "{refused}");
    assert!(refused.to_string().contains("worker") && refused.to_string().contains("7.0 s"), "{refused}");

    assert!(lab.store.delete(run, true).await.unwrap());
    recorder.log("late").await.unwrap();
    let error = recorder.flush().await.unwrap_err();
    assert!(error.to_string().contains("it was deleted"), "{error}");
    lab.walk(eager()).await;
    assert!(matches!(lab.store.status(run).await, Err(StoreError::NotFound { .. })));
    assert!(lab.hot.get(run).await.unwrap().is_none() && lab.pending().await.is_empty());
    assert!(!lab.store.delete(run, false).await.unwrap(), "again: a success, and nothing to do");
}

#[tokio::test]
async fn a_deletion_that_stopped_half_way_is_completed_by_the_keeper() {
    for content in [false, true] {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        if content {
            drop(begin_small(&lab.store, run).await);
            lab.walk(eager()).await;
        }
        // The look, the removal from hot storage, and then this.
        let plan = FaultPlan::none().fail_nth(3);
        lab.faulty(&plan).delete(run, true).await.unwrap_err();
        assert!(lab.cold.get(run).await.unwrap().is_some());
        lab.walk(eager()).await;
        assert!(lab.cold.get(run).await.unwrap().is_none(), "with content: {content}");
        assert!(lab.hot.get(run).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_ended_run_whose_deletion_stopped_half_way_is_not_archived() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    // The keeper is killed before its commit, then the user deletes, and cold storage fails.
    let counted = FaultPlan::none();
    let commit = {
        let lab = crate::lab::lab();
        let run = small(&lab.store, 2).await.id;
        end_small(&begin_small(&lab.store, run).await).await;
        Keeper::new(lab.faulty(&counted), eager()).walk().await.unwrap();
        counted.log().iter().position(|name| name == "cold.commit").unwrap() as u64 + 1
    };
    let _killed = Keeper::new(lab.faulty(&FaultPlan::none().down(commit..u64::MAX)), eager()).walk().await;
    lab.faulty(&FaultPlan::none().fail_nth(3)).delete(run, false).await.unwrap_err();
    assert!(lab.cold.get(run).await.unwrap().unwrap().head.state().is_terminal());
    lab.walk(eager().with_lost_patience(Duration::ZERO)).await;
    assert!(lab.cold.get(run).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_deleted_while_it_is_archived_leaves_nothing_behind() {
    for delay in 0..60_u32 {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        end_small(&begin_small(&lab.store, run).await).await;
        let plan = FaultPlan::none();
        let keeper = Keeper::new(lab.faulty(&plan), eager());
        let walking = tokio::spawn(async move { keeper.walk().await });
        // The keeper's own operations are the clock of this race.
        while plan.operations() < u64::from(delay) && !walking.is_finished() {
            std::hint::spin_loop();
        }
        assert!(lab.store.delete(run, false).await.unwrap());
        let report = walking.await.unwrap().unwrap();
        assert!(report.errors.is_empty(), "a run that is gone is no error: {report:?}");
        lab.walk(eager()).await;
        assert!(lab.cold.get(run).await.unwrap().is_none() && lab.hot.get(run).await.unwrap().is_none());
        assert!(lab.pending().await.is_empty());
    }
}

#[tokio::test]
async fn a_deleted_run_is_not_created_again_under_its_id() {
    let lab = lab();
    let head = small(&lab.store, 2).await;
    lab.store.delete(head.id, false).await.unwrap();
    assert!(matches!(lab.store.create(&head).await, Err(StoreError::Precondition { .. })));
    assert!(lab.cold.get(head.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_run_created_while_hot_storage_was_away_is_opened_by_a_retry_or_a_keeper() {
    for by_keeper in [false, true] {
        let lab = lab();
        let head = crate::lab::small_head(2);
        let error = lab.faulty(&FaultPlan::none().fail_nth(2)).create(&head).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        let status = lab.store.status(head.id).await.unwrap();
        assert_eq!((status.source, status.head.state()), (Source::Checkpoint, &RunState::Queued));
        assert!(matches!(lab.store.record(head.id, "worker").await, Err(RecordError::NoRun(_))));
        if by_keeper {
            assert_eq!(lab.walk(KeeperOptions::default()).await.opened, 1);
        } else {
            assert_eq!(lab.store.create(&head).await.unwrap(), Created::Existing);
        }
        assert_eq!(lab.store.status(head.id).await.unwrap().source, Source::Live);
        end_small(&begin_small(&lab.store, head.id).await).await;
    }
}

#[tokio::test]
async fn a_run_created_while_hot_storage_was_away_can_be_cancelled() {
    let lab = lab();
    let head = crate::lab::small_head(2);
    lab.faulty(&FaultPlan::none().fail_nth(2)).create(&head).await.unwrap_err();
    assert_eq!(lab.store.cancel(head.id, None).await.unwrap(), Cancelled::Cancelled);
    lab.walk(KeeperOptions::default()).await;
    assert_eq!(lab.store.cancel(head.id, None).await.unwrap(), Cancelled::Cancelled, "asking again answers the same");
}

#[tokio::test]
async fn creating_a_run_again_does_not_raise_it_after_its_end() {
    let lab = lab();
    let head = small(&lab.store, 2).await;
    end_small(&begin_small(&lab.store, head.id).await).await;
    assert_eq!(lab.store.create(&head).await.unwrap(), Created::Existing);
    lab.walk(KeeperOptions::default().with_grace(Duration::ZERO)).await;
    assert!(lab.hot.get(head.id).await.unwrap().is_none());
    assert_eq!(lab.store.create(&head).await.unwrap(), Created::Existing);
    assert!(lab.hot.get(head.id).await.unwrap().is_none());
    let mut other = head.clone();
    other.k0 = Some(7);
    assert!(matches!(lab.store.create(&other).await, Err(StoreError::AlreadyExists { .. })));
    assert_eq!(lab.store.cancel(head.id, None).await.unwrap(), Cancelled::Ended(RunState::Succeeded));
}

#[tokio::test]
async fn a_run_that_left_hot_storage_is_not_recorded_again() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    lab.walk(KeeperOptions::default().with_grace(Duration::ZERO)).await;
    assert!(lab.hot.get(run).await.unwrap().is_none());
    let error = lab.store.record(run, "worker").await.unwrap_err();
    assert!(error.to_string().ends_with("has ended as succeeded"), "{error}");
    let failure = Failure::Sealed(Seal::Ended(RunState::Succeeded));
    assert!(matches!(error, RecordError::Failed { failure: found, .. } if found == failure));
}

#[tokio::test]
async fn a_late_append_meets_the_seal() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    end_small(&recorder).await;
    let error = recorder.log("late").await.unwrap_err();
    assert!(matches!(error, RecordError::Failed { failure: Failure::Closed, .. }), "{error}");
    let error = lab.store.record(run, "another").await.unwrap_err();
    assert!(error.to_string().contains("ended as succeeded"), "{error}");
    lab.walk(KeeperOptions::default()).await;
    assert_eq!(lab.archived(run).await.0.logs.len(), 33);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_take_over_and_cancel_exactly_one_wins() {
    for _ in 0..200 {
        let lab = lab();
        let run = small(&lab.store, 1).await.id;
        let barrier = tokio::sync::Barrier::new(2);
        let (taken, cancelled) = tokio::join!(
            async {
                barrier.wait().await;
                lab.store.record(run, "worker").await
            },
            async {
                barrier.wait().await;
                lab.store.cancel(run, None).await.unwrap()
            }
        );
        match (taken, cancelled) {
            (Ok(_), Cancelled::Requested) | (Err(RecordError::Cancelled(_)), Cancelled::Cancelled) => {}
            other => panic!("{other:?}"),
        }
    }
}
