//! Calls that are given up and openings that fail: no connection stays behind, and nobody waits for others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lucihub_hot::redis::RedisHot;
use lucihub_models_core::StoreError;
use lucihub_models_core::hot::{Durability, HotAppend, Secured};
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};
use tokio::time::{sleep, timeout};

use super::tally::Tally;
use super::writer::Writer;

use crate::redis::harness::{open, options};

/// Waits until there are no more connections than this.
async fn at_most(server: &RedisServer, most: usize, what: &str) {
    let connections = || server.cli(&["CLIENT", "LIST"]).lines().count();
    let end = Instant::now() + Duration::from_secs(30);
    while connections() > most {
        assert!(Instant::now() < end, "{what}: {} connections, {most} are enough", connections());
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_leaves_no_connection() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url()).with_timeout(Duration::from_secs(2));
    let hot = open(options.clone()).await;
    let mut writer = Writer::begin(hot.clone(), 1, Arc::new(Tally::default())).await;
    writer.append(1).await;
    let base = server.cli(&["CLIENT", "LIST"]).lines().count();
    for n in 0..40 {
        let secure = hot.secure(writer.run, writer.mark(), 1, Durability::Replicated(1));
        assert!(timeout(Duration::from_micros(500 * n), secure).await.is_err(), "no replica answers so soon");
    }
    // One that waits is kept for the next who asks.
    at_most(&server, base + 1, "given up while waiting").await;

    for n in 0..40 {
        let _ = timeout(Duration::from_micros(250 * n), RedisHot::open(options.clone())).await;
    }
    at_most(&server, base + 1, "given up while opening").await;
    server.set("maxmemory-policy", "allkeys-lru");
    for _ in 0..10 {
        assert!(matches!(RedisHot::open(options.clone()).await, Err(StoreError::Precondition { .. })));
    }
    at_most(&server, base + 1, "refused").await;

    // A handle that is dropped outside of any runtime.
    let name = std::thread::spawn(move || drop((hot, writer)));
    tokio::task::block_in_place(|| name.join().unwrap());
    at_most(&server, 1, "dropped").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_for_replicas_do_not_wait_for_each_other() {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let server = RedisServer::start(Config::new());
    let hot = open(options(&server.url()).with_timeout(TIMEOUT)).await;
    let mut writers = Vec::new();
    for seed in 0..30 {
        let mut writer = Writer::begin(hot.clone(), seed, Arc::new(Tally::default())).await;
        writer.append(1).await;
        writers.push(writer);
    }
    let start = Instant::now();
    let level = Durability::Replicated(1);
    let answers = join_all(writers.iter().map(|writer| hot.secure(writer.run, writer.mark(), 1, level))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Unavailable { .. }))), "{answers:?}");
    // Each wait lasts half a second: one after the other they would take 15.
    assert!(start.elapsed() < TIMEOUT + Duration::from_secs(3), "{:?}", start.elapsed());
    let missing = hot.secure(writers[0].run, writers[0].mark(), 2, level).await.unwrap();
    assert_eq!(missing, Secured::Missing, "a batch that was never there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeout_that_cannot_work_is_refused() {
    let short = options("redis://127.0.0.1:1").with_timeout(Duration::from_micros(900));
    let refused = RedisHot::open(short).await;
    assert!(matches!(&refused, Err(StoreError::Invalid(_))), "{refused:?}");
}
