//! A writer that another has taken the run from, in the midst of its batches or while it could not know: nothing of it
//! is accepted any more.

use std::sync::Arc;

use futures_util::future::join_all;
use lucihub_hot::redis::RedisHot;
use lucihub_models_core::hot::{HotAppend, HotLogs, HotRuns, Outcome, TakeOver, Taken, TookOver};
use lucihub_models_core::{Batch, IdSource, RunId, StoreError};
use lucihub_testkit::SeededIds;
use lucihub_testkit::models::{lines_body, lorenz_head};
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};
use tokio::sync::Notify;

use super::writer::LEASE;

use crate::redis::harness::{open, options};

async fn take(hot: &RedisHot, ids: &SeededIds, run: RunId, worker: &str) -> Taken {
    let request = TakeOver { run, worker: worker.to_owned(), writer: ids.writer_id(), lease: LEASE };
    match hot.take_over(&request).await.unwrap() {
        TookOver::Taken(taken) => *taken,
        other => panic!("{worker}: {other:?}"),
    }
}

fn batch(run: RunId, by: &Taken, seq: u64) -> Batch {
    Batch::new(run, by.mark, seq, lines_body([format!("{} {seq}", by.mark.writer)]))
}

/// Appends, a window in flight, until it is fenced; returns how many batches it was told are in.
async fn append_until_fenced(hot: RedisHot, run: RunId, taken: Taken, begun: Arc<Notify>) -> u64 {
    let mut last = taken.last_seq();
    loop {
        let window: Vec<Batch> = (1..=Batch::WINDOW as u64).map(|n| batch(run, &taken, last + n)).collect();
        let mut fenced = false;
        for answer in join_all(window.iter().map(|batch| hot.append(batch))).await {
            match answer.unwrap().outcome {
                Outcome::Applied if !fenced => last += 1,
                Outcome::Fenced => fenced = true,
                other => panic!("{other:?} after {last}, fenced: {fenced}"),
            }
        }
        begun.notify_one();
        if fenced {
            return last;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_is_fenced_in_the_midst_of_its_batches() {
    const ROUNDS: u64 = 100;
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let (old, new) = (open(options.clone()).await, open(options).await);
    // To this handle, the lease of the other one has run out.
    new.advance_clock(2 * LEASE);
    let ids = SeededIds::new(0xfe);
    let mut in_flight = 0;
    for round in 0..ROUNDS {
        let mut head = lorenz_head(0);
        head.id = ids.run_id();
        let run = head.id;
        old.open(&head).await.unwrap();
        let first = take(&old, &ids, run, "old").await;
        let begun = Arc::new(Notify::new());
        let work = tokio::spawn(append_until_fenced(old.clone(), run, first.clone(), begun.clone()));
        begun.notified().await;
        let second = take(&new, &ids, run, "new").await;
        let had = second.run.next.lines;
        for seq in 1..=3 {
            assert_eq!(new.append(&batch(run, &second, seq)).await.unwrap().outcome, Outcome::Applied, "round {round}");
        }
        assert_eq!(work.await.unwrap(), had, "round {round}: acknowledged and there when the run changed hands");
        in_flight += u64::from(!had.is_multiple_of(Batch::WINDOW as u64));

        let lines = new.lines(run, 0..u64::MAX).await.unwrap().unwrap().lines;
        let texts: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        let expected = (1..=had).map(|seq| (&first, seq)).chain((1..=3).map(|seq| (&second, seq)));
        let expected: Vec<String> = expected.map(|(by, seq)| format!("{} {seq}", by.mark.writer)).collect();
        assert_eq!(texts, expected, "round {round}");
    }
    assert!(in_flight > 0, "no take-over came between batches in flight");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgot_everything_does_not_let_the_old_writer_in() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let (old, new) = (open(options.clone()).await, open(options).await);
    let ids = SeededIds::new(0xf0);
    let head = lorenz_head(0);
    let run = head.id;
    old.open(&head).await.unwrap();
    let first = take(&old, &ids, run, "old").await;
    for seq in 1..=3 {
        assert_eq!(old.append(&batch(run, &first, seq)).await.unwrap().outcome, Outcome::Applied);
    }
    server.cli(&["FLUSHALL"]);
    new.open(&head).await.unwrap();
    // Not yet taken: nobody may write.
    assert_eq!(old.append(&batch(run, &first, 4)).await.unwrap().outcome, Outcome::Fenced);
    let second = take(&new, &ids, run, "new").await;
    assert_eq!(second.mark.epoch, first.mark.epoch, "the counters begin anew, so the epoch alone would not fence");
    assert_eq!(new.append(&batch(run, &second, 1)).await.unwrap().outcome, Outcome::Applied);
    // Its next one, one of those that were in, and the number that would be next for the new writer.
    for seq in [4, 3, 2, 1] {
        assert_eq!(old.append(&batch(run, &first, seq)).await.unwrap().outcome, Outcome::Fenced, "batch {seq}");
    }
    assert_eq!(new.lines(run, 0..u64::MAX).await.unwrap().unwrap().lines.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_frozen_server_had_not_read_yet_is_fenced_when_it_goes_on() {
    use std::time::Duration;
    let server = RedisServer::start(Config::new());
    let options = options(&server.url()).with_timeout(Duration::from_millis(300));
    let (old, new) = (open(options.clone()).await, open(options.clone()).await);
    new.advance_clock(2 * LEASE);
    let ids = SeededIds::new(0xf1);
    let head = lorenz_head(0);
    let run = head.id;
    old.open(&head).await.unwrap();
    let first = take(&old, &ids, run, "old").await;
    assert_eq!(old.append(&batch(run, &first, 1)).await.unwrap().outcome, Outcome::Applied);
    server.stop();
    let window: Vec<Batch> = (2..=9).map(|seq| batch(run, &first, seq)).collect();
    for answer in join_all(window.iter().map(|batch| old.append(batch))).await {
        assert!(matches!(answer, Err(StoreError::Unknown { .. } | StoreError::Unavailable { .. })), "{answer:?}");
    }
    server.cont();
    // The server may now apply what lay in its sockets, before or after this, but not after it has answered.
    let second = loop {
        let request = TakeOver { run, worker: "new".to_owned(), writer: ids.writer_id(), lease: LEASE };
        match new.take_over(&request).await {
            Ok(TookOver::Taken(taken)) => break *taken,
            Ok(other) => panic!("{other:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let had = second.run.next.lines;
    assert!((1..=9).contains(&had), "{had}");
    for batch in &window {
        let outcome = super::writer::answered(async || old.append(batch).await).await.outcome;
        assert_eq!(outcome, Outcome::Fenced, "batch {}", batch.seq());
    }
    assert_eq!(new.get(run).await.unwrap().unwrap().next.lines, had);
}
