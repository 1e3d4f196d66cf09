//! Sweeping: what is found, what is left alone, and what removing does.

use std::time::Duration;

use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::hot::{HotAppend, HotRuns, Restore};
use lucihub_models_core::{RunState, StoreError, WriterMark};
use lucihub_store::maintain::{Remove, SweepOptions, SweptKind};
use lucihub_store::{Keeper, KeeperOptions};
use lucihub_testkit::FaultPlan;

use crate::lab::{begin_small, content, eager, end_small, lab, small, small_head};

const HOUR: Duration = Duration::from_secs(3_600);

fn removing(remove: Remove) -> SweepOptions {
    let mut options = SweepOptions::default();
    options.remove = remove;
    options
}

#[tokio::test]
async fn an_orphan_is_found_once_it_has_settled_and_removed_on_request() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    lab.cold.delete(run).await.unwrap();
    let young = lab.store.sweep(&SweepOptions::default()).await.unwrap();
    assert_eq!((young.hot_runs, young.orphans.found), (1, 0), "its creation may not be over");

    lab.clock.advance(2 * HOUR);
    let looked = lab.store.sweep(&SweepOptions::default()).await.unwrap();
    assert_eq!((looked.orphans.found, looked.orphans.settled), (1, 0));
    assert_eq!((looked.runs[0].run, looked.runs[0].kind), (run, SweptKind::Orphan));
    assert!(lab.hot.get(run).await.unwrap().is_some(), "a look removes nothing");
    let other = lab.store.sweep(&removing(Remove::default().queued())).await.unwrap();
    assert_eq!((other.orphans.found, other.orphans.settled), (1, 0), "only what was asked for");

    let swept = lab.store.sweep(&removing(Remove::default().orphans())).await.unwrap();
    assert_eq!(swept.orphans.settled, 1);
    assert!(lab.hot.get(run).await.unwrap().is_none());
    let head = small_head(2);
    assert_eq!(head.id, run);
    lab.store.create(&head).await.unwrap();
    assert!(lab.hot.get(run).await.unwrap().is_some(), "no tombstone keeps it away");
}

#[tokio::test]
async fn a_held_orphan_stays_unless_forced() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    lab.cold.delete(run).await.unwrap();
    let mut options = removing(Remove::default().orphans());
    options.settled_for = Duration::ZERO;
    let swept = lab.store.sweep(&options).await.unwrap();
    assert_eq!((swept.orphans.found, swept.orphans.settled), (1, 0));
    assert_eq!(swept.runs[0].held_by.as_deref(), Some("worker"));
    assert!(matches!(swept.runs[0].why, Some(StoreError::Precondition { .. })), "{:?}", swept.runs[0]);
    assert!(lab.hot.get(run).await.unwrap().is_some());
    options.force = true;
    assert_eq!(lab.store.sweep(&options).await.unwrap().orphans.settled, 1);
    assert!(lab.hot.get(run).await.unwrap().is_none());
    drop(recorder);
}

#[tokio::test]
async fn an_orphan_whose_row_comes_back_is_left_alone() {
    let lab = lab();
    let head = small(&lab.store, 2).await;
    lab.clock.advance(2 * HOUR);
    let swept = lab.store.sweep(&removing(Remove::default().orphans())).await.unwrap();
    assert_eq!((swept.orphans.found, swept.open_runs), (0, 1));
    assert!(lab.hot.get(head.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lost_row_is_created_anew_and_the_run_archived_whole() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    let expected = lab.store.run(run).await.unwrap();
    lab.cold.delete(run).await.unwrap();
    lab.clock.advance(2 * HOUR);
    let mut options = SweepOptions::default();
    options.restore = true;
    let swept = lab.store.sweep(&options).await.unwrap();
    assert_eq!((swept.orphans.found, swept.orphans.settled), (1, 1), "{swept:?}");
    lab.walk(eager()).await;
    let (archived, _) = lab.archived(run).await;
    assert_eq!(content(&archived), content(&expected));
    assert_eq!(archived.head.states, expected.head.states);
}

#[tokio::test]
async fn a_row_is_not_created_anew_where_a_part_was_in_cold_storage_alone() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    let trimming = Keeper::new(lab.store.clone(), eager());
    for _ in 0..3 {
        crate::lab::clean_walk(&trimming).await;
    }
    end_small(&recorder).await;
    assert!(lab.hot.get(run).await.unwrap().unwrap().base.lines > 0, "some has left");
    lab.cold.delete(run).await.unwrap();
    lab.clock.advance(2 * HOUR);
    let mut options = SweepOptions::default();
    options.restore = true;
    let swept = lab.store.sweep(&options).await.unwrap();
    assert_eq!((swept.orphans.found, swept.orphans.settled), (1, 0));
    assert!(swept.runs[0].why.as_ref().unwrap().to_string().contains("cold storage alone"));
    assert!(lab.cold.get(run).await.unwrap().is_none());
}

#[tokio::test]
async fn a_run_queued_for_too_long_is_cancelled_and_archived_as_that() {
    let lab = lab();
    let (waits, taken) = (small_head(1), small_head(2));
    let mut waits = waits;
    waits.id = lab.store.new_run(waits.job_type.clone()).id;
    for head in [&mut waits.clone(), &mut taken.clone()] {
        head.created_at = lab.store.now();
        lab.store.create(head).await.unwrap();
    }
    let recorder = begin_small(&lab.store, taken.id).await;
    // The mirror does not know yet that the other one has begun.
    lab.clock.advance(Duration::from_secs(30));
    let mut options = removing(Remove::default().queued());
    options.queued_for = Duration::from_secs(60);
    assert_eq!(lab.store.sweep(&options).await.unwrap().queued.found, 0, "not yet");
    options.queued_for = Duration::from_secs(30);
    let swept = lab.store.sweep(&options).await.unwrap();
    assert_eq!((swept.queued.found, swept.queued.settled, swept.open_runs), (1, 1, 2), "{swept:?}");
    assert_eq!(swept.runs[0].run, waits.id);
    lab.walk(KeeperOptions::default()).await;
    let archived = lab.store.status(waits.id).await.unwrap();
    assert!(archived.archived.is_some() && *archived.head.state() == RunState::Cancelled);
    assert!(archived.head.states.last().unwrap().reason.as_ref().unwrap().contains("a sweep cancelled it"));
    end_small(&recorder).await;
}

#[tokio::test]
async fn a_lost_run_is_reported_and_left_to_the_keeper() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    lab.walk(eager()).await;
    lab.hot.lose(run);
    let swept = lab.store.sweep(&removing(Remove::default().orphans().queued())).await.unwrap();
    assert_eq!((swept.lost.found, swept.lost.settled, swept.runs[0].kind), (1, 0, SweptKind::Lost));
    assert!(lab.cold.get(run).await.unwrap().is_some());
    drop(recorder);
}

#[tokio::test]
async fn an_archived_run_that_hot_storage_got_back_from_a_backup_is_a_leftover() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    lab.walk(eager()).await;
    lab.clock.advance(2 * HOUR);
    assert!(lab.hot.get(run).await.unwrap().is_none(), "its grace is over");
    let head = lab.store.status(run).await.unwrap().head;
    HotAppend::restore(&*lab.hot, &reopened(&head)).await.unwrap();
    assert_eq!(lab.store.sweep(&SweepOptions::default()).await.unwrap().leftovers.found, 0, "within a day");
    lab.clock.advance(25 * HOUR);
    let swept = lab.store.sweep(&SweepOptions::default()).await.unwrap();
    assert_eq!((swept.leftovers.found, swept.orphans.found), (1, 0));
    let swept = lab.store.sweep(&removing(Remove::default().orphans())).await.unwrap();
    assert_eq!(swept.leftovers.settled, 1, "{swept:?}");
    assert!(lab.hot.get(run).await.unwrap().is_none() && lab.cold.get(run).await.unwrap().is_some());
}

#[tokio::test]
async fn all_are_counted_and_the_first_are_named() {
    let lab = lab();
    for _ in 0..250 {
        let mut head = lucihub_testkit::models::run_head(1);
        head.id = lab.store.new_run(head.job_type.clone()).id;
        head.created_at = lab.store.now();
        lab.store.create(&head).await.unwrap();
    }
    lab.clock.advance(25 * HOUR);
    let mut options = removing(Remove::default().queued());
    options.named = 3;
    let swept = lab.store.sweep(&options).await.unwrap();
    assert_eq!((swept.queued.found, swept.queued.settled, swept.runs.len(), swept.hot_runs), (250, 250, 3, 250));
}

/// A restore of the run as it was while it was open, with a lease of a minute.
fn reopened(head: &lucihub_models_core::RunHead) -> Restore {
    let mut open = head.clone();
    open.states.truncate(2);
    Restore {
        head: open,
        worker: "worker".to_owned(),
        mark: WriterMark {
            writer: lucihub_models_core::IdSource::writer_id(&lucihub_models_core::SystemIds),
            epoch: 1,
        },
        lease: Duration::from_secs(60),
        last_seq: 0,
        confirmed: lucihub_models_core::Positions::default(),
        next: lucihub_models_core::Positions::default(),
    }
}

#[tokio::test]
async fn an_archived_run_that_is_open_in_hot_storage_stays_pending_until_it_is_gone() {
    let commit = {
        let (lab, counted) = (lab(), FaultPlan::none());
        end_small(&begin_small(&lab.store, small(&lab.store, 2).await.id).await).await;
        Keeper::new(lab.faulty(&counted), eager()).walk().await.unwrap();
        counted.log().iter().position(|name| name == "cold.commit").unwrap() as u64 + 1
    };
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    let killed = FaultPlan::none().down(commit + 1..u64::MAX);
    let _errors = Keeper::new(lab.faulty(&killed), eager()).walk().await;
    assert!(lab.store.status(run).await.unwrap().archived.is_some());
    // Hot storage goes back to an older copy.
    let head = lab.store.status(run).await.unwrap().head;
    lab.hot.lose(run);
    HotAppend::restore(&*lab.hot, &reopened(&head)).await.unwrap();
    assert_eq!(lab.walk(eager()).await.expired, 0);
    assert_eq!(lab.pending().await, [run], "its worker holds it");
    lab.clock.advance(Duration::from_secs(61));
    lab.walk(eager()).await;
    assert!(lab.pending().await.is_empty() && lab.hot.get(run).await.unwrap().is_none());
    lab.archived(run).await;
}
