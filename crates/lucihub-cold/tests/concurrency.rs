//! Eight writers and eight readers on one file: nobody is refused, nothing read is torn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdLogs, ColdRuns, ColdSamples};
use lucihub_models_core::{LogCell, LogLine, PageRequest, RunFilter, SampleCell, Series};
use lucihub_testkit::ManualClock;
use lucihub_testkit::models::{run_head, sample_value};

const RUNS: u64 = 4;
const STEPS: u64 = 24;
/// Samples and lines that each step adds.
const STRIDE: u64 = 40;

/// The checkpoint of a run after a step: two channels and a log, all alike long.
fn checkpoint(run: lucihub_models_core::RunId, step: u64) -> Checkpoint {
    let end = step * STRIDE;
    let series = |channel: u32| {
        let mut series = Series::starting_at(0);
        series.push_values(&(0..end).map(|index| sample_value(run, channel, index)).collect::<Vec<_>>());
        SampleCell { channel, cell: 0, series }
    };
    let lines = (0..end).map(|n| LogLine::from(format!("line {n}"))).collect();
    Checkpoint {
        lines: vec![LogCell { cell: 0, first: 0, lines }],
        samples: vec![series(0), series(1)],
        ..Checkpoint::default()
    }
}

/// Reads a run once and checks all that was read; returns how far the run was.
async fn read_and_verify(cold: &SqliteCold, run: lucihub_models_core::RunId) -> u64 {
    let before = cold.get(run).await.unwrap().unwrap().positions;
    assert_eq!(before.sample(0), before.sample(1), "positions of one checkpoint rise together");
    assert_eq!(before.sample(0), before.lines);
    for channel in [0, 1] {
        for cell in cold.sample_cells(run, channel, 0..10).await.unwrap() {
            assert!(cell.series.end >= before.sample(channel), "cells are there with their positions");
            assert_eq!(cell.series.end % STRIDE, 0);
            for (index, value) in (0..).zip(&cell.series.values) {
                assert_eq!(value.to_bits(), sample_value(run, channel, index).to_bits());
            }
        }
        for summary in cold.summaries(run, channel, 0..10).await.unwrap() {
            assert_eq!(summary.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), summary.end);
        }
    }
    for cell in cold.log_cells(run, 0..10).await.unwrap() {
        assert!(cell.end() >= before.lines);
    }
    let page = cold.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
    assert!(page.runs.iter().any(|summary| summary.id == run));
    before.lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_writers_and_eight_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cold.db");
    // Two handles, as two processes have them: locks between them are the file's.
    let open = async || SqliteCold::open(SqliteOptions::file(&path), Arc::new(ManualClock::new())).await.unwrap();
    let handles = [open().await, open().await];
    let heads: Vec<_> = (0..RUNS).map(run_head).collect();
    for head in &heads {
        handles[0].create(head).await.unwrap();
    }

    let done = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..8)
        .map(|n: usize| {
            let (cold, run) = (handles[n % 2].clone(), heads[n % heads.len()].id);
            let (done, reads) = (done.clone(), reads.clone());
            tokio::spawn(async move {
                let mut furthest = 0;
                while !done.load(Ordering::Acquire) {
                    let reached = read_and_verify(&cold, run).await;
                    assert!(reached >= furthest, "what was read stays");
                    furthest = reached;
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // Two writers per run, with different steps, as two keepers would.
    let writers: Vec<_> = (0..8)
        .map(|n: usize| {
            let (cold, run) = (handles[n % 2].clone(), heads[n / 2].id);
            tokio::spawn(async move {
                for step in (1..=STEPS).step_by(1 + n % 2) {
                    assert!(cold.checkpoint(run, &checkpoint(run, step)).await.unwrap());
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::Release);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(reads.load(Ordering::Relaxed) >= 8, "readers read meanwhile");
    for head in &heads {
        assert_eq!(read_and_verify(&handles[1], head.id).await, STEPS * STRIDE);
    }
}
