//! A backup of a SQLite file in use, as `docs/operations.md` says, holds whole runs.
#![cfg(feature = "sqlite")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdRuns, ColdSamples};
use lucihub_models_core::{PageRequest, RunFilter, SampleCell, Series};
use lucihub_testkit::{ManualClock, models};

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_file_in_use_holds_whole_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (file, backup) = (folder.path().join("lab.sqlite"), folder.path().join("backup.sqlite"));
    let open = async |path: &std::path::Path| {
        SqliteCold::open(SqliteOptions::file(path), Arc::new(ManualClock::new())).await.unwrap()
    };
    let cold = open(&file).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (cold, stop) = (cold.clone(), stop.clone());
        tokio::spawn(async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                let head = models::run_head(n);
                cold.create(&head).await.unwrap();
                let mut series = Series::starting_at(0);
                series.push_values(&vec![0.25; 1_000]);
                let samples = vec![SampleCell { channel: 0, cell: 0, series }];
                cold.checkpoint(head.id, &Checkpoint { lines: Vec::new(), samples }).await.unwrap();
                n += 1;
            }
            n
        })
    };
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    SqliteConnection::establish(file.to_str().unwrap())
        .unwrap()
        .batch_execute(&format!("PRAGMA busy_timeout = 5000; VACUUM INTO '{}'", backup.display()))
        .unwrap();
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap();

    let cold = open(&backup).await;
    let page = cold.list(&RunFilter::default(), &PageRequest::oldest(1000).with_total()).await.unwrap();
    assert!(page.total.is_some_and(|total| total > 0 && total <= written), "{:?} of {written}", page.total);
    for summary in &page.runs {
        let run = cold.get(summary.id).await.unwrap().unwrap();
        let cells = cold.sample_cells(summary.id, 0, 0..9).await.unwrap();
        assert_eq!(cells.iter().map(|cell| cell.series.end).sum::<u64>(), run.positions.sample(0));
    }
    cold.create(&models::run_head(1_000_000)).await.unwrap();
}
