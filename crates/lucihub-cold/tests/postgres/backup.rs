//! A backup made while others write, restored by the commands of `docs/operations.md`, holds whole runs.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdRuns, ColdSamples};
use lucihub_models_core::{PageRequest, RunFilter, SampleCell, Series};
use lucihub_testkit::models;

use crate::lab::{Database, MIGRATOR, ROLES, WRITER, open};

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_restores_to_whole_runs() {
    let database = Database::own();
    let cold = open(&database.url(WRITER)).await.unwrap();
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
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("lucihub.dump");
    run(Command::new("pg_dump").args(["-Fc", "-n", "lucihub", "-f"]).arg(&dump).arg(database.url(MIGRATOR)));
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap();

    let restored = Database::empty_beside(&database);
    restored.sql(ROLES);
    run(Command::new("pg_restore")
        .args(["--no-owner", "--role=lucihub_migrator", "-n", "lucihub", "-d"])
        .arg(restored.admin_url())
        .arg(&dump));
    restored.sql(ROLES);
    let cold = open(&restored.url(WRITER)).await.unwrap();
    let page = cold.list(&RunFilter::default(), &PageRequest::oldest(1000).with_total()).await.unwrap();
    assert!(page.total.is_some_and(|total| total > 0 && total <= written), "{:?} of {written}", page.total);
    for summary in &page.runs {
        let run = cold.get(summary.id).await.unwrap().unwrap();
        let cells = cold.sample_cells(summary.id, 0, 0..9).await.unwrap();
        assert_eq!(cells.iter().map(|cell| cell.series.end).sum::<u64>(), run.positions.sample(0));
    }
    cold.create(&models::run_head(1_000_000)).await.unwrap();
}
