//! A worker: records run after run at a device's pace.

use std::time::Instant;

use anyhow::Result;
use lucihub_models_core::{RunId, RunState, TimeBase};
use lucihub_store::Store;
use lucihub_store::record::End;
use tokio::sync::{mpsc, watch};

use super::signal::{self, CHANNELS, CHUNK, RATE};
use crate::typical;

/// A run that is being recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) run: RunId,
    pub(super) seed: u64,
    /// When OP began.
    pub(super) begun: Instant,
}

/// A run that has ended, and when that was acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) run: RunId,
    pub(super) seed: u64,
    pub(super) at: Instant,
}

/// Records runs until it is time to stop; the first begins after such a share of a run. Returns how many samples.
pub(super) async fn work(
    store: Store,
    number: u32,
    lead: f64,
    samples: u64,
    stop: Instant,
    show: watch::Sender<Option<Shown>>,
    ended: mpsc::UnboundedSender<Ended>,
) -> Result<u64> {
    // Runs end at different times.
    tokio::time::sleep(signal::taken(samples).mul_f64(lead)).await;
    let mut recorded = 0;
    for round in 0.. {
        let seed = u64::from(number) << 32 | round;
        recorded += record(&store, seed, samples, &show, &ended).await?;
        if Instant::now() >= stop {
            break;
        }
    }
    Ok(recorded)
}

async fn record(
    store: &Store,
    seed: u64,
    samples: u64,
    show: &watch::Sender<Option<Shown>>,
    ended: &mpsc::UnboundedSender<Ended>,
) -> Result<u64> {
    let mut head = typical::head(seed, CHANNELS);
    head.time_base = Some(TimeBase::from_rate(RATE as f64));
    store.create(&head).await?;
    let recorder = store.record(head.id, "load").await?;
    recorder.state(RunState::InProgress).await?;
    let begun = Instant::now();
    show.send_replace(Some(Shown { run: head.id, seed, begun }));
    for chunk in 0..samples / CHUNK {
        let first = chunk * CHUNK;
        tokio::time::sleep_until((begun + signal::taken(first + CHUNK)).into()).await;
        for channel in 0..CHANNELS {
            let values: Vec<f64> = (first..first + CHUNK).map(|index| signal::sample(seed, channel, index)).collect();
            recorder.samples(channel, first, &values).await?;
        }
        recorder.log(signal::line(seed, chunk)).await?;
    }
    recorder.finish(RunState::Succeeded, End::default()).await?;
    let _ = ended.send(Ended { run: head.id, seed, at: Instant::now() });
    Ok(samples * u64::from(CHANNELS))
}
