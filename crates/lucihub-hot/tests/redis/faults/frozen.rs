//! A server that keeps its connections and answers nothing: callers are told in time, memory stays bounded, and the same
//! batches end well once it answers again.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lucihub_hot::redis::RedisHot;
use lucihub_models_core::hot::{HotAppend, HotRuns, HotSamples};
use lucihub_models_core::{Batch, StoreError};
use lucihub_testkit::models::samples_body;
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

use super::check::{exact, exact_stored};
use super::tally::Tally;
use super::writer::{Writer, body};

use crate::redis::harness::{open, options};

const WRITERS: u64 = 8;
const TIMEOUT: Duration = Duration::from_millis(500);
/// What a busy machine may add.
const MARGIN: Duration = Duration::from_secs(2);

/// A call, which must end in time.
async fn in_time<T>(what: &str, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let start = Instant::now();
    let answer = tokio::time::timeout(TIMEOUT + MARGIN, call).await;
    answer.unwrap_or_else(|_| panic!("{what}: no answer in {:?}, the limit is {TIMEOUT:?}", start.elapsed()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_a_frozen_server_end_in_time_and_well_later() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url()).with_timeout(TIMEOUT);
    let tally = Arc::new(Tally::default());
    let mut handles = Vec::new();
    for _ in 0..2 {
        handles.push(open(options.clone()).await);
    }
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let hot = handles[usize::try_from(n % 2).unwrap()].clone();
        let mut writer = Writer::begin(hot, n, tally.clone()).await;
        writer.append(16).await;
        writers.push(writer);
    }
    let connections = || server.cli(&["CLIENT", "LIST"]).lines().count();
    let before = connections();

    server.stop();
    let window = 1..=Batch::WINDOW as u64;
    for round in 0..6 {
        let calls = writers.iter().flat_map(|writer| window.clone().map(move |n| (writer, writer.acknowledged + n)));
        let calls = calls.map(|(writer, seq)| async move {
            let batch = Batch::new(writer.run, writer.mark(), seq, body(writer.run, seq));
            let answer = in_time("an append", writer.hot().append(&batch)).await;
            let told = matches!(answer, Err(StoreError::Unavailable { .. } | StoreError::Unknown { .. }));
            assert!(told, "round {round}: {answer:?}");
        });
        join_all(calls).await;
        let (hot, run) = (writers[0].hot(), writers[0].run);
        assert!(in_time("a look", hot.get(run)).await.is_err());
        assert!(in_time("a read", hot.window(run, 0, 0..10)).await.is_err());
    }
    server.cont();

    let goes_on = join_all(writers.iter_mut().map(|writer| writer.append(8)));
    tokio::time::timeout(Duration::from_secs(60), goes_on).await.expect("writers go on");
    let fresh = open(options.clone()).await;
    for writer in &writers {
        exact(&fresh, writer.run, writer.acknowledged).await;
        exact_stored(&server, &options.prefix, writer.run, writer.acknowledged);
    }
    drop(fresh);
    // What was given up meanwhile is closed, and does not pile up.
    let most = Instant::now() + Duration::from_secs(30);
    while connections() > before {
        assert!(Instant::now() < most, "{} connections, {before} before", connections());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Where it is set, this process does nothing but what its memory is measured of.
const ALONE: &str = "LUCIHUB_TEST_ALONE";

#[test]
fn memory_stays_bounded_while_the_server_is_frozen() {
    if std::env::var_os(ALONE).is_none() {
        // Other tests of this process need memory too.
        let name = "redis::faults::frozen::memory_stays_bounded_while_the_server_is_frozen";
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program).args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(write_into_the_cold());
}

/// Appends far more bytes than may be kept.
async fn write_into_the_cold() {
    /// Bytes of a batch, and how often a window of each writer is sent again.
    const BYTES: u64 = 256 * 1024;
    const ROUNDS: u64 = 24;
    let server = RedisServer::start(Config::new());
    let timeout = Duration::from_millis(150);
    let hot = open(options(&server.url()).with_timeout(timeout)).await;
    let tally = Arc::new(Tally::default());
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        writers.push(Writer::begin(hot.clone(), n, tally.clone()).await);
    }
    let batches: Vec<Batch> = writers
        .iter()
        .flat_map(|writer| (1..=Batch::WINDOW as u64).map(move |seq| (writer, seq)))
        .map(|(writer, seq)| {
            let range = (seq - 1) * BYTES / 8..seq * BYTES / 8;
            Batch::new(writer.run, writer.mark(), seq, samples_body(writer.run, [(0, range)]))
        })
        .collect();
    server.stop();
    let window = BYTES * batches.len() as u64;
    send_all(&hot, &batches).await;
    let before = peak_memory();
    for _ in 0..ROUNDS {
        send_all(&hot, &batches).await;
    }
    let grown = peak_memory() - before;
    // A few windows, however many were sent.
    assert!(grown < 6 * window, "{grown} bytes more after {ROUNDS} windows of {window}");
    server.cont();
    drop(writers);
}

async fn send_all(hot: &RedisHot, batches: &[Batch]) {
    for answer in join_all(batches.iter().map(|batch| hot.append(batch))).await {
        assert!(answer.is_err(), "{answer:?}");
    }
}

/// The most memory that this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}
