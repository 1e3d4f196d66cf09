//! A cluster under load: a master killed, and slots moved from node to node.
//!
//! What replicas were waited for survives; an applied batch that they had not is lost openly, as `Behind`, or not at all.
//! No answer is another call's, whatever moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use lucihub_hot::redis::RedisHot;
use lucihub_models_core::StoreError;
use lucihub_models_core::hot::{Durability, HotAppend, HotRuns, Outcome, Secured};
use lucihub_testkit::servers::{Fsync, RedisCluster, RedisOptions as Config, RedisSentinel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::check::{exact, read_along};
use super::tally::Tally;
use super::writer::Writer;
use crate::harness::{open, options};

const WRITERS: u64 = 8;
const PATIENCE: Duration = Duration::from_secs(120);

/// Writers at work, until they are told to stop.
struct Work {
    tally: Arc<Tally>,
    stop: watch::Sender<bool>,
    writers: Vec<JoinHandle<Writer>>,
}

impl Work {
    /// `secures` makes each writer wait for a replica after its windows.
    async fn begin(hot: &RedisHot, secures: bool) -> Self {
        let (stop, stopped) = watch::channel(false);
        let tally = Arc::new(Tally::default());
        let mut writers = Vec::new();
        for n in 0..WRITERS {
            let mut writer = Writer::begin(hot.clone(), n, tally.clone()).await;
            let stopped = stopped.clone();
            writers.push(tokio::spawn(async move {
                while !*stopped.borrow() {
                    if secures { append_and_secure(&mut writer).await } else { writer.append(8).await }
                }
                writer
            }));
        }
        Self { tally, stop, writers }
    }

    /// Waits until so many more batches are in.
    async fn go_on(&self, more: u64) {
        let goal = self.tally.acknowledged() + more;
        let most = Instant::now() + PATIENCE;
        while self.tally.acknowledged() < goal {
            assert!(Instant::now() < most, "writers do not go on: {:?}", self.tally);
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn end(self) -> Vec<Writer> {
        self.stop.send_replace(true);
        let ended = timeout(PATIENCE, join_all(self.writers)).await.expect("writers come to an end");
        ended.into_iter().map(Result::unwrap).collect()
    }
}

/// Asks again until the store answers.
macro_rules! answered {
    ($ask:expr) => {
        loop {
            match $ask.await {
                Ok(answer) => break answer,
                Err(StoreError::Unavailable { .. } | StoreError::Unknown { .. }) => {
                    sleep(Duration::from_millis(2)).await
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
}

/// Appends batches and waits for a replica. What was not secured before may be lost by a failover, openly: then it is
/// sent again.
async fn append_and_secure(writer: &mut Writer) {
    let secured = writer.acknowledged;
    let mut seq = secured + 1;
    while seq <= secured + 8 {
        let batch = writer.batch(seq);
        match answered!(writer.hot().append(&batch)).outcome {
            Outcome::Applied | Outcome::Duplicate => seq += 1,
            Outcome::Behind(last) => {
                assert!(last >= secured, "run {}: {last} of {secured} secured batches are left", writer.run);
                seq = last + 1;
            }
            other => panic!("run {}, batch {seq}: {other:?}", writer.run),
        }
        if seq > secured + 8 {
            let (run, mark) = (writer.run, writer.mark());
            let level = Durability::Replicated(1);
            if answered!(writer.hot().secure(run, mark, secured + 8, level)) == Secured::Missing {
                let last = answered!(writer.hot().get(run)).expect("the run is there").last_seq;
                assert!(last >= secured, "run {run}: {last} of {secured} secured batches are left");
                seq = last + 1;
            }
        }
        writer.tally().applied.fetch_add(1, Ordering::SeqCst);
    }
    writer.acknowledged += 8;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_move_under_load_and_no_answer_is_wrong() {
    let cluster = Arc::new(tokio::task::block_in_place(|| RedisCluster::start(&Config::new())));
    let options = options(&cluster.url());
    let hot = open(options.clone()).await;
    let work = Work::begin(&hot, false).await;
    let stop = Arc::new(AtomicBool::new(false));
    let runs = (0..WRITERS).map(lucihub_testkit::models::run_id).collect();
    let reader = tokio::spawn(read_along(open(options.clone()).await, runs, stop.clone()));
    work.go_on(200).await;
    for turn in 0..3 {
        // The node of a run that is written, so that its slot may well be among those that move.
        let key = format!("{{{}}}", lucihub_testkit::models::run_id(turn));
        let moving = cluster.clone();
        let moved = move || {
            let from = moving.master_of(&key);
            let to = (0..6).find(|node| *node != from && !moving.replicas_of(*node).is_empty()).unwrap();
            moving.reshard(2_000, from, to);
        };
        tokio::task::spawn_blocking(moved).await.unwrap();
        work.go_on(200).await;
    }
    stop.store(true, Ordering::SeqCst);
    assert!(reader.await.unwrap() > 0, "nothing was read meanwhile");
    let fresh = open(options).await;
    for writer in work.end().await {
        exact(&fresh, writer.run, writer.acknowledged).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_master_takes_nothing_that_a_replica_has() {
    let config = Config::new().append_only(Fsync::EverySecond);
    let cluster = Arc::new(tokio::task::block_in_place(|| RedisCluster::start(&config)));
    let options = options(&cluster.url());
    let hot = open(options.clone()).await;
    let work = Work::begin(&hot, true).await;
    work.go_on(200).await;
    let key = format!("{{{}}}", lucihub_testkit::models::run_id(0));
    let node = cluster.master_of(&key);
    cluster.kill(node);
    let most = Instant::now() + PATIENCE;
    while cluster.master_of(&key) == node {
        assert!(Instant::now() < most, "no replica takes over");
        sleep(Duration::from_millis(50)).await;
    }
    // It comes back as a replica, which the writers of its runs wait for.
    let back = cluster.clone();
    tokio::task::spawn_blocking(move || back.restart(node)).await.unwrap();
    work.go_on(400).await;
    let fresh = open(options).await;
    for writer in work.end().await {
        exact(&fresh, writer.run, writer.acknowledged).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinel_names_another_master_and_writers_go_on() {
    let sentinel = Arc::new(tokio::task::block_in_place(|| RedisSentinel::start(&Config::new())));
    let options = options(&sentinel.url());
    let hot = open(options.clone()).await;
    let work = Work::begin(&hot, true).await;
    work.go_on(200).await;
    sentinel.kill_master();
    work.go_on(400).await;
    let fresh = open(options).await;
    for writer in work.end().await {
        exact(&fresh, writer.run, writer.acknowledged).await;
    }
}
