//! What a keeper tells of itself.

use std::time::Duration;

use lucihub_models_core::hot::Health;
use lucihub_models_core::{Result, RunId, StoreError, Timestamp};
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, debug_span, info, info_span, warn};

use super::{KEEPER, metrics};
use crate::archive::WalkReport;
use crate::read::CellKey;

/// One walk over the pending runs.
pub(crate) async fn walk(walk: impl Future<Output = Result<WalkReport>>) -> Result<WalkReport> {
    let begun = Instant::now();
    let walked = walk.instrument(debug_span!(target: KEEPER, "walk")).await;
    metrics::WALK_TIME.time(begun.elapsed());
    match &walked {
        Ok(WalkReport { devices_error: None, .. }) => {}
        Ok(WalkReport { devices_error: Some(error), .. }) => {
            metrics::error("keeper", error);
            warn!(target: KEEPER, %error, "devices_failed");
        }
        Err(error) => {
            metrics::error("keeper", error);
            warn!(target: KEEPER, %error, "walk_failed");
        }
    }
    walked
}

/// What a walk found: how many runs, and the oldest content that only hot storage has.
pub(crate) fn walked(open: usize, lag: Duration) {
    metrics::OPEN_RUNS.set(metrics::float(open as u64));
    metrics::CHECKPOINT_LAG.set(lag.as_secs_f64());
}

/// How full hot storage is.
pub(crate) fn hot(health: &Health) {
    metrics::HOT_USED.set(metrics::float(health.used_bytes));
    metrics::HOT_MAX.set(metrics::float(health.max_bytes.unwrap_or(0)));
}

/// All that is done for one run at one time lies in this span.
pub(crate) fn attend(run: RunId) -> Span {
    debug_span!(target: KEEPER, "attend", %run)
}

/// What was done for one run.
pub(crate) fn attended(run: RunId, report: &WalkReport) {
    metrics::OPENED.add(report.opened);
    metrics::CHECKPOINTS.add(report.checkpoints);
    metrics::ARCHIVED.add(report.archived);
    metrics::FAILED.add(report.failed);
    metrics::RESCUED.add(report.rescued);
    for (count, name) in [(report.failed, "fail"), (report.rescued, "rescue")] {
        if count > 0 {
            warn!(target: KEEPER, %run, "{name}");
        }
    }
    for (count, name) in [(report.opened, "open"), (report.archived, "archived"), (report.expired, "expire")] {
        if count > 0 {
            info!(target: KEEPER, %run, "{name}");
        }
    }
    for (run, error) in &report.errors {
        failed(*run, error);
    }
}

fn failed(run: RunId, error: &StoreError) {
    metrics::error("keeper", error);
    warn!(target: KEEPER, %run, %error, "attend_failed");
}

/// A checkpoint is written in this span.
pub(crate) fn checkpoint(run: RunId) -> Span {
    debug_span!(target: KEEPER, "checkpoint", %run)
}

/// Cells were written in one transaction.
pub(crate) fn written(run: RunId, cells: usize, bytes: u64) {
    metrics::COLD_BYTES.add(bytes);
    debug!(target: KEEPER, %run, cells, bytes, "cells");
}

/// A cell was damaged or missing in cold storage, and was written anew from hot storage.
pub(crate) fn written_again(run: RunId, cell: CellKey) {
    warn!(target: KEEPER, %run, ?cell, "cell_written_again");
}

/// A change of state, of that time, has its copy.
pub(crate) fn mirrored(changed: Option<Timestamp>, now: Timestamp) {
    if let Some(changed) = changed {
        metrics::MIRROR_LAG.time(now.since(changed));
    }
}

/// A run is read back, compared and committed.
pub(crate) async fn archive<T>(run: RunId, archive: impl Future<Output = Result<T>>) -> Result<T> {
    let begun = Instant::now();
    let archived = archive.instrument(info_span!(target: KEEPER, "archive", %run)).await?;
    metrics::ARCHIVE_TIME.time(begun.elapsed());
    Ok(archived)
}

/// A run that ended at this time was committed just now.
pub(crate) fn committed(ended: Option<Timestamp>, now: Timestamp) {
    if let Some(ended) = ended {
        metrics::ARCHIVE_LAG.time(now.since(ended));
    }
}
