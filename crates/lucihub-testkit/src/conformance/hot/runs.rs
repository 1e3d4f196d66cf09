//! The life of a run: open, cancel, renew, expire, remove.

use std::time::Duration;

use lucihub_models_core::hot::{
    Announced, Cancelled, DeviceSeen, Opened, Outcome, Removed, Renewed, Restored, Seal, TakeOver, TookOver,
};
use lucihub_models_core::{Positions, RunState, Timestamp, WriterId, WriterMark};

use super::stage::{LEASE, Stage, assert_lasts, assert_unchanged};
use crate::harness::HotHarness;
use crate::models::{lines_body, state_body};

const DAY: Duration = Duration::from_secs(86_400);

/// A run is created once; opening it again leaves it as it was.
pub async fn opening_twice_changes_nothing(h: &dyn HotHarness) {
    let stage = Stage::new(h, "opening_twice_changes_nothing");
    let mut head = stage.head(4);
    assert_eq!(stage.store.open(&head).await.unwrap(), Opened::Created);
    let run = stage.get(head.id).await;
    assert_eq!(*run.head, head);
    assert_eq!(run.next, Positions { states: 1, ..Positions::default() });
    assert_eq!((&run.base, &run.confirmed), (&Positions::default(), &Positions::default()));
    assert!(run.lease.is_none() && run.seal.is_none() && !run.cancel && run.last_seq == 0);
    assert!(run.changed_at <= run.now);

    head.labels.clear();
    assert_eq!(stage.store.open(&head).await.unwrap(), Opened::Existing);
    assert_unchanged(&run, &stage.get(head.id).await);
}

/// A run that goes on, or has ended, is not opened anew.
pub async fn opening_a_run_that_goes_on_changes_nothing(h: &dyn HotHarness) {
    let stage = Stage::new(h, "opening_a_run_that_goes_on_changes_nothing");
    let head = stage.head(1);
    stage.store.open(&head).await.unwrap();
    let mut writer = stage.take(head.id).await;
    writer.apply(state_body([RunState::InProgress])).await;
    let before = stage.get(head.id).await;
    assert_eq!(stage.store.open(&head).await.unwrap(), Opened::Existing);
    assert_unchanged(&before, &stage.get(head.id).await);
    writer.apply(state_body([RunState::Failed])).await;
    assert_eq!(stage.store.open(&head).await.unwrap(), Opened::Existing);
    assert_eq!(stage.get(head.id).await.seal, Some(Seal::Ended(RunState::Failed)));
}

/// Of an absent run there is nothing, and nothing can be done to it.
pub async fn absent_runs_answer_so(h: &dyn HotHarness) {
    let stage = Stage::new(h, "absent_runs_answer_so");
    let run = stage.head(1).id;
    let mark = WriterMark { writer: WriterId::from_bits(1), epoch: 1 };
    let store = &stage.store;
    assert!(store.get(run).await.unwrap().is_none());
    assert!(store.lines(run, 0..10).await.unwrap().is_none());
    assert!(store.window(run, 0, 0..10).await.unwrap().is_none());
    assert!(store.confirm(run, &Positions::default()).await.unwrap().is_none());
    assert!(store.trim(run, &Positions::default()).await.unwrap().is_none());
    assert!(!store.expire(run, DAY).await.unwrap());
    assert_eq!(store.cancel(run, None).await.unwrap(), Cancelled::NoRun);
    assert_eq!(store.renew(run, mark, LEASE).await.unwrap(), Renewed::NoRun);
    assert!(matches!(store.take_over(&stage.request(run)).await.unwrap(), TookOver::NoRun));
}

/// Cancelling a queued run that nobody has seals it at once.
pub async fn cancelling_a_queued_run_seals_it(h: &dyn HotHarness) {
    let stage = Stage::new(h, "cancelling_a_queued_run_seals_it");
    let run = stage.open(1).await;
    for _ in 0..2 {
        assert_eq!(stage.store.cancel(run, Some("not needed")).await.unwrap(), Cancelled::Cancelled);
        let kept = stage.get(run).await;
        assert_eq!(kept.seal, Some(Seal::Ended(RunState::Cancelled)));
        assert_eq!((kept.head.state(), kept.next.states), (&RunState::Cancelled, 2));
        assert_eq!(kept.head.states[1].reason.as_deref(), Some("not needed"));
    }
    assert!(matches!(stage.store.take_over(&stage.request(run)).await.unwrap(), TookOver::Cancelled));
}

/// A worker that has the run learns of the request with its next answer.
pub async fn cancelling_a_held_run_asks_its_worker(h: &dyn HotHarness) {
    let stage = Stage::new(h, "cancelling_a_held_run_asks_its_worker");
    let mut writer = stage.writer(1).await;
    for _ in 0..2 {
        assert_eq!(stage.store.cancel(writer.run, None).await.unwrap(), Cancelled::Requested);
    }
    let run = stage.get(writer.run).await;
    assert!(run.cancel && run.seal.is_none());
    assert_eq!(run.head.state(), &RunState::Queued);
    let answer = writer.send(&writer.batch(state_body([RunState::InProgress]))).await;
    assert_eq!((answer.outcome, answer.cancel), (Outcome::Applied, true));
    writer.seq += 1;
    let renewed = stage.store.renew(writer.run, writer.mark, LEASE).await.unwrap();
    assert!(matches!(renewed, Renewed::Until { cancel: true, .. }), "{renewed:?}");
    writer.apply(state_body([RunState::Cancelled])).await;
    assert_eq!(stage.store.cancel(writer.run, None).await.unwrap(), Cancelled::Ended(RunState::Cancelled));
}

/// A run that has ended tells how.
pub async fn cancelling_an_ended_run_tells_its_end(h: &dyn HotHarness) {
    let stage = Stage::new(h, "cancelling_an_ended_run_tells_its_end");
    let mut writer = stage.writer(1).await;
    writer.apply(state_body([RunState::InProgress, RunState::Succeeded])).await;
    let before = stage.get(writer.run).await;
    assert_eq!(stage.store.cancel(writer.run, None).await.unwrap(), Cancelled::Ended(RunState::Succeeded));
    assert_unchanged(&before, &stage.get(writer.run).await);
}

/// An ended lease does not hold a queued run; a running one is never cancelled
/// behind its worker's back.
pub async fn cancelling_looks_at_the_lease(h: &dyn HotHarness) {
    let stage = Stage::new(h, "cancelling_looks_at_the_lease");
    let queued = stage.writer(1).await;
    let mut running = stage.writer(1).await;
    running.apply(state_body([RunState::InProgress])).await;
    stage.outlive_leases().await;
    for _ in 0..2 {
        assert_eq!(stage.store.cancel(queued.run, None).await.unwrap(), Cancelled::Cancelled);
        assert_eq!(stage.store.cancel(running.run, None).await.unwrap(), Cancelled::Requested);
    }
    assert_eq!(stage.get(queued.run).await.seal, Some(Seal::Ended(RunState::Cancelled)));
    let outcome = queued.send(&queued.batch(lines_body(["late"]))).await.outcome;
    assert_eq!(outcome, Outcome::Sealed(Seal::Ended(RunState::Cancelled)));
}

/// A renewal counts from the store's present time, also after the lease ran out.
pub async fn renewing_counts_from_now(h: &dyn HotHarness) {
    let stage = Stage::new(h, "renewing_counts_from_now");
    let writer = stage.writer(1).await;
    for lease in [LEASE, 2 * LEASE] {
        stage.outlive_leases().await;
        let answer = stage.store.renew(writer.run, writer.mark, lease).await.unwrap();
        let Renewed::Until { until, cancel: false, confirmed } = answer else { panic!("{answer:?}") };
        assert_eq!(confirmed, Positions::default());
        let run = stage.get(writer.run).await;
        assert_lasts(until, run.now, lease);
        assert_eq!(run.lease.unwrap().until, until);
    }
}

/// Only the run's writer renews: writer id and epoch must both match.
pub async fn renewing_is_for_the_writer_alone(h: &dyn HotHarness) {
    let stage = Stage::new(h, "renewing_is_for_the_writer_alone");
    let mut writer = stage.writer(1).await;
    let renew = |mark| stage.store.renew(writer.run, mark, LEASE);
    let (mut other, mut later) = (writer.mark, writer.mark);
    other.writer = WriterId::from_bits(other.writer.bits() ^ 1);
    later.epoch += 1;
    assert_eq!(renew(other).await.unwrap(), Renewed::Fenced);
    assert_eq!(renew(later).await.unwrap(), Renewed::Fenced);
    stage.outlive_leases().await;
    let _next = stage.take(writer.run).await;
    assert_eq!(renew(writer.mark).await.unwrap(), Renewed::Fenced);

    writer = stage.writer(1).await;
    writer.apply(state_body([RunState::Failed])).await;
    let sealed = stage.store.renew(writer.run, writer.mark, LEASE).await.unwrap();
    assert_eq!(sealed, Renewed::Sealed(Seal::Ended(RunState::Failed)));
}

/// A run that is not sealed never leaves by itself.
pub async fn open_runs_never_expire(h: &dyn HotHarness) {
    let stage = Stage::new(h, "open_runs_never_expire");
    let run = stage.open(1).await;
    let mut writer = stage.writer(1).await;
    writer.apply(lines_body(["still here"])).await;
    for run in [run, writer.run] {
        assert!(!stage.store.expire(run, Duration::from_secs(1)).await.unwrap());
    }
    h.advance(400 * DAY).await;
    assert!(stage.store.get(run).await.unwrap().is_some());
    assert_eq!(stage.store.lines(writer.run, 0..9).await.unwrap().unwrap().lines[0].text, "still here");
}

/// A sealed run leaves when its time has come, and not before.
pub async fn sealed_runs_expire_in_time(h: &dyn HotHarness) {
    let stage = Stage::new(h, "sealed_runs_expire_in_time");
    let mut writer = stage.writer(1).await;
    writer.apply(lines_body(["one"])).await;
    writer.apply(state_body([RunState::Failed])).await;
    h.advance(DAY).await;
    assert!(stage.store.get(writer.run).await.unwrap().is_some(), "nobody told it to leave");
    assert!(stage.store.expire(writer.run, DAY).await.unwrap());
    h.advance(DAY / 2).await;
    assert_eq!(stage.store.lines(writer.run, 0..9).await.unwrap().unwrap().lines.len(), 1);
    h.advance(DAY / 2 + Duration::from_secs(1)).await;
    assert!(stage.store.get(writer.run).await.unwrap().is_none());
    assert!(stage.store.lines(writer.run, 0..9).await.unwrap().is_none());
    assert_eq!(writer.send(&writer.batch(lines_body(["late"]))).await.outcome, Outcome::NoRun);
}

/// A removed run is gone for everyone while its tombstone stands.
pub async fn removed_runs_stay_away(h: &dyn HotHarness) {
    let stage = Stage::new(h, "removed_runs_stay_away");
    let head = stage.head(1);
    stage.store.open(&head).await.unwrap();
    let mut writer = stage.take(head.id).await;
    writer.apply(lines_body(["one"])).await;
    let before = stage.get(head.id).await;
    let store = &stage.store;
    assert_eq!(store.remove(head.id, true, DAY).await.unwrap(), Removed::Removed);

    assert!(store.get(head.id).await.unwrap().is_none());
    assert!(store.lines(head.id, 0..9).await.unwrap().is_none());
    assert_eq!(store.open(&head).await.unwrap(), Opened::Deleted);
    assert_eq!(writer.send(&writer.batch(lines_body(["late"]))).await.outcome, Outcome::Sealed(Seal::Deleted));
    assert_eq!(store.renew(head.id, writer.mark, LEASE).await.unwrap(), Renewed::Sealed(Seal::Deleted));
    let again = store.take_over(&stage.request(head.id)).await.unwrap();
    assert!(matches!(again, TookOver::Sealed(Seal::Deleted)), "{again:?}");
    let restore = writer.restore(&before, Positions::default(), before.next.clone());
    assert_eq!(store.restore(&restore).await.unwrap(), Restored::Sealed(Seal::Deleted));

    h.advance(DAY + Duration::from_secs(1)).await;
    assert_eq!(store.open(&head).await.unwrap(), Opened::Created);
    assert_eq!(stage.get(head.id).await.next.lines, 0, "nothing of the removed run is left");
}

/// A living lease refuses the removal and says who, until when, and how long it has been still.
pub async fn held_runs_are_removed_by_force_alone(h: &dyn HotHarness) {
    let stage = Stage::new(h, "held_runs_are_removed_by_force_alone");
    let mut writer = stage.writer(1).await;
    writer.apply(lines_body(["one"])).await;
    h.advance(LEASE / 2).await;
    let before = stage.get(writer.run).await;
    let answer = stage.store.remove(writer.run, false, DAY).await.unwrap();
    let Removed::Held { by, until, idle } = answer else { panic!("{answer:?}") };
    assert_eq!((by, until), (writer.request.worker.clone(), before.lease.clone().unwrap().until));
    assert!(idle >= LEASE / 2 && idle <= LEASE, "{idle:?}");
    assert_unchanged(&before, &stage.get(writer.run).await);
    writer.apply(lines_body(["two"])).await;
    assert_eq!(stage.store.remove(writer.run, true, DAY).await.unwrap(), Removed::Removed);

    let writer = stage.writer(1).await;
    stage.outlive_leases().await;
    assert_eq!(stage.store.remove(writer.run, false, DAY).await.unwrap(), Removed::Removed);
}

/// Removing an absent run succeeds, again and again, and its tombstone stands.
pub async fn removing_an_absent_run_leaves_a_tombstone(h: &dyn HotHarness) {
    let stage = Stage::new(h, "removing_an_absent_run_leaves_a_tombstone");
    let head = stage.head(1);
    for force in [false, true, false] {
        assert_eq!(stage.store.remove(head.id, force, DAY).await.unwrap(), Removed::Removed);
        assert_eq!(stage.store.open(&head).await.unwrap(), Opened::Deleted);
    }
}

/// What is to last longer than time does lasts to the end of time, and stays readable.
pub async fn spans_without_end_end_with_time(h: &dyn HotHarness) {
    let stage = Stage::new(h, "spans_without_end_end_with_time");
    let store = &stage.store;
    let run = stage.open(1).await;
    let request = TakeOver { lease: Duration::MAX, ..stage.request(run) };
    let taken = store.take_over(&request).await.unwrap();
    let TookOver::Taken(taken) = taken else { panic!("{taken:?}") };
    assert_eq!(taken.run.lease.unwrap().until, Timestamp::MAX);
    let renewed = store.renew(run, taken.mark, Duration::MAX).await.unwrap();
    assert!(matches!(renewed, Renewed::Until { until: Timestamp::MAX, .. }), "{renewed:?}");
    assert_eq!(stage.get(run).await.lease.unwrap().until, Timestamp::MAX);
    let other = store.take_over(&stage.request(run)).await.unwrap();
    assert!(matches!(other, TookOver::Held { until: Timestamp::MAX, .. }), "{other:?}");
    let removed = store.remove(run, false, Duration::MAX).await.unwrap();
    assert!(matches!(removed, Removed::Held { until: Timestamp::MAX, .. }), "{removed:?}");
    assert_eq!(store.remove(run, true, Duration::MAX).await.unwrap(), Removed::Removed);
    h.advance(DAY).await;
    assert_eq!(store.remove(run, true, LEASE).await.unwrap(), Removed::Removed);
    h.advance(DAY).await;
    assert!(matches!(store.take_over(&stage.request(run)).await.unwrap(), TookOver::Sealed(Seal::Deleted)));

    let mut ended = stage.writer(1).await;
    ended.apply(state_body([RunState::Failed])).await;
    assert!(store.expire(ended.run, Duration::MAX).await.unwrap());
    h.advance(DAY).await;
    assert!(stage.get(ended.run).await.seal.is_some());

    let device = crate::models::device_seen(u64::MAX, &format!("scanner-{run}"));
    let device = DeviceSeen { id: format!("d-{run}").parse().unwrap(), ..device };
    assert_eq!(store.announce(&device, Duration::MAX).await.unwrap(), Announced::Active);
    assert_eq!(store.active_device(&device.id).await.unwrap().unwrap().until, Some(Timestamp::MAX));
    let listed = store.active().await.unwrap();
    assert!(listed.iter().any(|active| active.seen == device));
    assert!(store.withdraw(&device.id, &device.scanner).await.unwrap());
}
