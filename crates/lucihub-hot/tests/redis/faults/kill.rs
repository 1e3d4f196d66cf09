//! A server that is killed while writers append, and comes back with its append-only file.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use lucihub_testkit::servers::{Fsync, RedisOptions as Config, RedisServer};
use tokio::sync::watch;

use super::check::{exact, exact_stored};
use super::tally::Tally;
use super::writer::Writer;

use crate::redis::harness::{open, options};

const WRITERS: u64 = 4;
const KILLS: u64 = 5;
/// Batches between two kills.
const STEP: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_all_that_was_acknowledged_and_writers_go_on() {
    let server = Arc::new(RedisServer::start(Config::new().append_only(Fsync::Always)));
    let options = options(&server.url());
    let (tally, hot) = (Arc::new(Tally::default()), open(options.clone()).await);
    let (done, doing) = watch::channel(false);
    let mut work = Vec::new();
    for n in 0..WRITERS {
        let mut writer = Writer::begin(hot.clone(), n, tally.clone()).await;
        let doing = doing.clone();
        work.push(tokio::spawn(async move {
            while !*doing.borrow() {
                writer.append(8).await;
            }
            writer
        }));
    }
    for kill in 1..=KILLS {
        let most = tokio::time::Instant::now() + Duration::from_secs(60);
        while tally.acknowledged() < kill * STEP {
            assert!(tokio::time::Instant::now() < most, "writers do not go on after kill {}: {tally:?}", kill - 1);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let server = server.clone();
        let killed = move || {
            server.kill();
            server.restart();
        };
        tokio::task::spawn_blocking(killed).await.unwrap();
    }
    done.send_replace(true);
    let fresh = open(options.clone()).await;
    for writer in join_all(work).await {
        let mut writer = writer.unwrap();
        writer.append(8).await;
        exact(&fresh, writer.run, writer.acknowledged).await;
        exact_stored(&*server, &options.prefix, writer.run, writer.acknowledged);
    }
    assert!(tally.failed() + tally.duplicates.load(Ordering::SeqCst) > 0, "no kill met a batch: {tally:?}");
}
