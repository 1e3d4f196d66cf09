//! Runs that are written while a backup is made, and that are whole where it is restored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lucihub_models_core::cold::{Checkpoint, ColdStore};
use lucihub_models_core::{PageRequest, RunFilter, SampleCell, Series};
use lucihub_testkit::models;

/// Writes runs for as long as work on another thread takes, some before it begins. Returns how many.
pub(crate) async fn while_writing(cold: Arc<dyn ColdStore>, work: impl FnOnce() + Send + 'static) -> u64 {
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writer = {
        let (stop, written) = (stop.clone(), written.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let head = models::run_head(written.load(Ordering::Relaxed));
                cold.create(&head).await.unwrap();
                let mut series = Series::starting_at(0);
                series.push_values(&[0.25; 1_000]);
                let samples = vec![SampleCell { channel: 0, cell: 0, series }];
                cold.checkpoint(head.id, &Checkpoint { lines: Vec::new(), samples, ..Checkpoint::default() })
                    .await
                    .unwrap();
                written.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    while written.load(Ordering::Relaxed) < 20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::task::spawn_blocking(work).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    written.load(Ordering::Relaxed)
}

/// Asserts that a restored database has whole runs, no more than were written, and takes new ones.
pub(crate) async fn assert_whole(cold: &dyn ColdStore, written: u64) {
    let page = cold.list(&RunFilter::default(), &PageRequest::oldest(1000).with_total()).await.unwrap();
    assert!(page.total.is_some_and(|total| (20..=written).contains(&total)), "{:?} of {written}", page.total);
    for summary in &page.runs {
        let run = cold.get(summary.id).await.unwrap().unwrap();
        let cells = cold.sample_cells(summary.id, 0, 0..9).await.unwrap();
        assert_eq!(cells.iter().map(|cell| cell.series.end).sum::<u64>(), run.positions.sample(0));
    }
    cold.create(&models::run_head(u64::from(u32::MAX))).await.unwrap();
}
