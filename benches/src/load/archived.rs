//! What is archived: when, and whether it is all there.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lucihub_models_core::hot::LineSlice;
use lucihub_store::{Source, Store};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::signal::{self, CHANNELS, CHUNK};
use super::worker::Ended;

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How long it is waited for.
const MOST: Duration = Duration::from_secs(60);

/// Checks every run that ended. Returns how long each took until it was archived, sorted.
pub(super) async fn check(
    store: Store,
    mut ends: mpsc::UnboundedReceiver<Ended>,
    samples: u64,
) -> Result<Vec<Duration>> {
    let mut checking = JoinSet::new();
    while let Some(ended) = ends.recv().await {
        checking.spawn(one(store.clone(), ended, samples));
    }
    let mut lags = Vec::new();
    while let Some(checked) = checking.join_next().await {
        lags.push(checked??);
    }
    lags.sort_unstable();
    Ok(lags)
}

async fn one(store: Store, Ended { run, seed, at }: Ended, samples: u64) -> Result<Duration> {
    while store.status(run).await?.source != Source::Archive {
        ensure!(at.elapsed() < MOST, "run {run} is not archived after {MOST:?}");
        tokio::time::sleep(LOOK).await;
    }
    let lag = Instant::now() - at;
    let found = store.run(run).await.with_context(|| format!("run {run}"))?;
    ensure!(found.series.len() == CHANNELS as usize, "run {run}: {} channels", found.series.len());
    for (channel, series) in (0..).zip(&found.series) {
        let end = signal::check(seed, channel, 0, series)?;
        ensure!(end == samples, "run {run}, channel {channel}: {end} of {samples} samples");
    }
    let end = signal::check_lines(seed, 0, &LineSlice { first: 0, lines: found.logs })?;
    ensure!(end == samples / CHUNK, "run {run}: {end} of {} lines", samples / CHUNK);
    Ok(lag)
}
