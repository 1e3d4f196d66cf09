//! Hot storage loses runs: what writers and keepers put back, and what stays lost.

use std::time::Duration;

use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::hot::{Durability, HotRuns};
use lucihub_models_core::{GapCause, RunState};
use lucihub_store::record::{End, Failure};
use lucihub_store::{Keeper, KeeperOptions, RecordError, RecordOptions, Recorder, Source};
use lucihub_testkit::FaultPlan;

use crate::lab::{Lab, begin_small, content, eager, end_small, lab, record_some, small, values};

#[tokio::test(start_paused = true)]
async fn a_writer_puts_its_run_back_and_refills_it() {
    for checkpointed in [false, true] {
        let (lab, other) = (lab(), lab());
        let (run, same) = (small(&lab.store, 2).await.id, small(&other.store, 2).await.id);
        let recorder = begin_small(&lab.store, run).await;
        if checkpointed {
            lab.walk(eager()).await;
        }
        assert!(lab.hot.lose(run));
        record_some(&recorder, 2, 1_900..2_000, 100).await;
        recorder.flush().await.unwrap();
        assert_eq!(recorder.stats().restores, 1);
        assert_eq!(lab.store.run(run).await.unwrap().series[0].values, values(run, 0, 0..2_000));
        record_some(&recorder, 2, 2_000..4_000, 150).await;
        recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
        lab.walk(KeeperOptions::default()).await;

        let untouched = begin_small(&other.store, same).await;
        record_some(&untouched, 2, 1_900..2_000, 100).await;
        record_some(&untouched, 2, 2_000..4_000, 150).await;
        untouched.finish(RunState::Succeeded, End::default()).await.unwrap();
        other.walk(KeeperOptions::default()).await;
        assert_eq!(lab.archived(run).await, other.archived(same).await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_writer_puts_its_run_back_when_it_renews_its_lease() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    let before = lab.store.run(run).await.unwrap();
    lab.hot.lose(run);
    assert_eq!(lab.store.status(run).await.unwrap().source, Source::Checkpoint);
    // A quarter of a lease.
    tokio::time::sleep(Duration::from_secs(16)).await;
    recorder.flush().await.unwrap();
    let back = async {
        while lab.store.status(run).await.unwrap().positions != recorder.next() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), back).await.expect("it is back");
    assert_eq!(content(&lab.store.run(run).await.unwrap()), content(&before));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_a_keeper_opened_anew_gives_way_to_its_writer() {
    for idle in [false, true] {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        let recorder = begin_small(&lab.store, run).await;
        // No keeper has come by since it was taken over, so the next one takes it for a run that was never opened.
        assert!(lab.hot.lose(run));
        assert_eq!(lab.walk(eager()).await.opened, 1);
        assert_eq!(lab.hot.get(run).await.unwrap().unwrap().lease, None);
        if idle {
            // Nothing is pushed: the renewal of the lease finds out.
            let back = async {
                while lab.store.status(run).await.unwrap().positions != recorder.next() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), back).await.expect("it is back");
        }
        end_small(&recorder).await;
        assert_eq!(recorder.stats().restores, 1);
        lab.walk(eager()).await;
        let (whole, _) = lab.archived(run).await;
        assert_eq!(whole.series[0].values, values(run, 0, 0..4_000));
        assert_eq!(whole.logs.len(), 33);
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_is_fenced_by_another_that_took_the_run_that_was_opened_anew() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    assert!(lab.hot.lose(run));
    lab.walk(eager()).await;
    let other = lab.store.record(run, "another").await.unwrap();
    recorder.log("late").await.unwrap();
    let error = recorder.flush().await.unwrap_err();
    assert!(matches!(error, RecordError::Failed { failure: Failure::Fenced, .. }), "{error}");
    other.finish(RunState::Failed, End::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_durable_flush_finds_out_what_the_store_lost() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    recorder.flush_as(Durability::Applied).await.unwrap();
    let before = lab.store.run(run).await.unwrap();
    assert!(lab.hot.lose(run));
    // Nothing new is pushed: the flush itself asks.
    recorder.flush_as(Durability::Applied).await.unwrap();
    assert_eq!(recorder.stats().restores, 1);
    assert_eq!(content(&lab.store.run(run).await.unwrap()), content(&before));
    for level in [Durability::Replicated(1), Durability::Fsynced] {
        let refused = recorder.flush_as(level).await.unwrap_err().to_string();
        assert!(refused.contains("Applied"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_replay_buffer_no_longer_has_is_a_gap_of_the_store() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    // Nothing acknowledged is kept.
    let options = RecordOptions::default().with_replay(0, Duration::from_secs(60));
    let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 1, 0..500, 100).await;
    recorder.flush().await.unwrap();
    lab.walk(eager()).await;
    record_some(&recorder, 1, 500..800, 100).await;
    recorder.flush().await.unwrap();
    assert!(recorder.stats().replay_dropped > 0);
    lab.hot.lose(run);
    record_some(&recorder, 1, 800..1_000, 100).await;
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    lab.walk(eager()).await;

    let (whole, _) = lab.archived(run).await;
    let series = &whole.series[0];
    assert_eq!(series.gaps.len(), 1, "{:?}", series.gaps);
    assert_eq!((series.gaps[0].first, series.gaps[0].end, &series.gaps[0].cause), (500, 800, &GapCause::Store));
    assert_eq!(series.slice(0..500).values, values(run, 0, 0..500));
    assert_eq!(series.slice(800..1_000).values, values(run, 0, 800..1_000));
    assert_eq!(whole.logs.len(), 10, "lost lines keep their numbers");
    assert_eq!((&*whole.logs[4].text, &*whole.logs[9].text), ("up to 500", "up to 1000"));
}

/// A run of 600 samples of which cold storage has 500 and hot storage knows that;
/// its recorder keeps nothing that is acknowledged.
async fn forgetful() -> (Lab, Recorder) {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let options = RecordOptions::default().with_replay(0, Duration::from_secs(60));
    let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 1, 0..500, 100).await;
    recorder.flush().await.unwrap();
    lab.walk(eager()).await;
    record_some(&recorder, 1, 500..600, 100).await;
    recorder.flush().await.unwrap();
    (lab, recorder)
}

#[tokio::test(start_paused = true)]
async fn a_writer_does_not_lose_again_what_cold_storage_has_got() {
    let (lab, _recorder) = forgetful().await;
    let counted = FaultPlan::none();
    Keeper::new(lab.faulty(&counted), eager()).walk().await.unwrap();
    let confirm = counted.log().iter().position(|name| name == "hot.confirm").unwrap() as u64 + 1;

    let (lab, recorder) = forgetful().await;
    let run = recorder.run();
    // The checkpoint is written, and the word of it never reaches hot storage.
    let _killed = Keeper::new(lab.faulty(&FaultPlan::none().down(confirm..u64::MAX)), eager()).walk().await;
    assert_eq!(lab.hot.get(run).await.unwrap().unwrap().confirmed.sample(0), 500);
    assert_eq!(lab.cold.get(run).await.unwrap().unwrap().positions.sample(0), 600);
    lab.hot.lose(run);
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
    let live = lab.store.run(run).await.unwrap();
    assert!(live.series[0].gaps.is_empty(), "{:?}", live.series[0].gaps);
    assert_eq!(live.series[0].values, values(run, 0, 0..600));
    lab.walk(eager()).await;
    assert_eq!(lab.archived(run).await.0, live);
}

#[tokio::test]
async fn a_lost_word_about_a_checkpoint_is_said_again() {
    let at_once = || KeeperOptions::default().with_checkpoint(Duration::ZERO, 0);
    let mut confirm = u64::MAX;
    for plan in [FaultPlan::none(), FaultPlan::none()] {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        let _recorder = begin_small(&lab.store, run).await;
        let plan = if confirm == u64::MAX { plan } else { plan.fail_nth(confirm) };
        let report = Keeper::new(lab.faulty(&plan), at_once()).walk().await.unwrap();
        if confirm == u64::MAX {
            // The first round only finds out where the word is said.
            confirm = plan.log().iter().position(|name| name == "hot.confirm").unwrap() as u64 + 1;
            continue;
        }
        assert_eq!(report.errors.len(), 1);
        let confirmed = async || lab.hot.get(run).await.unwrap().unwrap().confirmed.sample(0);
        assert_eq!(confirmed().await, 0);
        // Nothing new was recorded since, so no checkpoint is due.
        assert_eq!(lab.walk(KeeperOptions::default()).await.checkpoints, 0);
        assert_eq!(confirmed().await, 1_900);
    }
}

#[tokio::test(start_paused = true)]
async fn both_gone_the_keeper_rescues_the_run_after_its_patience() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    lab.walk(eager()).await;
    let before = lab.store.run(run).await.unwrap();
    drop(recorder);
    lab.hot.lose(run);
    let keeper = Keeper::new(lab.store.clone(), eager());
    crate::lab::clean_walk(&keeper).await;
    // H9: what a client's clock does is no time that has passed.
    lab.clock.advance(Duration::from_secs(3_600));
    assert_eq!(crate::lab::clean_walk(&keeper).await.rescued, 0, "its clock has jumped");
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(crate::lab::clean_walk(&keeper).await.rescued, 0, "its writer may still come");
    assert_eq!(content(&lab.store.run(run).await.unwrap()), content(&before), "the checkpoint is readable meanwhile");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(crate::lab::clean_walk(&keeper).await.rescued, 1);
    crate::lab::clean_walk(&keeper).await;

    let (whole, _) = lab.archived(run).await;
    assert_eq!((whole.head.state(), whole.head.worker.as_deref()), (&RunState::Failed, Some("worker")));
    assert!(whole.head.error.as_deref().unwrap().contains("lost"), "{:?}", whole.head.error);
    for (series, before) in whole.series.iter().zip(&before.series) {
        let gap = series.gaps.last().unwrap();
        assert_eq!((gap.first, gap.end, &gap.cause), (1_900, 4_000, &GapCause::Store));
        assert_eq!(series.slice(0..1_900), *before);
    }
}

/// A checkpoint is written channel by channel. What a keeper that died within one has left out is lost with the rest, and
/// said to be, also where nobody planned how long the run was to be.
#[tokio::test(start_paused = true)]
async fn a_rescued_run_is_as_long_on_every_channel() {
    let mut uneven = 0;
    for n in 1.. {
        let lab = lab();
        let mut head = crate::lab::small_head(2);
        head.op_time_ns = None;
        lab.store.create(&head).await.unwrap();
        let run = head.id;
        let recorder = begin_small(&lab.store, run).await;
        let plan = FaultPlan::none().down(n..u64::MAX);
        let _killed = Keeper::new(lab.faulty(&plan), eager()).walk().await;
        let checkpoint = lab.cold.get(run).await.unwrap().unwrap().positions;
        if checkpoint.sample(1) == 1_900 {
            break;
        }
        if checkpoint.sample(0) == checkpoint.sample(1) {
            continue;
        }
        uneven += 1;
        drop(recorder);
        lab.hot.lose(run);
        let keeper = Keeper::new(lab.store.clone(), eager());
        crate::lab::clean_walk(&keeper).await;
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(crate::lab::clean_walk(&keeper).await.rescued, 1);
        crate::lab::clean_walk(&keeper).await;
        let (whole, _) = lab.archived(run).await;
        assert_eq!(whole.series[0].end, checkpoint.sample(0), "killed at {n}");
        assert_eq!(whole.series[1].end, checkpoint.sample(0), "killed at {n}");
        let gap = whole.series[1].gaps.last().unwrap();
        assert_eq!((gap.end, &gap.cause), (checkpoint.sample(0), &GapCause::Store));
    }
    assert!(uneven > 0, "a keeper was stopped between two channels");
}

#[tokio::test]
async fn the_mirror_shows_an_end_only_once_all_that_came_before_is_there() {
    // So a run that hot storage loses in between is never archived as whole.
    let mut seen = 0;
    for n in 1.. {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        let recorder = begin_small(&lab.store, run).await;
        lab.walk(eager()).await;
        end_small(&recorder).await;
        let plan = FaultPlan::none().down(n..u64::MAX);
        let _killed = Keeper::new(lab.faulty(&plan), eager()).walk().await;
        let cold = lab.cold.get(run).await.unwrap().unwrap();
        if cold.head.state().is_terminal() {
            seen += 1;
            assert_eq!((cold.positions.sample(1), cold.positions.lines), (4_000, 33), "killed at {n}");
        }
        if cold.archived.is_some() {
            break;
        }
    }
    assert!(seen > 1, "it was mirrored before it was archived");
}

#[tokio::test(start_paused = true)]
async fn a_writer_never_raises_an_archived_run() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    // The worker was cut off for so long that its run was failed, archived and let go of.
    lab.clock.advance(Duration::from_secs(61));
    lab.walk(KeeperOptions::default().with_grace(Duration::ZERO).with_patience(Duration::ZERO)).await;
    assert!(lab.hot.get(run).await.unwrap().is_none());
    recorder.log("late").await.unwrap();
    let error = recorder.flush().await.unwrap_err();
    assert!(matches!(error, RecordError::Failed { failure: Failure::Sealed(_), .. }), "{error}");
    assert!(lab.hot.get(run).await.unwrap().is_none());
}

#[tokio::test]
async fn cancelling_a_lost_run_asks_to_try_again() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let _recorder = begin_small(&lab.store, run).await;
    lab.walk(eager()).await;
    lab.hot.lose(run);
    let error = lab.store.cancel(run, None).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

/// A recorder whose every answer is lost from the first samples on, but that of
/// operation `heard`, until it has renewed its lease.
async fn deaf(heard: Option<u64>) -> (Lab, Recorder, FaultPlan) {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let plan = FaultPlan::none();
    let recorder = lab.split(&plan, &FaultPlan::none()).record(run, "worker").await.unwrap();
    record_some(&recorder, 1, 0..50, 50).await;
    recorder.flush().await.unwrap();
    let first = plan.operations() + 1;
    let plan = (first..first + 200).filter(|n| Some(*n) != heard).fold(plan, FaultPlan::lose_nth);
    record_some(&recorder, 1, 50..100, 50).await;
    while lab.hot.get(run).await.unwrap().unwrap().next.sample(0) < 100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    lab.walk(eager()).await;
    while !plan.log().iter().any(|name| name == "hot.renew") {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (lab, recorder, plan)
}

#[tokio::test(start_paused = true)]
async fn what_is_confirmed_before_it_is_acknowledged_does_not_stop_a_restore() {
    let (_, _, plan) = deaf(None).await;
    let renewal = plan.log().iter().position(|name| name == "hot.renew").unwrap() as u64 + 1;
    let (lab, recorder, plan) = deaf(Some(renewal)).await;
    let run = recorder.run();
    assert_eq!((recorder.confirmed().sample(0), recorder.stats().batches), (100, 1));
    lab.hot.lose(run);
    plan.mend();
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
    lab.walk(eager()).await;
    assert_eq!(lab.archived(run).await.0.series[0].values, values(run, 0, 0..100));
}

/// A worker that has hot storage alone cannot ask how far cold storage is, and starts again without its replay buffer.
#[tokio::test(start_paused = true)]
async fn what_cold_storage_has_is_kept_though_its_worker_could_not_know() {
    let (lab, away) = (lab(), FaultPlan::default());
    away.go_down();
    let alone = lab.split(&FaultPlan::default(), &away);
    let run = small(&lab.store, 2).await.id;
    let first = alone.record(run, "worker").await.unwrap();
    first.state(RunState::InProgress).await.unwrap();
    record_some(&first, 2, 0..1_900, 100).await;
    first.flush().await.unwrap();
    let options = RecordOptions::default().with_writer(first.writer());
    drop(first);
    let again = alone.record_with(run, "worker", options).await.unwrap();
    lab.walk(eager()).await;
    assert!(lab.hot.lose(run));
    record_some(&again, 2, 1_900..2_500, 150).await;
    again.flush().await.unwrap();
    let hot = lab.hot.get(run).await.unwrap().unwrap();
    assert_eq!((again.stats().restores, hot.base.lines), (1, 0), "hot storage says that all before was lost");
    lab.walk(eager()).await;
    record_some(&again, 2, 2_500..4_000, 150).await;
    again.finish(RunState::Succeeded, End::default()).await.unwrap();
    lab.walk(eager()).await;
    let (whole, _) = lab.archived(run).await;
    for (channel, series) in (0..).zip(&whole.series) {
        assert!(series.gaps.is_empty(), "channel {channel}: {:?}", series.gaps);
        assert_eq!(series.values, values(run, channel, 0..4_000));
    }
    assert!(!whole.logs.contains(&lucihub_models_core::LogLine::lost()), "no line is lost");
}
