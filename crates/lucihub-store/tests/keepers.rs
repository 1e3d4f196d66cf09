//! Many keepers on one run, with any settings: one copy, one digest.

use std::time::Duration;

use lucihub_models_core::hot::HotRuns;
use lucihub_models_core::{Digest, Run, RunId, RunState};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, RecordOptions};
use lucihub_testkit::{FaultPlan, models};
use tokio::sync::Barrier;

use crate::lab::{begin_small, content, eager, end_small, lab, record_some, small};

/// A recorded and archived run under one keeper, to compare with.
async fn with_one_keeper(options: KeeperOptions) -> (Run, Digest) {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    lab.walk(options).await;
    lab.archived(run).await
}

/// Settings that differ in every respect that decides when and how cells are written.
fn settings(n: usize) -> KeeperOptions {
    let bytes = [0, 1, 3_000, 20_000, 1 << 20][n % 5];
    let mut options = KeeperOptions::default()
        .with_checkpoint(Duration::from_secs(3_600), bytes)
        .with_transaction_bytes([1, 9_000, 1 << 20][n % 3])
        .with_walk(Duration::from_millis(1));
    options.trim_fill = [0.0, 0.5][n % 2];
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_number_of_keepers_with_any_settings_make_one_copy() {
    let (expected, digest) = with_one_keeper(KeeperOptions::default()).await;
    for count in [2, 5, 8] {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        let barrier = std::sync::Arc::new(Barrier::new(count + 1));
        let keepers: Vec<_> = (0..count)
            .map(|n| {
                let (keeper, barrier) = (Keeper::new(lab.store.clone(), settings(n)), barrier.clone());
                let cold = lab.cold.clone();
                tokio::spawn(async move {
                    barrier.wait().await;
                    let (mut archived, mut walks) = (0, 0);
                    while !lucihub_models_core::cold::ColdRuns::pending(&*cold, None, 1).await.unwrap().is_empty() {
                        let report = keeper.walk().await.unwrap();
                        assert!(report.errors.is_empty(), "{report:?}");
                        archived += report.archived;
                        walks += 1;
                        assert!(walks < 100_000, "it never ends");
                        tokio::task::yield_now().await;
                    }
                    archived
                })
            })
            .collect();
        barrier.wait().await;
        let recorder = begin_small(&lab.store, run).await;
        end_small(&recorder).await;
        let mut archived = 0;
        for keeper in keepers {
            archived += keeper.await.unwrap();
        }
        assert_eq!(archived, 1, "exactly one of them archived it");
        let (whole, same) = lab.archived(run).await;
        assert_eq!((whole, same), (expected.clone(), digest), "{count} keepers");
    }
}

#[tokio::test]
async fn checkpoint_and_archive_settings_do_not_show_in_the_digest() {
    let (_, digest) = with_one_keeper(KeeperOptions::default()).await;
    for (first, second) in [(0, 4), (4, 0), (1, 2), (3, 1)] {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        let recorder = begin_small(&lab.store, run).await;
        lab.walk(settings(first)).await;
        end_small(&recorder).await;
        lab.walk(settings(second)).await;
        assert_eq!(lab.archived(run).await.1, digest, "{first} then {second}");
    }
}

#[tokio::test]
async fn how_the_worker_batched_does_not_show_in_the_digest() {
    let (_, digest) = with_one_keeper(KeeperOptions::default()).await;
    for bytes in [1, 777, 5_000, 1 << 20] {
        let lab = lab();
        let run = small(&lab.store, 2).await.id;
        let options = RecordOptions::default().with_batch(bytes, Duration::from_millis(1));
        let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
        recorder.state(RunState::InProgress).await.unwrap();
        record_some(&recorder, 2, 0..1_000, 100).await;
        record_some(&recorder, 1, 1_000..1_900, 100).await;
        recorder.samples(1, 1_100, &crate::lab::values(run, 1, 1_100..1_900)).await.unwrap();
        end_small(&recorder).await;
        lab.walk(KeeperOptions::default()).await;
        assert_eq!(lab.archived(run).await.1, digest, "batches of {bytes} bytes");
    }
}

#[tokio::test]
async fn a_trimmed_run_reads_across_the_seam_and_archives_as_an_untrimmed_one() {
    let (expected, digest) = with_one_keeper(KeeperOptions::default()).await;
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let keeper = Keeper::new(lab.store.clone(), eager());
    let recorder = begin_small(&lab.store, run).await;
    crate::lab::clean_walk(&keeper).await;
    record_some(&recorder, 2, 1_900..2_500, 150).await;
    recorder.flush().await.unwrap();
    let base = lab.hot.get(run).await.unwrap().unwrap().base;
    assert_eq!((base.sample(0), base.lines), (1_900, 19), "hot storage let go of what is confirmed");

    let live = lab.store.run(run).await.unwrap();
    assert_eq!(live.series[0].values, crate::lab::values(run, 0, 0..2_500));
    assert_eq!(live.series[1], expected.series[1].slice(0..2_500));
    assert_eq!(live.logs, expected.logs[..23]);

    record_some(&recorder, 2, 2_500..4_000, 150).await;
    recorder.finish(RunState::Succeeded, End::default().because("all done")).await.unwrap();
    crate::lab::clean_walk(&keeper).await;
    assert_eq!(lab.archived(run).await, (expected, digest));
}

#[tokio::test]
async fn confirmed_content_leaves_hot_storage_only_when_it_is_old_enough() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let _recorder = begin_small(&lab.store, run).await;
    let options = KeeperOptions::default().with_checkpoint(Duration::ZERO, 0).with_trim_age(Duration::from_secs(30));
    let keeper = Keeper::new(lab.store.clone(), options);
    let base = async || lab.hot.get(run).await.unwrap().unwrap().base.sample(0);
    crate::lab::clean_walk(&keeper).await;
    lab.clock.advance(Duration::from_secs(29));
    crate::lab::clean_walk(&keeper).await;
    assert_eq!(base().await, 0);
    lab.clock.advance(Duration::from_secs(1));
    crate::lab::clean_walk(&keeper).await;
    assert_eq!(base().await, 1_900);
}

#[tokio::test]
async fn a_checkpoint_is_written_when_it_is_due_and_not_before() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let _recorder = begin_small(&lab.store, run).await;
    let by_age = Keeper::new(lab.store.clone(), KeeperOptions::default());
    assert_eq!(crate::lab::clean_walk(&by_age).await.checkpoints, 1, "of what is complete");
    assert_eq!(lab.hot.get(run).await.unwrap().unwrap().confirmed.sample(1), 1_024);
    assert_eq!(crate::lab::clean_walk(&by_age).await.checkpoints, 0, "two seconds have not passed");
    lab.clock.advance(Duration::from_secs(2));
    assert_eq!(crate::lab::clean_walk(&by_age).await.checkpoints, 1);
    assert_eq!(crate::lab::clean_walk(&by_age).await.checkpoints, 0, "nothing is new");
    assert_eq!(lab.hot.get(run).await.unwrap().unwrap().confirmed.sample(1), 1_900);
}

#[tokio::test]
async fn nothing_is_unconfirmed_for_longer_than_two_seconds_although_walks_are_not_exact() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    let keeper = Keeper::new(lab.store.clone(), KeeperOptions::default());
    assert_eq!(
        crate::lab::clean_walk(&keeper).await.checkpoints,
        1,
        "of what is complete, and nothing more of it comes"
    );
    for more in 0..6 {
        record_some(&recorder, 2, 1_900 + more * 10..1_910 + more * 10, 10).await;
        recorder.flush().await.unwrap();
        // The walk before this one ended a little after it had begun.
        lab.clock.advance(Duration::from_millis(if more % 2 == 0 { 993 } else { 1_001 }));
        assert_eq!(crate::lab::clean_walk(&keeper).await.checkpoints, more % 2, "walk {more}");
    }
}

/// Archives a run while a device is active, under a plan for hot storage.
async fn walk_under(plan: &FaultPlan) -> lucihub_store::archive::WalkReport {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    lab.store.announce(&models::device_seen(1, "scanner"), Duration::from_secs(180)).await.unwrap();
    Keeper::new(lab.split(plan, &FaultPlan::none()), KeeperOptions::default()).walk().await.unwrap()
}

#[tokio::test]
async fn devices_that_cannot_be_read_take_nothing_from_a_report() {
    let clean = FaultPlan::none();
    assert_eq!(walk_under(&clean).await.devices, 1);
    let at = clean.log().iter().position(|name| name == "hot.active").unwrap() as u64 + 1;
    let report = walk_under(&FaultPlan::none().fail_nth(at)).await;
    assert_eq!((report.archived, report.devices, report.errors.len()), (1, 0, 0));
    assert!(report.devices_error.is_some(), "{report:?}");
}

#[tokio::test]
async fn a_dead_workers_run_is_failed_in_its_name_and_archived_with_what_is_there() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = begin_small(&lab.store, run).await;
    lab.walk(eager()).await;
    assert_eq!(lab.walk(eager()).await.failed, 0, "its lease lives");
    let before = lab.store.run(run).await.unwrap();
    lab.clock.advance(Duration::from_secs(60));
    let report = lab.walk(eager()).await;
    assert_eq!((report.failed, report.archived), (1, 1));

    let (whole, _) = lab.archived(run).await;
    assert_eq!(content(&whole), content(&before));
    let end = whole.head.states.last().unwrap();
    assert_eq!((&end.state, whole.head.worker.as_deref()), (&RunState::Failed, Some("worker")));
    assert!(end.reason.as_deref().unwrap().contains("worker stopped answering"), "{end:?}");
    assert_eq!(whole.head.error, end.reason);

    // The worker was only slow: it learns that the run is no longer its own.
    recorder.log("late").await.unwrap();
    let error = recorder.flush().await.unwrap_err().to_string();
    assert!(error.contains("it was ended meanwhile: worker stopped answering: its lease ran out"), "{error}");
}

#[tokio::test]
async fn a_worker_counts_as_dead_once_a_keeper_has_seen_its_lease_run_out_for_a_while() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let _recorder = begin_small(&lab.store, run).await;
    let keeper = Keeper::new(lab.store.clone(), KeeperOptions::default().with_patience(Duration::from_secs(5)));
    lab.clock.advance(Duration::from_secs(64));
    assert_eq!(crate::lab::clean_walk(&keeper).await.failed, 0, "seen for the first time");
    lab.clock.advance(Duration::from_secs(4));
    assert_eq!(crate::lab::clean_walk(&keeper).await.failed, 0);
    lab.clock.advance(Duration::from_secs(1));
    assert_eq!(crate::lab::clean_walk(&keeper).await.failed, 1);
}

/// Nobody reached hot storage for longer than a lease: keeper and worker are back at the same time.
#[tokio::test(start_paused = true)]
async fn an_outage_longer_than_a_lease_costs_no_run_its_worker() {
    let lab = lab();
    let plan = FaultPlan::none();
    let store = lab.split(&plan, &FaultPlan::none());
    let run = small(&store, 2).await.id;
    let recorder = begin_small(&store, run).await;
    let keeper = Keeper::new(store.clone(), KeeperOptions::default());
    crate::lab::clean_walk(&keeper).await;

    plan.go_down();
    for _ in 0..75 {
        recorder.log("during the outage").await.unwrap();
        lab.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(keeper.walk().await.map_or(0, |report| report.failed), 0);
    }
    plan.mend();
    // The keeper is the first to be back.
    assert_eq!(crate::lab::clean_walk(&keeper).await.failed, 0);
    for _ in 0..30 {
        lab.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(crate::lab::clean_walk(&keeper).await.failed, 0);
    }
    end_small(&recorder).await;
    crate::lab::clean_walk(&keeper).await;
    let (whole, _) = lab.archived(run).await;
    assert_eq!(whole.head.state(), &RunState::Succeeded);
}

#[tokio::test]
async fn a_run_cancelled_in_the_queue_is_archived_as_cancelled() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    lab.store.cancel(run, Some("not needed")).await.unwrap();
    lab.walk(KeeperOptions::default()).await;
    let (whole, _) = lab.archived(run).await;
    assert_eq!(whole.head.state(), &RunState::Cancelled);
    assert_eq!(whole.head.states[1].reason.as_deref(), Some("not needed"));
    assert!(whole.series.iter().all(|series| series.end == 0));
}

#[tokio::test]
async fn a_keeper_enters_active_devices_into_the_registry() {
    let lab = lab();
    let seen = models::device_seen(1, "scanner");
    lab.store.announce(&seen, Duration::from_secs(180)).await.unwrap();
    let keeper = Keeper::new(lab.store.clone(), KeeperOptions::default());
    assert_eq!(crate::lab::clean_walk(&keeper).await.devices, 1);
    assert_eq!(crate::lab::clean_walk(&keeper).await.devices, 0, "nothing is new");
    let device = lab.store.device(&seen.id).await.unwrap().unwrap();
    assert_eq!(device.firmware, seen.firmware);
    assert_eq!(device.entity_digest, seen.entity.map(|entity| Digest::of(&entity).to_string()));
    lab.clock.advance(Duration::from_secs(60));
    lab.store.announce(&models::device_seen(1, "scanner"), Duration::from_secs(180)).await.unwrap();
    assert_eq!(crate::lab::clean_walk(&keeper).await.devices, 1);
    assert!(lab.store.device(&seen.id).await.unwrap().unwrap().seen_at > device.seen_at);
}

#[tokio::test]
async fn a_watching_keeper_is_woken_and_stops_when_it_is_told() {
    let lab = lab();
    let run: RunId = small(&lab.store, 2).await.id;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    // So long between two walks that only a wake-up can bring it here in time.
    let keeper = Keeper::new(lab.store.clone(), KeeperOptions::default().with_walk(Duration::from_secs(3_600)));
    let watching =
        tokio::spawn(async move { keeper.watch(async { drop(stopped.await) }, |report| drop(report.unwrap())).await });
    tokio::task::yield_now().await;
    end_small(&begin_small(&lab.store, run).await).await;
    let archived = async {
        while lab.store.status(run).await.unwrap().archived.is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), archived).await.expect("it was woken");
    stop.send(()).unwrap();
    watching.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_takes_the_next_run_that_is_still_to_be_had() {
    let b = lab();
    let device = models::device_id(1);
    let mut runs = Vec::new();
    for seed in 1..=4 {
        let mut head = models::run_head(seed);
        head.device = Some(device.clone());
        b.store.create(&head).await.unwrap();
        runs.push(head.id);
    }
    // The mirror still says `queued` of all four.
    b.store.cancel(runs[0], None).await.unwrap();
    let first = b.store.take_next(&device, "worker-1").await.unwrap().unwrap();
    assert_eq!(first.run(), runs[1], "the oldest was cancelled");
    first.finish(RunState::Failed, End::default()).await.unwrap();
    let second = b.store.take_next(&device, "worker-2").await.unwrap().unwrap();
    let third = b.store.take_next(&device, "worker-3").await.unwrap().unwrap();
    assert_eq!((second.run(), third.run()), (runs[2], runs[3]));
    assert!(b.store.take_next(&device, "worker-4").await.unwrap().is_none());
}
