//! Followers and keepers are woken, and none misses a change.

use std::collections::HashSet;

use futures_util::{FutureExt, StreamExt};
use lucihub_models_core::RunState;
use lucihub_models_core::hot::{HotRuns, HotWatch};
use lucihub_testkit::models::{ending_in, lines_body, run_head, run_id, state_body};

use crate::embedded::bench::{Bench, LEASE, at_once};

/// Follows a run by wake-ups alone until it is sealed. A missed wake-up hangs.
async fn follow(bench: &Bench, seed: u64) -> u64 {
    let mut wakes = bench.hot.watch(run_id(seed));
    loop {
        if let Some(run) = bench.hot.get(run_id(seed)).await.unwrap()
            && run.seal.is_some()
        {
            return run.next.lines;
        }
        wakes.next().await.expect("the store is open");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_never_misses_a_wake() {
    let bench = std::sync::Arc::new(Bench::new());
    let followers: Vec<_> = (0..200)
        .map(|n| {
            let bench = bench.clone();
            tokio::spawn(async move { follow(&bench, n % 20).await })
        })
        .collect();
    let writers: Vec<_> = (0..20)
        .map(|seed| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let mut worker = bench.start(&run_head(seed));
                for line in 0..50 {
                    worker.put(lines_body([format!("{line}")]));
                    tokio::task::yield_now().await;
                }
                worker.put(state_body([RunState::InProgress]));
                worker.put(ending_in(lines_body(["end"]), RunState::Succeeded));
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let limit = std::time::Duration::from_secs(60);
    for follower in followers {
        let lines = tokio::time::timeout(limit, follower).await.expect("a wake-up was missed").unwrap();
        assert_eq!(lines, 51);
    }
}

#[test]
fn every_change_wakes_and_nothing_else_does() {
    let bench = Bench::new();
    let mut wakes = bench.hot.watch(run_id(1));
    let mut woken = |what: &str, expected: bool| {
        assert_eq!(wakes.next().now_or_never().is_some(), expected, "{what}");
        assert!(wakes.next().now_or_never().is_none(), "{what}: one wake-up for all before");
    };
    woken("nothing yet", false);
    at_once(bench.hot.open(&run_head(1))).unwrap();
    woken("opened", true);
    let mut worker = bench.take_over(run_id(1), 1);
    woken("taken over", true);
    worker.put(lines_body(["a"]));
    worker.put(lines_body(["b"]));
    woken("two batches", true);
    at_once(bench.hot.cancel(run_id(1), None)).unwrap();
    woken("cancelled", true);
    bench.started(2);
    woken("another run", false);
    worker.put(ending_in(lines_body(["c"]), RunState::Cancelled));
    woken("sealed", true);
    at_once(bench.hot.expire(run_id(1), LEASE)).unwrap();
    bench.clock.advance(LEASE);
    assert!(at_once(bench.hot.get(run_id(1))).unwrap().is_none());
    woken("left", true);
    at_once(bench.hot.remove(run_id(1), true, LEASE)).unwrap();
    woken("removed", true);
}

#[test]
fn a_thousand_followers_are_woken_at_once_and_end_with_the_store() {
    let bench = Bench::new();
    let mut worker = bench.started(1);
    let mut followers: Vec<_> = (0..1_000).map(|_| bench.hot.watch(run_id(1))).collect();
    let mut keeper = bench.hot.wakes();
    worker.put(lines_body(["a"]));
    assert!(followers.iter_mut().all(|wakes| wakes.next().now_or_never() == Some(Some(()))));
    drop((bench, worker));
    assert!(followers.iter_mut().all(|wakes| wakes.next().now_or_never() == Some(None)));
    assert_eq!(keeper.next().now_or_never(), Some(None));
}

#[test]
fn keepers_hear_of_runs_that_need_them() {
    let bench = Bench::new();
    let mut keeper = bench.hot.wakes();
    let mut heard = || std::iter::from_fn(|| keeper.next().now_or_never().flatten()).collect::<Vec<_>>();
    at_once(bench.hot.open(&run_head(1))).unwrap();
    assert_eq!(heard(), [run_id(1)], "opened");
    let mut worker = bench.take_over(run_id(1), 1);
    worker.put(lines_body(["a"]));
    assert_eq!(heard(), [], "lines are no keeper's hurry");
    worker.put(state_body([RunState::InProgress]));
    worker.put(ending_in(lines_body(["b"]), RunState::Failed));
    assert_eq!(heard(), [run_id(1), run_id(1)]);
    at_once(bench.hot.open(&run_head(2))).unwrap();
    at_once(bench.hot.cancel(run_id(2), None)).unwrap();
    assert_eq!(heard(), [run_id(2), run_id(2)]);
}

#[test]
fn a_keeper_that_lags_hears_the_newest() {
    let bench = Bench::new();
    let mut keeper = bench.hot.wakes();
    for seed in 0..5_000 {
        at_once(bench.hot.open(&run_head(seed))).unwrap();
    }
    let heard: HashSet<_> = std::iter::from_fn(|| keeper.next().now_or_never().flatten()).collect();
    assert!(heard.len() < 5_000, "it lagged");
    assert!(heard.contains(&run_id(4_999)));
}
