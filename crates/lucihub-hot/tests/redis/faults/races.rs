//! Two that want the same run at the same moment, on two connections: one wins, each time.

use std::sync::Arc;
use std::time::Duration;

use lucihub_hot::redis::RedisHot;
use lucihub_models_core::hot::{Cancelled, HotRuns, HotSamples, Seal, TakeOver, TookOver};
use lucihub_models_core::{IdSource, RunId, RunState};
use lucihub_testkit::SeededIds;
use lucihub_testkit::models::run_head;
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};
use tokio::sync::Barrier;

use super::tally::Tally;
use super::writer::{LEASE, SAMPLES, Writer};

use crate::redis::harness::{open, options};

const RACES: u64 = 1_000;

/// Two handles on one server.
async fn two() -> (RedisServer, RedisHot, RedisHot) {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let (a, b) = (open(options.clone()).await, open(options).await);
    (server, a, b)
}

fn request(run: RunId, worker: &str, ids: &SeededIds) -> TakeOver {
    TakeOver { run, worker: worker.to_owned(), writer: ids.writer_id(), lease: LEASE }
}

/// Both at once.
async fn race<A: Send + 'static, B: Send + 'static>(
    a: impl Future<Output = A> + Send + 'static,
    b: impl Future<Output = B> + Send + 'static,
) -> (A, B) {
    let gate = Arc::new(Barrier::new(2));
    let other = gate.clone();
    let a = tokio::spawn(async move {
        gate.wait().await;
        a.await
    });
    let b = tokio::spawn(async move {
        other.wait().await;
        b.await
    });
    (a.await.unwrap(), b.await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_take_over_and_cancel_exactly_one_wins() {
    let (_server, a, b) = two().await;
    let ids = SeededIds::new(0x7ace);
    let (mut taken, mut cancelled) = (0, 0);
    for n in 0..RACES {
        let mut head = run_head(n);
        head.id = ids.run_id();
        let run = head.id;
        a.open(&head).await.unwrap();
        let (request, worker, canceller) = (request(run, "worker", &ids), a.clone(), b.clone());
        let take = async move { worker.take_over(&request).await.unwrap() };
        let cancel = async move { canceller.cancel(run, Some("no need")).await.unwrap() };
        let answers = if n % 2 == 0 {
            race(take, cancel).await
        } else {
            let (cancel, take) = race(cancel, take).await;
            (take, cancel)
        };
        let seen = b.get(run).await.unwrap().unwrap();
        match answers {
            (TookOver::Taken(won), Cancelled::Requested) => {
                assert!(seen.is_held() && seen.seal.is_none() && seen.cancel, "race {n}: {seen:?}");
                assert_eq!(seen.lease.unwrap().mark, won.mark, "race {n}");
                taken += 1;
            }
            (TookOver::Cancelled, Cancelled::Cancelled) => {
                assert_eq!(seen.seal, Some(Seal::Ended(RunState::Cancelled)), "race {n}");
                assert!(seen.lease.is_none(), "race {n}: {seen:?}");
                cancelled += 1;
            }
            both => panic!("race {n}: {both:?}"),
        }
    }
    assert!(taken > 0 && cancelled > 0, "no races: {taken} taken over, {cancelled} cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_workers_exactly_one_gets_the_run() {
    let (_server, a, b) = two().await;
    let ids = SeededIds::new(0x2ace);
    let mut won = [0, 0];
    for n in 0..RACES {
        let mut head = run_head(n);
        head.id = ids.run_id();
        let run = head.id;
        a.open(&head).await.unwrap();
        if n % 4 == 0 {
            // One that was held before, and whose worker is gone.
            let dead = TakeOver { lease: Duration::ZERO, ..request(run, "dead", &ids) };
            assert!(matches!(a.take_over(&dead).await.unwrap(), TookOver::Taken(_)));
        }
        let requests = [request(run, "a", &ids), request(run, "b", &ids)];
        let [first, second] = [a.clone(), b.clone()].into_iter().zip(requests).collect::<Vec<_>>().try_into().unwrap();
        let take = |(hot, request): (RedisHot, TakeOver)| async move { hot.take_over(&request).await.unwrap() };
        let answers: [TookOver; 2] = race(take(first), take(second)).await.into();
        let winner = match &answers {
            [TookOver::Taken(_), TookOver::Held { by, .. }] if by == "a" => 0,
            [TookOver::Held { by, .. }, TookOver::Taken(_)] if by == "b" => 1,
            both => panic!("race {n}: {both:?}"),
        };
        let TookOver::Taken(taken) = &answers[winner] else { unreachable!("it was one of the two") };
        let lease = a.get(run).await.unwrap().unwrap().lease.unwrap();
        assert_eq!((lease.mark, lease.worker), (taken.mark, ["a", "b"][winner].to_owned()), "race {n}");
        won[winner] += 1;
    }
    assert!(won.iter().all(|count| *count > 0), "no races: {won:?}");
}

/// A failover to a replica that is behind, and back: between two parts of a read the run is shorter, and nothing is damaged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_goes_back_while_it_is_read_is_not_corrupt() {
    const SHORT: u64 = 100;
    const LONG: u64 = 300;
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let mut writer = Writer::begin(hot.clone(), 1, Arc::new(Tally::default())).await;
    let names = ["run", "s:0"].map(|name| format!("{}:{{{}}}:{name}", options.prefix, writer.run));
    for (more, copy) in [(SHORT, "short"), (LONG - SHORT, "long")] {
        writer.append(more).await;
        names.iter().for_each(|name| drop(server.cli(&["COPY", name, &format!("{copy} {name}")])));
    }
    let put = "for _, key in ipairs(KEYS) do redis.call('COPY', ARGV[1] .. ' ' .. key, key, 'REPLACE') end";
    let run = writer.run;
    let ends = [SHORT * SAMPLES, LONG * SAMPLES];
    let reading = tokio::spawn(async move {
        let mut seen = [0, 0];
        while seen[0] < 20 || seen[1] < 20 {
            let series = hot.window(run, 0, 0..u64::MAX).await.unwrap().unwrap();
            let which = ends.iter().position(|end| *end == series.end).unwrap_or_else(|| panic!("{}", series.end));
            assert_eq!(series.values.len() as u64, ends[which]);
            seen[which] += 1;
        }
    });
    while !reading.is_finished() {
        for copy in ["short", "long"] {
            server.cli(&["EVAL", put, "2", &names[0], &names[1], copy]);
        }
    }
    reading.await.unwrap();
}
