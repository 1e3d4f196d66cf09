//! Batches in their order, leases, tombstones, devices: all by the clock.

use std::time::Duration;

use lucihub_hot::embedded::EmbeddedOptions;
use lucihub_models_core::hot::{
    Announced, Cancelled, HotAppend, HotDevices, HotRuns, Opened, Outcome, Removed, Renewed, Seal, TookOver,
};
use lucihub_models_core::{Batch, Limits, RunState, WriterId};
use lucihub_testkit::models::{device_id, device_seen, ending_in, lines_body, run_head, run_id, state_body};

use crate::embedded::bench::{Bench, DAY, LEASE, at_once, request};

#[test]
fn checks_stand_in_the_order_of_the_law() {
    let bench = Bench::with(EmbeddedOptions::default().with_limits(Limits::default().with_line_bytes(100)));
    let outcome = |batch: &Batch| at_once(bench.hot.append(batch)).unwrap().outcome;
    at_once(bench.hot.open(&run_head(1))).unwrap();
    let mut worker = bench.take_over(run_id(1), 1);
    let first = worker.batch(lines_body(["first"]));
    assert_eq!(outcome(&first), Outcome::Applied);
    worker.seq = 1;
    // A bad body under a wrong number, by another writer: each check hides the later ones.
    let bad = || lines_body(["x".repeat(101)]);
    let mut other = worker.mark;
    other.epoch += 1;
    assert_eq!(outcome(&Batch::new(run_id(1), other, 1, bad())), Outcome::Fenced);
    other.epoch -= 1;
    other.writer = WriterId::from_bits(9);
    assert_eq!(outcome(&Batch::new(run_id(1), other, 1, bad())), Outcome::Fenced);
    assert_eq!(outcome(&Batch::new(run_id(1), worker.mark, 1, bad())), Outcome::Conflict);
    assert_eq!(outcome(&Batch::new(run_id(1), worker.mark, 3, bad())), Outcome::Behind(1));
    assert!(matches!(outcome(&worker.batch(bad())), Outcome::Rejected(_)));
    worker.put(state_body([RunState::InProgress]));
    let last = worker.batch(ending_in(lines_body(["last"]), RunState::Succeeded));
    assert_eq!(outcome(&last), Outcome::Applied);
    assert_eq!(outcome(&last), Outcome::Duplicate, "its reply may have been lost");
    assert_eq!(outcome(&first), Outcome::Duplicate);
    assert_eq!(outcome(&Batch::new(run_id(1), other, 1, bad())), Outcome::Fenced);
    let ended = Outcome::Sealed(Seal::Ended(RunState::Succeeded));
    assert_eq!(outcome(&Batch::new(run_id(1), worker.mark, 9, bad())), ended);
    at_once(bench.hot.remove(run_id(1), false, DAY)).unwrap();
    assert_eq!(outcome(&last), Outcome::Sealed(Seal::Deleted));
    bench.clock.advance(DAY);
    assert_eq!(outcome(&last), Outcome::NoRun, "the tombstone is over");
}

#[test]
fn the_last_eight_batches_are_remembered() {
    let bench = Bench::new();
    let mut worker = bench.started(1);
    let sent: Vec<Batch> = (0..10)
        .map(|n| {
            let batch = worker.batch(lines_body([format!("{n}")]));
            worker.put(batch.body().clone());
            batch
        })
        .collect();
    let again: Vec<Outcome> = sent.iter().map(|batch| at_once(bench.hot.append(batch)).unwrap().outcome).collect();
    assert_eq!(again[..2], [Outcome::Behind(10), Outcome::Behind(10)]);
    assert!(again[2..].iter().all(|outcome| *outcome == Outcome::Duplicate), "{again:?}");
}

#[test]
fn leases_run_by_the_clock() {
    let bench = Bench::new();
    let first = bench.started(1);
    let run = first.run;
    bench.clock.advance(LEASE / 2);
    let held = at_once(bench.hot.take_over(&request(run, 2))).unwrap();
    assert!(matches!(held, TookOver::Held { ref by, .. } if by == "worker-1"), "{held:?}");
    let removal = at_once(bench.hot.remove(run, false, DAY)).unwrap();
    assert!(matches!(removal, Removed::Held { idle, .. } if idle == LEASE / 2), "{removal:?}");
    bench.clock.advance(LEASE / 2);
    let renewed = at_once(bench.hot.renew(run, first.mark, LEASE)).unwrap();
    assert!(matches!(renewed, Renewed::Until { .. }), "a lease that ran out is renewed while nobody took the run");
    assert_eq!(bench.take_over(run, 1).mark, first.mark, "the same writer, the same epoch");
    bench.clock.advance(LEASE);
    let second = bench.take_over(run, 2);
    assert_eq!((second.mark.epoch, second.seq), (first.mark.epoch + 1, 0));
    assert_eq!(bench.get(run).head.worker.as_deref(), Some("worker-2"));
    assert_eq!(at_once(bench.hot.renew(run, first.mark, LEASE)).unwrap(), Renewed::Fenced);
}

#[test]
fn tombstones_refuse_until_they_are_over() {
    let bench = Bench::new();
    let head = run_head(1);
    assert_eq!(at_once(bench.hot.remove(head.id, false, DAY)).unwrap(), Removed::Removed, "an absent run");
    at_once(bench.hot.remove(head.id, false, DAY / 2)).unwrap();
    bench.clock.advance(DAY - Duration::from_micros(1));
    assert_eq!(at_once(bench.hot.open(&head)).unwrap(), Opened::Deleted);
    let took = at_once(bench.hot.take_over(&request(head.id, 1))).unwrap();
    assert!(matches!(took, TookOver::Sealed(Seal::Deleted)));
    assert_eq!(at_once(bench.hot.cancel(head.id, None)).unwrap(), Cancelled::NoRun);
    bench.clock.advance(Duration::from_micros(1));
    assert_eq!(at_once(bench.hot.open(&head)).unwrap(), Opened::Created);
}

#[test]
fn devices_leave_with_their_lease_and_give_their_room_back() {
    let bench = Bench::new();
    let simulator = {
        let mut seen = device_seen(2, "b");
        seen.always_active = true;
        seen
    };
    assert_eq!(at_once(bench.hot.announce(&device_seen(1, "a"), LEASE)).unwrap(), Announced::Active);
    assert_eq!(at_once(bench.hot.announce(&simulator, LEASE)).unwrap(), Announced::Active);
    let held = at_once(bench.hot.announce(&device_seen(2, "a"), LEASE)).unwrap();
    assert_eq!(held, Announced::Held { by: "b".to_owned(), until: None });
    bench.clock.advance(LEASE);
    let names: Vec<_> = at_once(bench.hot.active()).unwrap().into_iter().map(|d| d.seen.id).collect();
    assert_eq!(names, [device_id(2)]);
    assert!(!at_once(bench.hot.withdraw(&device_id(2), "a")).unwrap());
    assert!(at_once(bench.hot.withdraw(&device_id(2), "b")).unwrap());
    assert_eq!(bench.used(), 0);
}
