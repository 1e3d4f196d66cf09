//! A server that reaches `maxmemory` under batches of many channels: whole or not at all, and on once there is room.

use std::time::Duration;

use lucihub_models_core::hot::{
    Cancelled, HotAppend, HotLogs, HotRuns, HotSamples, HotStore, HotWatch, Outcome, Removed, Renewed, TakeOver,
    TookOver,
};
use lucihub_models_core::{Batch, BatchBody, IdSource, RunHead, RunId, RunState, WriterMark};
use lucihub_testkit::SeededIds;
use lucihub_testkit::models::{ending_in, lorenz_head, run_id, sample_value, samples_body};
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

use super::writer::{LEASE, line};

use crate::redis::harness::{open, options};

const CHANNELS: u32 = 64;
const SAMPLES: u64 = 250;
/// What the server may take beyond its beginning: some 30 batches.
const ROOM: u64 = 4 * 1024 * 1024;

fn head(seed: u64) -> RunHead {
    let mut head = lorenz_head(CHANNELS as usize);
    head.id = run_id(seed);
    head
}

async fn opened(hot: &dyn HotStore, seed: u64) -> RunId {
    let head = head(seed);
    hot.open(&head).await.unwrap();
    head.id
}

async fn taken(hot: &dyn HotStore, run: RunId, seed: u64) -> WriterMark {
    let writer = SeededIds::new(seed).writer_id();
    let request = TakeOver { run, worker: "worker".to_owned(), writer, lease: LEASE };
    match hot.take_over(&request).await.unwrap() {
        TookOver::Taken(taken) => taken.mark,
        other => panic!("{other:?}"),
    }
}

fn batch(run: RunId, mark: WriterMark, seq: u64) -> Batch {
    let range = (seq - 1) * SAMPLES..seq * SAMPLES;
    let mut body = samples_body(run, (0..CHANNELS).map(|channel| (channel, range.clone())));
    body.lines = [line(run, seq - 1)].into();
    Batch::new(run, mark, seq, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_takes_whole_batches_or_none_and_goes_on_when_there_is_room() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let prefix = options.prefix.clone();
    let (hot, other) = (open(options.clone()).await, open(options).await);
    let run = opened(&hot, 1).await;
    let mark = taken(&hot, run, 1).await;
    // What is to end and leave while there is no room: sealed, queued, idle, deleted, lost by its worker.
    let [sealed, queued, running, gone, orphan] = [2, 3, 4, 5, 6];
    let others = [opened(&hot, sealed).await, opened(&hot, queued).await, opened(&hot, running).await];
    let [sealed, queued, running] = others;
    let (gone, orphan) = (opened(&hot, gone).await, opened(&hot, orphan).await);
    let ended = Batch::new(sealed, taken(&hot, sealed, 2).await, 1, ending_in(BatchBody::default(), RunState::Failed));
    assert_eq!(hot.append(&ended).await.unwrap().outcome, Outcome::Applied);
    let held = taken(&hot, running, 4).await;

    let used = hot.health().await.unwrap().used_bytes;
    server.set("maxmemory", &(used + ROOM).to_string());
    let mut full = 0;
    let mut last = 0;
    for round in 0..5 {
        loop {
            let answer = hot.append(&batch(run, mark, last + 1)).await.unwrap();
            match answer.outcome {
                Outcome::Applied => last += 1,
                Outcome::Full => break,
                other => panic!("round {round}, batch {}: {other:?}", last + 1),
            }
            assert!(last < 10_000, "it is never full");
        }
        full += 1;
        // Nothing of the refused batch is there, for others either.
        for hot in [&hot, &other] {
            let seen = hot.get(run).await.unwrap().unwrap();
            assert_eq!((seen.last_seq, seen.next.lines), (last, last));
            assert_eq!(seen.next.samples, vec![last * SAMPLES; CHANNELS as usize], "round {round}");
            let end = last * SAMPLES;
            for channel in 0..CHANNELS {
                let series = hot.window(run, channel, end - SAMPLES..u64::MAX).await.unwrap().unwrap();
                let expected: Vec<f64> = (end - SAMPLES..end).map(|index| sample_value(run, channel, index)).collect();
                assert_eq!((series.first, series.end, series.values), (end - SAMPLES, end, expected));
            }
            assert_eq!(hot.lines(run, last - 1..u64::MAX).await.unwrap().unwrap().lines, [line(run, last - 1)]);
        }
        let stem = format!("{prefix}:{{{run}}}");
        for channel in [0, 31, CHANNELS - 1] {
            let info = server.cli(&["XINFO", "STREAM", &format!("{stem}:s:{channel}")]);
            assert!(info.contains(&format!("last-generated-id\n{}-0", last * SAMPLES)), "round {round}: {info}");
        }
        // Applied before: it stays a duplicate, and a later number stays behind.
        assert_eq!(hot.append(&batch(run, mark, last)).await.unwrap().outcome, Outcome::Duplicate);
        assert_eq!(hot.append(&batch(run, mark, last + 2)).await.unwrap().outcome, Outcome::Behind(last));

        let reached = hot.get(run).await.unwrap().unwrap().next;
        assert_eq!(hot.confirm(run, &reached).await.unwrap(), Some(reached.clone()));
        let base = hot.trim(run, &reached).await.unwrap().unwrap();
        assert_eq!((base.lines, base.sample(CHANNELS - 1)), (last, last * SAMPLES));
        // The very same batch, that was refused.
        assert_eq!(hot.append(&batch(run, mark, last + 1)).await.unwrap().outcome, Outcome::Applied);
        last += 1;
    }
    assert_eq!(full, 5);

    server.set("maxmemory", &(hot.health().await.unwrap().used_bytes / 2).to_string());
    assert_eq!(hot.append(&batch(run, mark, last + 1)).await.unwrap().outcome, Outcome::Full);
    assert!(hot.open(&head(9)).await.is_err(), "a run needs room");
    assert!(hot.get(head(9).id).await.unwrap().is_none());
    assert!(matches!(hot.renew(running, held, LEASE).await.unwrap(), Renewed::Until { .. }));
    assert_eq!(hot.cancel(running, None).await.unwrap(), Cancelled::Requested);
    assert_eq!(hot.cancel(queued, Some("no room")).await.unwrap(), Cancelled::Cancelled);
    assert!(hot.expire(sealed, Duration::ZERO).await.unwrap());
    assert!(hot.get(sealed).await.unwrap().is_none());
    taken(&hot, orphan, 6).await;
    assert_eq!(hot.remove(gone, false, LEASE).await.unwrap(), Removed::Removed);
    assert!(matches!(hot.remove(run, false, LEASE).await.unwrap(), Removed::Held { .. }));
    assert_eq!(hot.remove(run, true, LEASE).await.unwrap(), Removed::Removed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_that_starts_at_a_full_server_gets_in_and_empties_it() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let (run, gone) = (opened(&hot, 1).await, opened(&hot, 2).await);
    let mark = taken(&hot, run, 1).await;
    for seq in 1..=3 {
        assert_eq!(hot.append(&batch(run, mark, seq)).await.unwrap().outcome, Outcome::Applied);
    }
    server.set("maxmemory", &(hot.health().await.unwrap().used_bytes / 2).to_string());
    assert_eq!(hot.append(&batch(run, mark, 4)).await.unwrap().outcome, Outcome::Full);
    // It has not even the scripts any more.
    server.cli(&["SCRIPT", "FLUSH"]);
    let keeper = open(options).await;
    let reached = keeper.get(run).await.unwrap().unwrap().next;
    assert_eq!(keeper.confirm(run, &reached).await.unwrap(), Some(reached.clone()));
    let base = keeper.trim(run, &reached).await.unwrap().unwrap();
    assert_eq!((base.lines, base.sample(0)), (3, 3 * SAMPLES));
    assert_eq!(keeper.remove(gone, false, LEASE).await.unwrap(), Removed::Removed);
    assert!(keeper.get(gone).await.unwrap().is_none());
    server.set("maxmemory", "0");
    assert_eq!(hot.append(&batch(run, mark, 4)).await.unwrap().outcome, Outcome::Applied);
}
