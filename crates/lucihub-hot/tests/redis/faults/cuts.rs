//! Connections cut at any byte of commands and replies: nothing lost, nothing twice, order kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use lucihub_testkit::servers::{Direction, Proxy, RedisOptions as Config, RedisServer};

use super::check::{exact, exact_stored, read_along};
use super::tally::Tally;
use super::writer::Writer;

use crate::redis::harness::{by, open, options};

const SEED: u64 = 0x0c07;
const WRITERS: u64 = 8;
const CUTS: u64 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_cuts_lose_nothing_and_double_nothing() {
    let server = RedisServer::start(Config::new());
    let proxy = Arc::new(Proxy::start(server.port(), SEED));
    let options = options(&proxy.url());
    let (tally, stop) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let hot = open(options.clone()).await;
        writers.push(Writer::begin(hot, n, tally.clone()).await);
    }
    let runs = writers.iter().map(|writer| writer.run).collect();
    let reader = tokio::spawn(read_along(open(options.clone()).await, runs, stop.clone()));

    // Some connections end before they have said who they are, some carry several batches.
    proxy.cut_every(1..24_000);
    let work = writers.into_iter().map(|mut writer| {
        let proxy = proxy.clone();
        tokio::spawn(async move {
            while proxy.cuts() < CUTS {
                writer.append(8).await;
            }
            writer
        })
    });
    let limit = Duration::from_secs(180);
    let writers = tokio::time::timeout(limit, join_all(work)).await.expect("writers go on through the cuts");
    proxy.calm();
    stop.store(true, Ordering::SeqCst);
    let reads = reader.await.unwrap();

    let fresh = open(by(&server.url(), &options)).await;
    let mut batches = 0;
    for writer in writers {
        let mut writer = writer.unwrap();
        // Through the same handle, which has met all those cuts.
        writer.append(8).await;
        batches += writer.acknowledged;
        exact(&fresh, writer.run, writer.acknowledged).await;
        exact_stored(&server, &options.prefix, writer.run, writer.acknowledged);
    }
    let log = proxy.cut_log();
    let figures = format!("seed {SEED:#x}: {} cuts, {batches} batches, {reads} reads, {tally:?}", log.len());
    assert!(log.len() as u64 >= CUTS, "{figures}");
    // Commands are longer than their replies, so most cuts are there.
    let replies = log.iter().filter(|cut| cut.direction == Direction::ToClient).count() as u64;
    assert!((CUTS / 20..=CUTS / 2).contains(&replies), "{replies} cuts of replies: {figures}");
    assert!(tally.duplicates.load(Ordering::SeqCst) > 0, "no reply was lost: {figures}");
    assert!(reads > 0, "{figures}");
}
