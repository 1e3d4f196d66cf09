//! Subscriptions that a cluster ends without a word, when slots move or a master is replaced: they are made anew, and
//! whoever listens is woken.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::hot::{HotRuns, HotWatch, RunWakes, Wakes};
use lucihub_testkit::models::{run_head, run_id};
use lucihub_testkit::servers::{Fsync, RedisCluster, RedisOptions as Config};
use tokio::time::{Instant, sleep, timeout};

use super::tally::Tally;
use super::writer::{Writer, answered};

use crate::redis::harness::{open, options};

/// Subscriptions are renewed every five seconds.
const SOON: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(120);
/// The slots that move are the first ones of a node.
const SLOTS: u16 = 600;

/// The first slot of each master.
const FIRST: [u16; 3] = [0, 5_461, 10_923];

fn slot(cluster: &RedisCluster, key: &str) -> u16 {
    cluster.nodes()[0].cli(&["CLUSTER", "KEYSLOT", key]).parse().unwrap()
}

/// Whether a key is of the slots that move off the first master.
fn moves(cluster: &RedisCluster, key: &str) -> bool {
    (FIRST[0]..SLOTS - 100).contains(&slot(cluster, key))
}

/// Options whose keepers' channel moves too.
fn moving_options(cluster: &RedisCluster) -> RedisOptions {
    let options = options(&cluster.url());
    let prefixes = (0..).map(|n| format!("{}-{n}", options.prefix));
    let prefix = prefixes.into_iter().find(|prefix| moves(cluster, &format!("{prefix}:wake"))).unwrap();
    options.clone().with_prefix(prefix)
}

/// Followers of some runs, and a keeper.
struct Ears {
    followers: Vec<RunWakes>,
    keepers: Wakes,
}

impl Ears {
    async fn of(ears: &RedisHot, cluster: &RedisCluster, options: &RedisOptions, writers: &[Writer]) -> Self {
        let followers = writers.iter().map(|writer| ears.watch(writer.run)).collect();
        let this = Self { followers, keepers: ears.wakes() };
        for writer in writers {
            let channel = format!("{}:{{{}}}:wake", options.prefix, writer.run);
            let most = Instant::now() + SOON;
            let master = &cluster.nodes()[cluster.master_of(&channel)];
            while !master.cli(&["PUBSUB", "SHARDNUMSUB", &channel]).ends_with("\n1") {
                assert!(Instant::now() < most, "nobody listens to {channel}");
                sleep(Duration::from_millis(5)).await;
            }
        }
        this
    }

    /// Every change wakes: those that come once subscriptions are renewed at the latest.
    async fn hear(&mut self, hot: &RedisHot, writers: &mut [Writer], seed: u64, when: &str) {
        for (writer, wakes) in writers.iter_mut().zip(&mut self.followers) {
            let most = Instant::now() + SOON;
            // What woke it before does not count.
            while wakes.next().now_or_never().is_some() {}
            loop {
                writer.append(1).await;
                if timeout(Duration::from_millis(500), wakes.next()).await.is_ok() {
                    break;
                }
                assert!(Instant::now() < most, "{when}: a follower of run {} is not woken", writer.run);
            }
        }
        let most = Instant::now() + SOON;
        for n in 0.. {
            let head = run_head(seed + n);
            answered(async || hot.open(&head).await).await;
            let told = self.keepers.by_ref().any(|run| async move { run == head.id });
            if timeout(Duration::from_millis(500), told).await.is_ok() {
                break;
            }
            assert!(Instant::now() < most, "{when}: keepers are not woken");
        }
    }
}

async fn writers(hot: &RedisHot, seeds: impl IntoIterator<Item = u64>) -> Vec<Writer> {
    let mut writers = Vec::new();
    for seed in seeds {
        writers.push(Writer::begin(hot.clone(), seed, Arc::new(Tally::default())).await);
    }
    writers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_and_keepers_are_woken_after_their_slots_moved() {
    let cluster = Arc::new(tokio::task::block_in_place(|| RedisCluster::start(&Config::new())));
    let options = moving_options(&cluster);
    let (ears, hot) = (open(options.clone()).await, open(options.clone()).await);
    let seeds = (0..).filter(|seed| moves(&cluster, &format!("{{{}}}", run_id(*seed)))).take(3);
    let mut writers = writers(&hot, seeds).await;
    let mut heard = Ears::of(&ears, &cluster, &options, &writers).await;
    heard.hear(&hot, &mut writers, 1_000_000, "before").await;
    let (from, moving) = (cluster.master_of(&format!("{}:wake", options.prefix)), cluster.clone());
    tokio::task::spawn_blocking(move || {
        let to = (0..6).find(|node| *node != from && !moving.replicas_of(*node).is_empty()).unwrap();
        moving.reshard(SLOTS, from, to);
    })
    .await
    .unwrap();
    assert_ne!(cluster.master_of(&format!("{}:wake", options.prefix)), from, "it moved");
    heard.hear(&hot, &mut writers, 2_000_000, "slots moved").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_and_keepers_are_woken_after_a_failover() {
    let config = Config::new().append_only(Fsync::EverySecond);
    let cluster = Arc::new(tokio::task::block_in_place(|| RedisCluster::start(&config)));
    let options = moving_options(&cluster);
    let (ears, hot) = (open(options.clone()).await, open(options.clone()).await);
    // Runs that come into being after the failover, so that none of what is lost by it matters.
    let first = writers(&hot, 0..3).await;
    let _heard = Ears::of(&ears, &cluster, &options, &first).await;
    let seeds = (10..).filter(|seed| moves(&cluster, &format!("{{{}}}", run_id(*seed)))).take(3);
    let waiting: Vec<u64> = seeds.collect();
    let followers = waiting.iter().map(|seed| ears.watch(run_id(*seed))).collect();
    let mut heard = Ears { followers, keepers: ears.wakes() };
    let key = format!("{}:wake", options.prefix);
    let node = cluster.master_of(&key);
    cluster.kill(node);
    let most = Instant::now() + PATIENCE;
    while cluster.master_of(&key) == node {
        assert!(Instant::now() < most, "no replica takes over");
        sleep(Duration::from_millis(50)).await;
    }
    let mut writers = writers(&hot, waiting).await;
    heard.hear(&hot, &mut writers, 3_000_000, "another master").await;
}
