//! A server whose disk is full: nothing by halves, nothing acknowledged lost, and on once there is room.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::StoreError;
use lucihub_models_core::hot::{HotAppend, HotRuns, Outcome};
use lucihub_testkit::models::{lorenz_head, run_id};
use lucihub_testkit::servers::{Fsync, RedisOptions as Config, RedisServer};

use super::check::{exact, exact_stored};
use super::tally::Tally;
use super::writer::Writer;

use crate::redis::harness::{open, options};

/// What its file may grow before the disk is full: some tens of batches.
const ROOM: u64 = 64 * 1024;

fn fill(server: &RedisServer) {
    let info = server.cli(&["INFO", "persistence"]);
    let size = info.lines().find_map(|line| line.trim().strip_prefix("aof_current_size:")).unwrap();
    server.limit_files(Some(size.parse::<u64>().unwrap() + ROOM));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_full_and_goes_on_when_there_is_room() {
    let server = RedisServer::start(Config::new().append_only(Fsync::EverySecond).bearing_full_disk());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let mut writer = Writer::begin(hot.clone(), 1, Arc::new(Tally::default())).await;
    writer.append(8).await;
    fill(&server);
    for seq in writer.acknowledged + 1.. {
        match hot.append(&writer.batch(seq)).await.unwrap().outcome {
            Outcome::Applied => writer.acknowledged = seq,
            Outcome::Full => break,
            other => panic!("{other:?}"),
        }
        assert!(seq < 10_000, "it is never full");
    }
    // Reading goes on, and what was refused is not there.
    exact(&open(options.clone()).await, writer.run, writer.acknowledged).await;
    let mut head = lorenz_head(1);
    head.id = run_id(2);
    let error = hot.open(&head).await.unwrap_err();
    assert!(matches!(&error, StoreError::Full { why, .. } if why.contains("disk")), "{error}");

    server.limit_files(None);
    // It tries again by itself, ten times a second.
    let most = tokio::time::Instant::now() + Duration::from_secs(30);
    while hot.append(&writer.batch(writer.acknowledged + 1)).await.unwrap().outcome == Outcome::Full {
        assert!(tokio::time::Instant::now() < most, "{}", server.last_lines());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    writer.append(50).await;
    // What it had to keep in memory meanwhile is in its file now.
    tokio::task::block_in_place(|| server.restart());
    let fresh = open(options.clone()).await;
    exact(&fresh, writer.run, writer.acknowledged).await;
    exact_stored(&server, &options.prefix, writer.run, writer.acknowledged);
}

/// One that promises to have on its disk what it has acknowledged cannot keep that, and ends itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_for_want_of_room_has_all_that_it_acknowledged() {
    let server = RedisServer::start(Config::new().append_only(Fsync::Always).bearing_full_disk());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let mut writer = Writer::begin(hot.clone(), 1, Arc::new(Tally::default())).await;
    fill(&server);
    for seq in 1.. {
        match hot.append(&writer.batch(seq)).await {
            Ok(answer) => assert_eq!(answer.outcome, Outcome::Applied),
            Err(StoreError::Unknown { .. } | StoreError::Unavailable { .. }) => break,
            Err(other) => panic!("{other}"),
        }
        writer.acknowledged = seq;
        assert!(seq < 10_000, "it is never full");
    }
    assert!(!server.is_running());
    // The limit went with the process.
    tokio::task::block_in_place(|| server.restart());
    writer.append(8).await;
    exact(&open(options.clone()).await, writer.run, writer.acknowledged).await;
    exact_stored(&server, &options.prefix, writer.run, writer.acknowledged);
}
