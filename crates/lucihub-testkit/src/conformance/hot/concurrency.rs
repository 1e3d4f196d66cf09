//! Many tasks at once: every batch whole, in order, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lucihub_models_core::Batch;
use lucihub_models_core::hot::{HotStore, Outcome};
use tokio::sync::Barrier;

use super::stage::Stage;
use crate::harness::HotHarness;
use crate::models::{lines_body, sample_value, samples_body};

/// The same batch sent by many tasks is applied once.
pub async fn one_of_many_repeats_is_applied(h: &dyn HotHarness) {
    const TASKS: usize = 16;
    let stage = Stage::new(h, "one_of_many_repeats_is_applied");
    let mut writer = stage.writer(1).await;
    for round in 0..20 {
        let batch = writer.batch(lines_body([format!("line {round}")]));
        let gate = Arc::new(Barrier::new(TASKS));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (store, gate, batch) = (Arc::clone(&stage.store), Arc::clone(&gate), batch.clone());
                tokio::spawn(async move {
                    gate.wait().await;
                    store.append(&batch).await.unwrap().outcome
                })
            })
            .collect();
        let mut applied = 0;
        for task in tasks {
            match task.await.unwrap() {
                Outcome::Applied => applied += 1,
                other => assert_eq!(other, Outcome::Duplicate),
            }
        }
        assert_eq!(applied, 1);
        writer.seq += 1;
    }
    let lines = stage.store.lines(writer.run, 0..99).await.unwrap().unwrap().lines;
    let texts: Vec<_> = lines.iter().map(|line| line.text.clone()).collect();
    assert_eq!(texts, (0..20).map(|round| format!("line {round}")).collect::<Vec<_>>());
}

/// Batches in flight together may arrive in any order: those that come too
/// early are told so, and sent again they all get in, in order.
pub async fn batches_in_flight_end_in_order(h: &dyn HotHarness) {
    let stage = Stage::new(h, "batches_in_flight_end_in_order");
    let mut writer = stage.writer(2).await;
    for round in 0..5_u64 {
        let window = Batch::WINDOW as u64;
        let tasks: Vec<_> = (1..=window)
            .rev()
            .map(|n| {
                let at = (round * window + n - 1) * 10;
                let body = samples_body(writer.run, [(0, at..at + 10), (1, at..at + 10)]);
                let (store, batch) = (Arc::clone(&stage.store), writer.batch_at(writer.seq + n, body));
                tokio::spawn(send_until_in(store, batch))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        writer.seq += window;
    }
    for channel in [0, 1] {
        let series = stage.store.window(writer.run, channel, 0..u64::MAX).await.unwrap().unwrap();
        let expected: Vec<f64> = (0..series.end).map(|index| sample_value(writer.run, channel, index)).collect();
        assert_eq!((series.end, series.gaps.len()), (400, 0));
        assert_eq!(series.values, expected);
    }
}

/// Many runs written at once keep to themselves.
pub async fn many_runs_at_once(h: &dyn HotHarness) {
    let stage = Stage::new(h, "many_runs_at_once");
    let mut tasks = Vec::new();
    for _ in 0..12 {
        let mut writer = stage.writer(2).await;
        tasks.push(tokio::spawn(async move {
            for n in 0..20 {
                let range = n * 50..(n + 1) * 50;
                writer.apply(samples_body(writer.run, [(0, range.clone()), (1, range)])).await;
            }
            writer.run
        }));
    }
    for task in tasks {
        let run = task.await.unwrap();
        for channel in [0, 1] {
            let series = stage.store.window(run, channel, 0..2_000).await.unwrap().unwrap();
            let expected: Vec<f64> = (0..1_000).map(|index| sample_value(run, channel, index)).collect();
            assert_eq!(series.values, expected, "run {run}, channel {channel}");
        }
    }
}

/// A reader sees whole batches: at any moment a line stands for ten samples of either channel.
pub async fn readers_see_whole_batches(h: &dyn HotHarness) {
    let stage = Stage::new(h, "readers_see_whole_batches");
    let mut writer = stage.writer(2).await;
    let (run, done) = (writer.run, Arc::new(AtomicBool::new(false)));
    let reader = {
        let (store, done) = (Arc::clone(&stage.store), Arc::clone(&done));
        tokio::spawn(async move {
            let mut reads = 0;
            // One more read after the last batch, so that the loop always reads something.
            loop {
                let last = done.load(Ordering::SeqCst);
                let seen = store.get(run).await.unwrap().unwrap();
                let samples = 10 * seen.next.lines;
                assert_eq!((seen.next.sample(0), seen.next.sample(1)), (samples, samples), "torn");
                let window = store.window(run, 1, 0..u64::MAX).await.unwrap().unwrap();
                assert!(window.end >= samples && window.end.is_multiple_of(10), "a part of a batch was read");
                assert_eq!(window.values.len() as u64, window.end);
                let lines = store.lines(run, 0..u64::MAX).await.unwrap().unwrap();
                assert!(10 * lines.end() >= window.end, "a line is there no later than its samples");
                reads += 1;
                if last {
                    return reads;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    for n in 0..200 {
        let range = n * 10..(n + 1) * 10;
        let mut body = samples_body(run, [(0, range.clone()), (1, range)]);
        body.lines = lines_body(["x"]).lines;
        writer.apply(body).await;
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::SeqCst);
    assert!(reader.await.unwrap() > 0);
}

async fn send_until_in(store: Arc<dyn HotStore>, batch: Batch) {
    loop {
        match store.append(&batch).await.unwrap().outcome {
            Outcome::Applied => return,
            Outcome::Behind(last) => assert!(last + 1 < batch.seq(), "told to go back past what was applied"),
            other => panic!("batch {}: {other:?}", batch.seq()),
        }
        tokio::task::yield_now().await;
    }
}
