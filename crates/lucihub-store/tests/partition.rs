//! A master that is cut off from its cluster while the recorder still reaches it: it acknowledges what nobody else will ever
//! see, until its node timeout is over.

use std::time::Duration;

use lucihub_models_core::hot::Durability;
use lucihub_models_core::{RunId, RunState};
use lucihub_store::record::End;
use lucihub_store::{Keeper, Recorder, Store, Urls};
use lucihub_testkit::servers::{RedisCluster, RedisOptions};

use crate::lab::{digest_of, record_some, small_head, values};

const CHANNELS: u32 = 2;
const CHUNK: u64 = 100;
/// How long anything may take before it counts as hanging: half of a lease.
const PATIENCE: Duration = Duration::from_secs(30);

async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("not in {PATIENCE:?}: {what}"))
}

/// Records chunks `range` and waits until they are acknowledged.
async fn record(recorder: &Recorder, range: std::ops::Range<u64>) {
    for chunk in range {
        record_some(recorder, CHANNELS, chunk * CHUNK..(chunk + 1) * CHUNK, CHUNK).await;
        in_time("flushing", recorder.flush()).await.unwrap();
    }
}

/// How many lines a node has of the run, past the adapter.
fn lines_at(cluster: &RedisCluster, node: usize, run: RunId) -> u64 {
    let lines = cluster.nodes()[node].cli(&["HGET", &format!("lh:{{{run}}}:run"), "next:lines"]);
    lines.parse().unwrap_or_else(|_| panic!("node {node} says {lines:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_what_a_cut_off_master_acknowledged_is_noticed_as_lost_and_refilled() {
    past_a_cut(false).await;
}

/// The recorder has let go of what was confirmed; the new master has less than that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_what_a_keeper_took_from_a_cut_off_master_is_not_asked_of_the_recorder() {
    past_a_cut(true).await;
}

async fn past_a_cut(keeps: bool) {
    // Long enough for some batches after the cut, on any machine.
    let options = RedisOptions::new().line("cluster-node-timeout 4000");
    let cluster = tokio::task::block_in_place(|| RedisCluster::behind_proxies(&options));
    let dir = tempfile::tempdir().unwrap();
    let cold = format!("sqlite:{}", dir.path().join("runs.sqlite").display());
    let store = Store::open(&Urls::new(cluster.url(), cold)).await.unwrap();
    let head = small_head(CHANNELS as usize);
    let run = head.id;
    store.create(&head).await.unwrap();
    let recorder = store.record(run, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record(&recorder, 0..5).await;
    in_time("securing", recorder.flush_as(Durability::Replicated(1))).await.unwrap();

    let key = format!("lh:{{{run}}}:run");
    let old = cluster.master_of(&key);
    cluster.partition(old);
    record(&recorder, 5..9).await;
    let keeper = Keeper::new(store.clone(), crate::lab::eager());
    if keeps {
        let walked = in_time("keeping", keeper.walk()).await.unwrap();
        assert_eq!((walked.checkpoints, walked.errors.len()), (1, 0), "{walked:?}");
    }
    record(&recorder, 9..10).await;
    assert_eq!(recorder.confirmed().lines, if keeps { 9 } else { 0 });
    assert_eq!(lines_at(&cluster, old, run), 10, "the cut-off master has acknowledged them");
    tokio::task::block_in_place(|| cluster.wait_ok());
    let new = cluster.master_of(&key);
    assert_ne!(new, old);
    // What was secured is there; what was only acknowledged is not, and an idle recorder does not know.
    assert_eq!(lines_at(&cluster, new, run), 5);

    // The old one is still there for clients, and still cut off.
    in_time("securing on the new master", recorder.flush_as(Durability::Replicated(0))).await.unwrap();
    assert_eq!(lines_at(&cluster, new, run), 10, "refilled");
    assert!(recorder.stats().retries > 0 && recorder.stats().replay_dropped == 0, "{:?}", recorder.stats());
    record(&recorder, 10..15).await;

    cluster.heal();
    tokio::task::block_in_place(|| cluster.wait_ok());
    record(&recorder, 15..20).await;
    in_time("securing on both", recorder.flush_as(Durability::Replicated(1))).await.unwrap();
    in_time("the end", recorder.finish(RunState::Succeeded, End::default())).await.unwrap();

    let archived = in_time("archiving", async {
        loop {
            keeper.walk().await.unwrap();
            if let Some(archived) = store.status(run).await.unwrap().archived {
                return archived;
            }
        }
    });
    let (archived, whole) = (archived.await, store.run(run).await.unwrap());
    assert_eq!(archived.digest, digest_of(&whole));
    let texts: Vec<String> = whole.logs.iter().map(|line| line.text.clone()).collect();
    let expected: Vec<String> = (1..=20).map(|chunk| format!("up to {}", chunk * CHUNK)).collect();
    assert_eq!(texts, expected, "in order, nothing twice, nothing lost");
    for (channel, series) in (0..).zip(&whole.series) {
        assert!(series.gaps.is_empty(), "channel {channel}: {:?}", series.gaps);
        assert_eq!(series.values, values(run, channel, 0..20 * CHUNK), "channel {channel}");
    }
}
