//! A cluster under load: a master killed or cut off, and slots moved from node to node.
//!
//! What replicas were waited for survives; an applied batch that they had not is lost openly, as `Behind`, or not at all.
//! No answer is another call's, whatever moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use lucihub_hot::redis::RedisHot;
use lucihub_models_core::StoreError;
use lucihub_models_core::hot::{Announced, Durability, HotAppend, HotDevices, HotRuns, Outcome, Secured};
use lucihub_testkit::models::{device_seen, run_id};
use lucihub_testkit::servers::{Fsync, RedisCluster, RedisOptions as Config, RedisSentinel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::check::{exact, read_along};
use super::tally::Tally;
use super::writer::{LEASE, Writer};

use crate::redis::harness::{open, options};

const WRITERS: u64 = 8;
const PATIENCE: Duration = Duration::from_secs(120);

/// Writers at work, until they are told to stop.
struct Work {
    /// One of each writer.
    tallies: Vec<Arc<Tally>>,
    stop: watch::Sender<bool>,
    writers: Vec<JoinHandle<Writer>>,
}

impl Work {
    /// A writer for each seed. `secures` makes each wait for a replica after its windows.
    async fn begin(hot: &RedisHot, seeds: impl IntoIterator<Item = u64>, secures: bool) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (mut tallies, mut writers) = (Vec::new(), Vec::new());
        for seed in seeds {
            let tally = Arc::new(Tally::default());
            tallies.push(tally.clone());
            let mut writer = Writer::begin(hot.clone(), seed, tally).await;
            let stopped = stopped.clone();
            writers.push(tokio::spawn(async move {
                while !*stopped.borrow() {
                    if secures { append_and_secure(&mut writer).await } else { writer.append(8).await }
                }
                writer
            }));
        }
        Self { tallies, stop, writers }
    }

    /// Waits until so many more batches are in.
    async fn go_on(&self, more: u64) {
        let all = || self.tallies.iter().map(|tally| tally.acknowledged()).sum::<u64>();
        let goal = all() + more;
        self.wait(|| all() >= goal).await;
    }

    /// Waits until so many more batches of every writer are in.
    async fn go_on_each(&self, more: u64) {
        let goals: Vec<u64> = self.tallies.iter().map(|tally| tally.acknowledged() + more).collect();
        self.wait(|| self.tallies.iter().zip(&goals).all(|(tally, goal)| tally.acknowledged() >= *goal)).await;
    }

    async fn wait(&self, done: impl Fn() -> bool) {
        let most = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < most, "writers do not go on: {:?}", self.tallies);
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
    }
    writer.tally().applied.fetch_add(8, Ordering::SeqCst);
    writer.acknowledged += 8;
}

/// What all keys of a writer's run have in common.
fn key(seed: u64) -> String {
    format!("{{{}}}", run_id(seed))
}

/// Reads the runs of all writers, in a task.
fn read(hot: RedisHot, seeds: impl IntoIterator<Item = u64>, stop: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let runs = seeds.into_iter().map(run_id).collect();
    tokio::spawn(read_along(hot, runs, stop.clone()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_move_under_load_and_no_answer_is_wrong() {
    /// The slots that move are the first ones of a node.
    const SLOTS: u16 = 600;
    let cluster = Arc::new(tokio::task::block_in_place(|| RedisCluster::start(&Config::new())));
    let slot = |seed| cluster.nodes()[0].cli(&["CLUSTER", "KEYSLOT", &key(seed)]).parse::<u16>().unwrap();
    // Where the masters' ranges begin.
    let moves =
        |seed: &u64| [0, 5_461, 10_923].iter().any(|first| (*first..first + SLOTS - 100).contains(&slot(*seed)));
    let seeds: Vec<u64> = (0..).filter(moves).take(usize::try_from(WRITERS).unwrap()).collect();
    let options = options(&cluster.url());
    let hot = open(options.clone()).await;
    let work = Work::begin(&hot, seeds.clone(), false).await;
    let stop = Arc::new(AtomicBool::new(false));
    let reader = read(open(options.clone()).await, seeds.clone(), &stop);
    work.go_on(200).await;
    let mut moved = 0;
    for turn in 0..3 {
        let (moving, seeds) = (cluster.clone(), seeds.clone());
        let reshard = move || {
            let masters = || seeds.iter().map(|seed| moving.master_of(&key(*seed))).collect::<Vec<_>>();
            let before = masters();
            let from = before[turn];
            let to = (0..6).find(|node| *node != from && !moving.replicas_of(*node).is_empty()).unwrap();
            moving.reshard(SLOTS, from, to);
            before.into_iter().zip(masters()).filter(|(before, after)| before != after).count()
        };
        moved += tokio::task::spawn_blocking(reshard).await.unwrap();
        work.go_on(200).await;
    }
    assert!(moved >= 3, "only {moved} runs moved, so this tested nothing");
    stop.store(true, Ordering::SeqCst);
    assert!(reader.await.unwrap() > 0, "nothing was read meanwhile");
    let fresh = open(options).await;
    for writer in work.end().await {
        exact(&fresh, writer.run, writer.acknowledged).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_are_asked_for_again_until_their_slot_has_moved() {
    let cluster = Arc::new(tokio::task::block_in_place(|| RedisCluster::start(&Config::new())));
    let options = options(&cluster.url());
    let hot = open(options.clone()).await;
    let hasty = open(options.clone().with_timeout(Duration::from_millis(500))).await;
    for n in 0..3 {
        hot.announce(&device_seen(n, "scanner"), LEASE).await.unwrap();
    }
    let slot = cluster.nodes()[0].cli(&["CLUSTER", "KEYSLOT", "{devices}"]);
    let source = cluster.master_of("{devices}");
    let target = (0..6).find(|node| *node != source && !cluster.replicas_of(*node).is_empty()).unwrap();
    let (from, to) = (&cluster.nodes()[source], &cluster.nodes()[target]);
    let (from_id, to_id) = (from.cli(&["CLUSTER", "MYID"]), to.cli(&["CLUSTER", "MYID"]));
    to.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    let port = to.port().to_string();
    let migrate = |key: &str| from.cli(&["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS", key]);
    let device = |n| format!("{}:{{devices}}:d:{}", options.prefix, device_seen(n, "").id);
    // One device is there and its list is here: nobody can tell now, and nobody is told something wrong.
    migrate(&device(1));
    let seen = device_seen(2, "scanner");
    for answer in [hasty.active().await.map(drop), hasty.active_device(&device_seen(1, "").id).await.map(drop)] {
        assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
    }
    let (asks, announces) = (hot.clone(), hot.clone());
    let asked = tokio::spawn(async move { asks.active().await });
    let fresh = device_seen(9, "scanner");
    let announced = tokio::spawn(async move { announces.announce(&fresh, LEASE).await });
    sleep(Duration::from_millis(200)).await;
    migrate(&device(0));
    migrate(&device(2));
    migrate(&format!("{}:{{devices}}:all", options.prefix));
    for node in [to, from] {
        node.cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    assert_eq!(timeout(PATIENCE, announced).await.unwrap().unwrap().unwrap(), Announced::Active);
    let listed = timeout(PATIENCE, asked).await.unwrap().unwrap().unwrap();
    assert!((3..=4).contains(&listed.len()), "{listed:?}");
    assert_eq!(hot.active_device(&seen.id).await.unwrap().unwrap().seen, seen);
    assert_eq!(hot.active().await.unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_master_takes_nothing_that_a_replica_has() {
    let config = Config::new().append_only(Fsync::EverySecond);
    let cluster = Arc::new(tokio::task::block_in_place(|| RedisCluster::start(&config)));
    let options = options(&cluster.url());
    let hot = open(options.clone()).await;
    let work = Work::begin(&hot, 0..WRITERS, true).await;
    work.go_on(200).await;
    let stop = Arc::new(AtomicBool::new(false));
    let reader = read(open(options.clone()).await, 0..WRITERS, &stop);
    let key = key(0);
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
    stop.store(true, Ordering::SeqCst);
    assert!(reader.await.unwrap() > 0, "nothing was read meanwhile");
    let fresh = open(options).await;
    for writer in work.end().await {
        exact(&fresh, writer.run, writer.acknowledged).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_cut_off_takes_nothing_that_a_replica_has() {
    let cluster = Arc::new(tokio::task::block_in_place(|| RedisCluster::behind_proxies(&Config::new())));
    let options = options(&cluster.url());
    let hot = open(options.clone()).await;
    let work = Work::begin(&hot, 0..WRITERS, true).await;
    work.go_on(200).await;
    let node = cluster.master_of(&key(0));
    // Clients go on reaching it, and it answers them.
    cluster.partition(node);
    let waiting = cluster.clone();
    tokio::task::spawn_blocking(move || waiting.wait_ok()).await.unwrap();
    assert_ne!(cluster.master_of(&key(0)), node);
    // Its runs wait: their new master has no replica.
    work.go_on(200).await;
    let healing = cluster.clone();
    let healed = move || {
        healing.heal();
        healing.wait_ok();
    };
    tokio::task::spawn_blocking(healed).await.unwrap();
    work.go_on_each(40).await;
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
    let work = Work::begin(&hot, 0..WRITERS, true).await;
    work.go_on(200).await;
    let stop = Arc::new(AtomicBool::new(false));
    let reader = read(open(options.clone()).await, 0..WRITERS, &stop);
    sentinel.kill_master();
    work.go_on(400).await;
    stop.store(true, Ordering::SeqCst);
    assert!(reader.await.unwrap() > 0, "nothing was read meanwhile");
    let fresh = open(options).await;
    for writer in work.end().await {
        exact(&fresh, writer.run, writer.acknowledged).await;
    }
}
