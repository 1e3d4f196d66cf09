//! Damage and strangers: blocks that were changed or moved, keys of another type, servers that are not to be used.

use std::sync::Arc;

use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::StoreError;
use lucihub_models_core::hot::{HotAppend, HotDevices, HotLogs, HotSamples, Outcome};
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

use super::tally::Tally;
use super::writer::{SAMPLES, Writer};

use crate::redis::harness::{open, options};

/// Replaces the last entry of a stream by what a function of its block makes of it.
const CHANGE: &str = "local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1] \
    local block, at = last[2][2], tonumber(ARGV[1]) \
    local changed = string.sub(block, 1, at) .. string.char((string.byte(block, at + 1) + 1) % 256) .. \
    string.sub(block, at + 2) \
    redis.call('DEL', KEYS[1]) redis.call('XADD', KEYS[1], last[1], 'b', changed) return #block";

fn is_corrupt<T: std::fmt::Debug>(answer: Result<T, StoreError>, part: &str) {
    match answer {
        Err(StoreError::Corrupt { what, .. }) => assert!(what.contains(part), "{what}"),
        other => panic!("{part}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_block_is_corrupt_and_others_stay_readable() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let mut writer = Writer::begin(hot.clone(), 1, Arc::new(Tally::default())).await;
    writer.append(1).await;
    let run = writer.run;
    let key = |part: &str| format!("{}:{{{run}}}:{part}", options.prefix);
    let stream = key("s:0");
    let length: usize = server.cli(&["EVAL", CHANGE, "1", &stream, "0"]).parse().unwrap();
    // Back to what it was: 255 more steps of the same byte are one step back.
    for _ in 0..255 {
        server.cli(&["EVAL", CHANGE, "1", &stream, "0"]);
    }
    assert!(hot.window(run, 0, 0..SAMPLES).await.unwrap().is_some());
    for at in 0..length {
        server.cli(&["EVAL", CHANGE, "1", &stream, &at.to_string()]);
        is_corrupt(hot.window(run, 0, 0..SAMPLES).await, &format!("run {run} in hot storage, channel 0"));
        let other = hot.window(run, 1, 0..SAMPLES).await.unwrap().unwrap();
        assert_eq!(other.values.len() as u64, SAMPLES, "byte {at}");
    }
    // A whole block in a place that is not its own.
    let copy = "local e = redis.call('XRANGE', KEYS[1], '-', '+')[1] redis.call('DEL', KEYS[2]) \
        redis.call('XADD', KEYS[2], e[1], 'b', e[2][2]) return 1";
    server.cli(&["EVAL", copy, "2", &key("s:1"), &key("s:0")]);
    is_corrupt(hot.window(run, 0, 0..SAMPLES).await, "channel 0");
    // A block that is gone.
    server.cli(&["DEL", &key("log")]);
    is_corrupt(hot.lines(run, 0..1).await, "log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_another_type_is_an_error_and_nothing_is_half_written() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let mut writer = Writer::begin(hot.clone(), 1, Arc::new(Tally::default())).await;
    writer.append(1).await;
    let run = format!("{}:{{{}}}:run", options.prefix, writer.run);
    server.cli(&["DEL", &run]);
    server.cli(&["SET", &run, "x"]);
    let refused = hot.append(&writer.batch(2)).await;
    assert!(matches!(refused, Err(StoreError::Precondition { .. })), "{refused:?}");
    server.cli(&["DEL", &run]);
    assert_eq!(hot.append(&writer.batch(2)).await.unwrap().outcome, Outcome::NoRun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_not_to_be_used_are_refused() {
    let server = RedisServer::start(Config::new());
    let refusal = async |options: RedisOptions| match RedisHot::open(options).await {
        Err(StoreError::Precondition { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let newer = options(&server.url());
    server.cli(&["HSET", &format!("{}:meta", newer.prefix), "layout", "9", "oldest", "8"]);
    let why = refusal(newer).await;
    assert!(why.contains("layout 9"), "{why}");
    let readable = options(&server.url());
    server.cli(&["HSET", &format!("{}:meta", readable.prefix), "layout", "2", "oldest", "1"]);
    open(readable).await;

    server.set("maxmemory-policy", "allkeys-lru");
    let why = refusal(options(&server.url())).await;
    assert!(why.contains("noeviction"), "{why}");
    let hot = open(options(&server.url()).allowing_eviction()).await;
    assert!(hot.active().await.unwrap().is_empty());
}
