//! Wake-ups while the connection that hears them is cut and the server restarts: whoever looks only when woken misses
//! nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lucihub_hot::redis::RedisHot;
use lucihub_models_core::hot::{HotLogs, HotRuns, HotWatch, RunWakes};
use lucihub_testkit::models::run_head;
use lucihub_testkit::servers::{Fsync, Proxy, RedisOptions as Config, RedisServer};
use tokio::time::{Instant, sleep, timeout};

use super::tally::Tally;
use super::writer::{Writer, line};

use crate::redis::harness::{by, open, options};

/// A generous bound: the connection is tried every five seconds.
const SOON: Duration = Duration::from_secs(20);

async fn woken(wakes: &mut RunWakes, when: &str) {
    let wake = timeout(SOON, wakes.next()).await;
    assert_eq!(wake.ok(), Some(Some(())), "not woken in {SOON:?}: {when}");
}

/// Waits until so many connections listen to a channel.
async fn heard(server: &RedisServer, channel: &str, by: u32) {
    let most = Instant::now() + SOON;
    while !server.cli(&["PUBSUB", "SHARDNUMSUB", channel]).ends_with(&format!("\n{by}")) {
        assert!(Instant::now() < most, "nobody listens to {channel}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Looks only when woken, and takes what is new; until it has so many lines.
async fn look_when_woken(eyes: &RedisHot, writer: &Writer, wakes: &mut RunWakes, seen: &mut u64) {
    while *seen < writer.acknowledged {
        woken(wakes, &format!("line {seen} of {}", writer.acknowledged)).await;
        let lines = eyes.lines(writer.run, *seen..u64::MAX).await.unwrap().expect("the run is there");
        assert_eq!(lines.first, *seen);
        assert!((*seen..).zip(&lines.lines).all(|(number, have)| *have == line(writer.run, number)));
        *seen = lines.end();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_wakes_a_follower_whose_connection_is_cut_again_and_again() {
    const SEED: u64 = 0x3a7e;
    const CUTS: u64 = 40;
    let server = RedisServer::start(Config::new());
    let proxy = Proxy::start(server.port(), SEED);
    let behind = options(&proxy.url());
    // Only the listener's connection is cut: what is asked here is whether it wakes.
    let (ears, eyes) = (open(behind.clone()).await, open(by(&server.url(), &behind)).await);
    let mut writer = Writer::begin(eyes.clone(), 1, Arc::new(Tally::default())).await;
    let (mut wakes, mut seen) = (ears.watch(writer.run), 0);
    proxy.cut_every(1..4_000);
    while proxy.cuts() < CUTS {
        writer.append(1).await;
        look_when_woken(&eyes, &writer, &mut wakes, &mut seen).await;
    }
    assert!(seen >= CUTS / 2, "seed {SEED:#x}: {seen} lines in {} cuts", proxy.cuts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_a_follower_is_cut_off_wakes_it_once_it_is_back() {
    let server = RedisServer::start(Config::new());
    let proxy = Proxy::start(server.port(), 1);
    let behind = options(&proxy.url());
    let (ears, eyes) = (open(behind.clone()).await, open(by(&server.url(), &behind)).await);
    let mut writer = Writer::begin(eyes.clone(), 1, Arc::new(Tally::default())).await;
    let (mut wakes, mut seen) = (ears.watch(writer.run), 0);
    for _ in 0..3 {
        // Refused, so that nothing that is pushed meanwhile can arrive later.
        tokio::task::block_in_place(|| proxy.refuse());
        writer.append(1).await;
        while wakes.next().now_or_never().is_some() {}
        tokio::task::block_in_place(|| proxy.resume());
        look_when_woken(&eyes, &writer, &mut wakes, &mut seen).await;
        heard(&server, &format!("{}:{{{}}}:wake", behind.prefix, writer.run), 1).await;
        for _ in 0..3 {
            writer.append(1).await;
            look_when_woken(&eyes, &writer, &mut wakes, &mut seen).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_and_keepers_are_woken_by_a_server_that_was_restarted() {
    let server = Arc::new(RedisServer::start(Config::new().append_only(Fsync::Always)));
    let options = options(&server.url());
    let (ears, hot) = (open(options.clone()).await, open(options.clone()).await);
    let mut writer = Writer::begin(hot.clone(), 1, Arc::new(Tally::default())).await;
    let (mut wakes, mut keepers, mut seen) = (ears.watch(writer.run), ears.wakes(), 0);
    for round in 0..3 {
        let restarted = server.clone();
        tokio::task::spawn_blocking(move || restarted.restart()).await.unwrap();
        writer.append(2).await;
        look_when_woken(&hot, &writer, &mut wakes, &mut seen).await;

        heard(&server, &format!("{}:wake", options.prefix), 2).await;
        let head = run_head(100 + round);
        hot.open(&head).await.unwrap();
        let told = timeout(SOON, keepers.by_ref().any(|run| async move { run == head.id })).await;
        assert_eq!(told.ok(), Some(true), "round {round}: keepers are not woken");
    }
}
