//! Hot storage is behind what cold storage has, and clocks are behind each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lucihub_models_core::cold::{ColdArchive, ColdRuns};
use lucihub_models_core::hot::{HotAppend, HotRuns, Outcome, Restore, Restored, Seal};
use lucihub_models_core::{Clock, Positions, RunState, WriterId, WriterMark};
use lucihub_store::record::{End, Failure, OnFull};
use lucihub_store::{Keeper, KeeperOptions, RecordError, RecordOptions, Recorder, Store};
use lucihub_testkit::{FaultPlan, FaultyHot, ManualClock};

use crate::lab::{Lab, begin_small, begun, eager, end_small, lab, record_some, small, values};

/// H9: hot storage's clock is right, and the keeper's goes back by an hour.
#[tokio::test]
async fn a_keeper_whose_clock_goes_back_writes_its_checkpoints_in_time() {
    let lab = lab();
    let own = Arc::new(ManualClock::default());
    let store = Store::builder(lab.hot.clone(), lab.cold.clone()).clock(own.clone()).build();
    let run = small(&lab.store, 1).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    let keeper = Keeper::new(store, KeeperOptions::default().with_trim_age(Duration::from_secs(10)));
    record_some(&recorder, 1, 0..200, 100).await;
    recorder.flush().await.unwrap();
    assert_eq!(crate::lab::clean_walk(&keeper).await.checkpoints, 0, "the first look");
    own.set(own.now().before(Duration::from_secs(3_600)));
    lab.clock.advance(Duration::from_secs(2));
    assert_eq!(crate::lab::clean_walk(&keeper).await.checkpoints, 1);
    lab.clock.advance(Duration::from_secs(10));
    crate::lab::clean_walk(&keeper).await;
    assert_eq!(lab.hot.get(run).await.unwrap().unwrap().base.sample(0), 200, "and lets go of what is old");
}

/// Hot storage is emptied, its writer dies while it sends again what cold storage has already, and the next one goes on
/// from there, otherwise.
#[tokio::test(start_paused = true)]
async fn a_writer_begins_after_what_cold_storage_has() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let first = begin_small(&lab.store, run).await;
    lab.walk(eager()).await;
    let before = lab.store.run(run).await.unwrap();
    drop(first);
    assert!(lab.hot.lose(run));
    let back = Positions { states: 2, lines: 3, samples: vec![300, 1_100], ..Positions::default() };
    let restore = Restore {
        head: before.head.clone(),
        worker: "worker".to_owned(),
        mark: WriterMark { writer: WriterId::from_bits(9), epoch: 1 },
        lease: Duration::from_secs(60),
        last_seq: 3,
        confirmed: back.clone(),
        next: back,
    };
    assert_eq!(lab.hot.restore(&restore).await.unwrap(), Restored::Restored);
    lab.clock.advance(Duration::from_secs(61));

    // A queue that 16 lost lines do not fit into: it waits for room, instead of growing.
    let options = RecordOptions::default().with_queue(100, OnFull::Wait).with_batch(50, Duration::from_millis(1));
    let next = lab.store.record_with(run, "another", options).await.unwrap();
    assert!(next.stats().waiting_bytes < 500, "{:?}", next.stats());
    assert_eq!((next.next().lines, next.next().samples), (19, vec![1_900, 1_900]), "as far as cold storage is");
    end_small(&next).await;
    lab.walk(eager()).await;
    let (whole, _) = lab.archived(run).await;
    assert_eq!(whole.logs[..19], before.logs, "what was confirmed is there, and not called lost");
    for (channel, (series, before)) in (0..).zip(whole.series.iter().zip(&before.series)) {
        assert_eq!(series.slice(0..1_900), *before, "channel {channel}");
        assert_eq!(series.slice(1_900..4_000).values, values(run, channel, 1_900..4_000));
    }
}

/// A run is lost, and hot storage is away for longer than a lost run waits: keeper and worker are back at the same time.
#[tokio::test(start_paused = true)]
async fn an_outage_after_a_loss_costs_no_run_its_worker() {
    let (lab, away) = (lab(), FaultPlan::default());
    let apart = lab.split(&away, &FaultPlan::default());
    let run = small(&lab.store, 2).await.id;
    let recorder = lab.split(&away, &FaultPlan::default()).record(run, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 2, 0..1_000, 100).await;
    recorder.flush().await.unwrap();
    lab.walk(eager()).await;
    let keeper = Keeper::new(apart, eager());
    assert!(lab.hot.lose(run));
    assert_eq!(crate::lab::clean_walk(&keeper).await.rescued, 0, "the loss is seen");
    away.go_down();
    tokio::time::advance(Duration::from_secs(50)).await;
    assert_eq!(keeper.walk().await.unwrap().errors.len(), 1);
    tokio::time::advance(Duration::from_secs(50)).await;
    away.mend();
    assert_eq!(crate::lab::clean_walk(&keeper).await.rescued, 0, "the worker has its time anew");
    end_small_from(&recorder, 1_000).await;
    lab.walk(eager()).await;
    let (whole, _) = lab.archived(run).await;
    assert_eq!(whole.head.state(), &RunState::Succeeded);
    assert!(whole.series.iter().all(|series| series.gaps.is_empty()));
}

async fn end_small_from(recorder: &Recorder, from: u64) {
    record_some(recorder, 2, from..2_000, 100).await;
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
}

/// W1: the store is emptied while two workers believe that they have the run.
#[tokio::test(start_paused = true)]
async fn a_writer_that_was_superseded_puts_nothing_back() {
    for ended in [false, true] {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        let first = lab.store.record(run, "first").await.unwrap();
        first.state(RunState::InProgress).await.unwrap();
        record_some(&first, 2, 0..100, 100).await;
        first.flush().await.unwrap();
        lab.walk(eager()).await;
        // It stands still for longer than its lease.
        lab.clock.advance(Duration::from_secs(61));
        let second = lab.store.record(run, "second").await.unwrap();
        record_some(&second, 2, 100..1_900, 100).await;
        second.flush().await.unwrap();
        lab.walk(eager()).await;
        if ended {
            second.finish(RunState::Succeeded, End::default()).await.unwrap();
            // A keeper was stopped before the commit.
            let head = lab.hot.get(run).await.unwrap().unwrap().head;
            assert!(lab.cold.mirror(&head).await.unwrap());
        }
        assert!(lab.hot.lose(run));
        first.log("still here").await.unwrap();
        let failure = match first.flush().await.unwrap_err() {
            RecordError::Failed { failure, .. } => failure,
            other => panic!("{other}"),
        };
        if ended {
            assert_eq!(failure, Failure::Sealed(Seal::Ended(RunState::Succeeded)));
        } else {
            assert_eq!(failure, Failure::Fenced);
            end_small_from(&second, 1_900).await;
        }
        lab.walk(eager().with_lost_patience(Duration::ZERO)).await;
        let (whole, _) = lab.archived(run).await;
        assert_eq!((whole.head.state(), whole.head.worker.as_deref()), (&RunState::Succeeded, Some("second")));
        assert_eq!(whole.logs.len(), if ended { 19 } else { 20 });
    }
}

/// W1: the store is emptied before the second worker has sent anything, so that no checkpoint tells of it.
#[tokio::test(start_paused = true)]
async fn a_take_over_is_mirrored_before_anything_is_recorded() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let first = lab.store.record(run, "first").await.unwrap();
    first.state(RunState::InProgress).await.unwrap();
    record_some(&first, 2, 0..100, 100).await;
    first.flush().await.unwrap();
    lab.walk(eager()).await;
    lab.clock.advance(Duration::from_secs(61));
    let second = lab.store.record(run, "second").await.unwrap();
    assert_eq!(lab.walk(eager()).await.mirrored, 1);
    assert_eq!(lab.walk(eager()).await.mirrored, 0, "once");
    assert!(lab.hot.lose(run));
    first.log("still here").await.unwrap();
    let failed = first.flush().await.unwrap_err();
    assert!(matches!(failed, RecordError::Failed { failure: Failure::Fenced, .. }), "{failed}");
    record_some(&second, 2, 100..1_900, 100).await;
    end_small_from(&second, 1_900).await;
    lab.walk(eager()).await;
    assert_eq!(lab.archived(run).await.0.head.worker.as_deref(), Some("second"));
}

/// H1, H4: batches are on their way together, and one that came before its predecessor is told so late, when that one
/// is in, confirmed, and no longer kept.
#[tokio::test(start_paused = true)]
async fn an_answer_that_was_overtaken_is_no_loss() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let overtaken = AtomicBool::new(false);
    let hot = FaultyHot::new(lab.hot.clone(), FaultPlan::none()).with_answers(move |batch, mut answer| {
        if batch.seq() == 2 {
            answer.confirmed = Positions { states: 2, lines: 1, ..Positions::default() };
        } else if batch.seq() == 3 && !overtaken.swap(true, Ordering::SeqCst) {
            answer.outcome = Outcome::Behind(1);
        }
        answer
    });
    let store = Store::builder(Arc::new(hot), lab.cold.clone()).clock(lab.clock.clone()).build();
    let options = RecordOptions::default().with_batch(1, Duration::from_millis(20));
    let recorder = store.record_with(run, "worker", options).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    recorder.flush().await.unwrap();
    recorder.log("one").await.unwrap();
    recorder.log("two").await.unwrap();
    recorder.flush().await.unwrap();
    assert_eq!((recorder.stats().batches, recorder.stats().retries), (3, 1));
    assert_eq!(lab.hot.get(run).await.unwrap().unwrap().next.lines, 2);
}

/// A run of 1,000 samples, of which 900 are confirmed and let go of by its recorder, fails over to a copy of 500.
async fn with_an_older_copy(lab: &Lab) -> Recorder {
    let run = small(&lab.store, 1).await.id;
    let recorder = begun(lab, run, 500).await;
    let older = lab.hot.get(run).await.unwrap().unwrap();
    record_some(&recorder, 1, 500..900, 100).await;
    recorder.flush().await.unwrap();
    lab.walk(eager()).await;
    record_some(&recorder, 1, 900..1_000, 100).await;
    recorder.flush().await.unwrap();
    assert_eq!(recorder.confirmed().sample(0), 900);
    assert!(lab.hot.lose(run));
    let lease = older.lease.unwrap();
    let copy = Restore {
        head: (*older.head).clone(),
        worker: lease.worker,
        mark: lease.mark,
        lease: Duration::from_secs(60),
        last_seq: older.last_seq,
        confirmed: Positions::default(),
        next: older.next,
    };
    assert_eq!(lab.hot.restore(&copy).await.unwrap(), Restored::Restored);
    recorder
}

#[tokio::test]
async fn a_store_that_went_back_to_before_what_is_confirmed_is_brought_on() {
    let lab = lab();
    let recorder = with_an_older_copy(&lab).await;
    record_some(&recorder, 1, 1_000..1_100, 100).await;
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    assert_eq!(recorder.stats().restores, 1);
    lab.walk(eager()).await;
    let (whole, _) = lab.archived(recorder.run()).await;
    assert_eq!((&whole.series[0].values, whole.logs.len()), (&values(recorder.run(), 0, 0..1_100), 11));
}

/// Both storages out of older backups: the copy in hot storage is all that there is of that part.
#[tokio::test]
async fn an_older_copy_stays_where_cold_storage_does_not_have_more() {
    let lab = lab();
    let recorder = with_an_older_copy(&lab).await;
    lab.cold.delete(recorder.run()).await.unwrap();
    lab.cold.create(&crate::lab::small_head(1)).await.unwrap();
    let error = recorder.finish(RunState::Succeeded, End::default()).await.unwrap_err();
    assert!(matches!(error, RecordError::Failed { failure: Failure::Lost { .. }, .. }), "{error}");
    assert_eq!(lab.hot.get(recorder.run()).await.unwrap().unwrap().next.sample(0), 500);
}
