//! Recorder, keeper, reader and follower over Redis and SQLite, while the server loses what it has.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::Durability;
use lucihub_models_core::{LogLine, Run, RunId, RunState, StoreError};
use lucihub_store::record::End;
use lucihub_store::{Event, Keeper, KeeperOptions, RecordError, RecordOptions, Select, Source, Store, Urls};
use lucihub_testkit::servers::{Fsync, Proxy, RedisOptions, RedisServer};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::lab::{digest_of, record_some, small_head, values};

const CHANNELS: u32 = 2;
const SAMPLES: u64 = 4_000;
const CHUNK: u64 = 100;
/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(90);

async fn open(url: &str, dir: &Path) -> Store {
    Store::open(&Urls::new(url, format!("sqlite:{}", dir.join("runs.sqlite").display()))).await.unwrap()
}

async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("not in {PATIENCE:?}: {what}"))
}

/// A keeper that checkpoints often, until it is told to stop.
fn keep(store: Store) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let options = KeeperOptions::default().with_checkpoint(Duration::from_millis(200), 64 * 1024);
    let keeper = Keeper::new(store, options);
    let task = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        keeper.watch(stop, |_| ()).await;
    });
    (stop, task)
}

/// Every line that a follower had, with what it was told to take back taken back; and how often it was told so.
async fn follow(store: Store, run: RunId) -> (Vec<LogLine>, RunState, u64) {
    let mut follower = store.follow(run, Select::logs());
    let (mut lines, mut rewound) = (Vec::new(), 0);
    loop {
        match follower.next().await {
            Ok(Some(Event::Lines(slice))) => {
                assert_eq!(slice.first, lines.len() as u64, "a line is missing, or came twice");
                lines.extend(slice.lines);
            }
            Ok(Some(Event::Rewound(to))) => {
                lines.truncate(usize::try_from(to.lines).unwrap());
                rewound += 1;
            }
            Ok(Some(Event::Ended(state))) => return (lines, state, rewound),
            Ok(Some(_)) => {}
            Ok(None) => panic!("a follower ended without an end"),
            Err(StoreError::Unavailable { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("a follower: {error}"),
        }
    }
}

/// Records a run, with something done to the server after every quarter; and asserts that nothing is missing anywhere.
/// Returns how often the run was put back.
async fn through(proxied: &str, direct: &str, dir: &Path, mut disturb: impl FnMut(u64)) -> u64 {
    let (store, reader) = (open(proxied, dir).await, open(direct, dir).await);
    let head = small_head(CHANNELS as usize);
    let run = head.id;
    in_time("creating", async { while store.create(&head).await.is_err() {} }).await;
    let keeping = keep(open(direct, dir).await);
    let following = tokio::spawn(follow(reader.clone(), run));
    let recorder = in_time("taking over", async {
        loop {
            match store.record_with(run, "worker", RecordOptions::default()).await {
                Ok(recorder) => return recorder,
                Err(RecordError::Store(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await;
    recorder.state(RunState::InProgress).await.unwrap();
    for quarter in 0..4 {
        let part = SAMPLES / 4;
        for chunk in 0..part / CHUNK {
            let at = quarter * part + chunk * CHUNK;
            record_some(&recorder, CHANNELS, at..at + CHUNK, CHUNK).await;
            if chunk % 4 == 3 {
                in_time("flushing", recorder.flush()).await.unwrap();
            }
        }
        tokio::task::block_in_place(|| disturb(quarter));
    }
    in_time("the end", recorder.finish(RunState::Succeeded, End::default())).await.unwrap();
    let whole = in_time("archiving", archived(&reader, run)).await;
    let (lines, state, rewound) = in_time("following", following).await.unwrap();
    assert_eq!((state, &lines), (RunState::Succeeded, &whole.logs), "the follower had exactly the log");
    assert_eq!(whole.logs.len() as u64, SAMPLES / CHUNK);
    for (channel, series) in (0..).zip(&whole.series) {
        assert!(series.gaps.is_empty(), "channel {channel}: {:?}", series.gaps);
        assert_eq!(series.values, values(run, channel, 0..SAMPLES), "channel {channel}");
    }
    let _ = keeping.0.send(());
    in_time("the keeper's end", keeping.1).await.unwrap();
    let restores = recorder.stats().restores;
    if restores == 0 {
        assert_eq!(rewound, 0, "nothing was lost, so nothing came twice");
    }
    restores
}

/// The run, once it is archived under the digest of its content.
async fn archived(store: &Store, run: RunId) -> Run {
    loop {
        if let Some(archived) = store.status(run).await.unwrap().archived {
            let whole = store.run(run).await.unwrap();
            assert_eq!(archived.digest, digest_of(&whole), "the digest is that of the content");
            return whole;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flushed_server_is_refilled() {
    let (server, dir) = (RedisServer::start(RedisOptions::new()), tempfile::tempdir().unwrap());
    let restores = through(&server.url(), &server.url(), dir.path(), |_| drop(server.cli(&["FLUSHALL"]))).await;
    assert!(restores >= 3, "put back {restores} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_empty_is_refilled() {
    let (server, dir) = (RedisServer::start(RedisOptions::new()), tempfile::tempdir().unwrap());
    let restores = through(&server.url(), &server.url(), dir.path(), |quarter| {
        if quarter < 2 {
            server.kill();
            server.restart_empty();
        }
    })
    .await;
    assert!(restores >= 2, "put back {restores} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_goes_on_from_its_file() {
    let options = RedisOptions::new().append_only(Fsync::Always);
    let (server, dir) = (RedisServer::start(options), tempfile::tempdir().unwrap());
    let restores = through(&server.url(), &server.url(), dir.path(), |quarter| {
        if quarter < 2 {
            server.kill();
            server.restart();
        }
    })
    .await;
    assert_eq!(restores, 0, "it had lost nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_are_not_seen_in_what_is_recorded() {
    let (server, dir) = (RedisServer::start(RedisOptions::new()), tempfile::tempdir().unwrap());
    let proxy = Arc::new(Proxy::start(server.port(), 7));
    let cutting = proxy.clone();
    let restores = through(&proxy.url(), &server.url(), dir.path(), move |quarter| match quarter {
        0 => cutting.cut_every(1..20_000),
        3 => cutting.calm(),
        _ => {}
    })
    .await;
    assert_eq!(restores, 0);
    assert!(proxy.cuts() > 5, "{} cuts", proxy.cuts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_readable_while_the_server_is_away() {
    let (server, dir) = (RedisServer::start(RedisOptions::new()), tempfile::tempdir().unwrap());
    let (store, head) = (open(&server.url(), dir.path()).await, small_head(1));
    store.create(&head).await.unwrap();
    crate::lab::record_whole(&store, &head, 2_000).await;
    let mut live = small_head(1);
    live.id = lucihub_testkit::models::run_id(2);
    store.create(&live).await.unwrap();
    let recorder = store.record(live.id, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 1, 0..500, 100).await;
    recorder.flush().await.unwrap();
    let keeper = Keeper::new(store.clone(), crate::lab::eager());
    crate::lab::clean_walk(&keeper).await;

    server.kill();
    assert_eq!(store.run(head.id).await.unwrap().series[0].values, values(head.id, 0, 0..2_000));
    let stale = in_time("the last checkpoint", store.status(live.id)).await.unwrap();
    assert_eq!((stale.source, stale.positions.sample(0)), (Source::Stale, 500));
    server.restart_empty();
    record_some(&recorder, 1, 500..600, 100).await;
    in_time("putting it back", recorder.flush()).await.unwrap();
    assert_eq!(store.status(live.id).await.unwrap().source, Source::Live);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_worker_is_failed_and_fenced() {
    let (server, dir) = (RedisServer::start(RedisOptions::new()), tempfile::tempdir().unwrap());
    let (store, head) = (open(&server.url(), dir.path()).await, small_head(1));
    store.create(&head).await.unwrap();
    let options = RecordOptions::default().with_lease(Duration::from_millis(300));
    let recorder = store.record_with(head.id, "worker", options).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 1, 0..300, 100).await;
    recorder.flush().await.unwrap();
    // Its process is gone: nobody renews the lease.
    drop(recorder);
    let keeping = keep(open(&server.url(), dir.path()).await);
    let whole = in_time("failing and archiving", archived(&store, head.id)).await;
    assert_eq!(whole.head.state(), &RunState::Failed);
    assert_eq!(whole.series[0].values, values(head.id, 0, 0..300));
    assert!(matches!(store.record(head.id, "late").await, Err(RecordError::Failed { .. })));
    drop(keeping);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_waits_for_replicas_or_says_that_there_are_none() {
    let master = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let store = open(&master.url(), dir.path()).await;
    let head = small_head(1);
    store.create(&head).await.unwrap();
    let options = RecordOptions::default().with_lease(Duration::from_secs(3));
    let recorder = store.record_with(head.id, "worker", options).await.unwrap();
    recorder.log("one").await.unwrap();
    let alone = recorder.flush_as(Durability::Replicated(1)).await;
    assert!(matches!(alone, Err(RecordError::Store(StoreError::Unavailable { .. }))), "{alone:?}");
    // Redis 7.0 cannot say when its disk has something, and a server without a file never can.
    let disk = recorder.flush_as(Durability::Fsynced).await.unwrap_err().to_string();
    assert!(disk.contains("append-only") || disk.contains("WAITAOF"), "{disk}");

    let replica = RedisServer::start(RedisOptions::new().replica_of(&master));
    recorder.log("two").await.unwrap();
    in_time("replication", async { while recorder.flush_as(Durability::Replicated(1)).await.is_err() {} }).await;
    let key = format!("lh:{{{}}}:log", head.id);
    assert_eq!(replica.cli(&["XLEN", &key]), master.cli(&["XLEN", &key]));
    assert!(store.hot().health().await.unwrap().used_bytes > 0);
}
