//! Room: counted exactly, refused whole, and given back.

use std::time::Duration;

use lucihub_hot::embedded::EmbeddedOptions;
use lucihub_models_core::hot::{Cancelled, HotAppend, HotDevices, HotRuns, Outcome, Removed};
use lucihub_models_core::{BatchBody, RunState, StoreError, Timestamp};
use lucihub_testkit::models::{device_seen, ending_in, run_head, run_id, samples_body};

use crate::embedded::bench::{Bench, DAY, Worker, at_once, busy};

#[test]
fn every_way_out_gives_all_room_back() {
    let bench = Bench::new();
    let outs: [fn(&Bench, &mut Worker); 4] = [
        |bench, worker| assert!(bench.hot.forget(worker.run)),
        |bench, worker| {
            assert_eq!(at_once(bench.hot.remove(worker.run, true, DAY)).unwrap(), Removed::Removed);
        },
        |bench, worker| {
            worker.put(ending_in(BatchBody::default(), RunState::Failed));
            assert!(at_once(bench.hot.expire(worker.run, DAY)).unwrap());
            bench.clock.advance(DAY);
        },
        |bench, _| bench.hot.forget_all(),
    ];
    for (seed, out) in (0..).zip(outs) {
        let mut worker = busy(&bench, seed);
        assert!(bench.used() > 100 * 8);
        out(&bench, &mut worker);
        assert_eq!(bench.used(), 0, "way {seed}");
        assert!(at_once(bench.hot.get(worker.run)).unwrap().is_none());
    }
}

#[test]
fn nothing_that_is_not_sealed_ever_leaves() {
    let bench = Bench::new();
    let worker = busy(&bench, 1);
    at_once(bench.hot.open(&run_head(2))).unwrap();
    assert!(!at_once(bench.hot.expire(worker.run, Duration::ZERO)).unwrap());
    assert!(!at_once(bench.hot.expire(run_id(3), Duration::ZERO)).unwrap(), "an absent run");
    let used = bench.used();
    bench.clock.set(Timestamp::MAX);
    assert_eq!(bench.used(), used);
    assert_eq!(bench.get(worker.run).next.lines, 2);
    assert_eq!(bench.get(run_id(2)).head.state(), &RunState::Queued);
}

#[test]
fn a_full_store_refuses_whole_batches_and_goes_on_when_there_is_room() {
    let bench = Bench::with(EmbeddedOptions::default().with_max_bytes(20_000));
    let mut worker = bench.started(1);
    let mut at = 0;
    while worker.send(samples_body(worker.run, [(0, at..at + 100), (1, at..at + 100)])) == Outcome::Applied {
        at += 100;
    }
    let before = bench.get(worker.run);
    assert_eq!(worker.send(samples_body(worker.run, [(0, at..at + 100), (1, at..at + 100)])), Outcome::Full);
    let after = bench.get(worker.run);
    assert_eq!((before.next, before.last_seq), (after.next.clone(), after.last_seq));
    assert!(at > 0 && bench.used() <= 20_000);
    let full = at_once(bench.hot.open(&run_head(9)));
    assert!(full.is_ok() || matches!(full, Err(StoreError::Full { .. })));
    // A full store still lets runs be cancelled, trimmed and removed.
    assert_eq!(at_once(bench.hot.cancel(worker.run, Some("make room"))).unwrap(), Cancelled::Requested);
    at_once(bench.hot.confirm(worker.run, &after.next)).unwrap();
    at_once(bench.hot.trim(worker.run, &after.next)).unwrap();
    worker.put(samples_body(worker.run, [(0, at..at + 100), (1, at..at + 100)]));
}

#[test]
fn opening_in_a_full_store_is_an_error_that_says_so() {
    let bench = Bench::with(EmbeddedOptions::default().with_max_bytes(100));
    let refused = at_once(bench.hot.open(&run_head(1))).unwrap_err();
    assert!(matches!(refused, StoreError::Full { .. }), "{refused}");
    assert!(refused.to_string().contains("max_bytes"), "{refused}");
    assert_eq!(bench.used(), 0);
    let device = at_once(bench.hot.announce(&device_seen(1, "scanner"), DAY)).unwrap_err();
    assert!(matches!(device, StoreError::Full { .. }), "{device}");
}
