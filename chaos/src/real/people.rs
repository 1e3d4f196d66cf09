//! Those who do not write: readers, followers and a scanner. They check what they see as it comes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use lucihub_models_core::hot::DeviceSeen;
use lucihub_models_core::{DeviceType, RunId, RunState, StoreError};
use lucihub_store::{Event, Select, Source, Store};

use super::desk::CHANNELS;
use super::judge;
use super::raw::Told;
use super::stage::{Stage, in_time};
use super::worker::CHUNK;
use crate::gates::Gate;

/// Reads whole runs, the youngest most often, until the round is over.
pub(crate) async fn read(stage: Arc<Stage>, store: Store) -> Result<()> {
    while !stage.is_over() {
        let runs = stage.runs();
        let back = stage.dice.below(4 + stage.dice.below(runs.len() as u64 + 1));
        let Some(at) = runs.len().checked_sub(1 + usize::try_from(back)?) else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let run = runs[at];
        match in_time(&format!("reading run {run}"), read_one(&stage, &store, run)).await? {
            Ok(()) => stage.count("reads", 1),
            Err(StoreError::NotFound { .. }) if stage.is_deleted(run) => {}
            Err(StoreError::NotFound { what }) => stage.found(Gate::NotFound, format!("reading: {what}")),
            Err(error @ StoreError::Corrupt { .. }) => stage.found(Gate::TornReads, format!("reading {run}: {error}")),
            Err(_) => stage.count("reads_refused", 1),
        }
        tokio::time::sleep(Duration::from_millis(5 + stage.dice.below(40))).await;
    }
    Ok(())
}

async fn read_one(stage: &Stage, store: &Store, run: RunId) -> Result<(), StoreError> {
    let located = store.locate(run).await?;
    let next = located.positions().clone();
    let lines = store.lines_at(&located, 0..u64::MAX).await?.lines;
    let mut ends = Vec::new();
    for channel in 0..CHANNELS {
        let series = store.window_at(&located, channel, 0..u64::MAX).await?;
        ends.push(series.end);
        let told = judge::told(&series);
        stage.judge(|findings| judge::samples(findings, run, channel, 0, &told));
    }
    let told = judge::texts(&lines);
    stage.judge(|findings| judge::lines(findings, run, 0, &told));
    let (first, last) = (ends.first().copied().unwrap_or(0), ends.last().copied().unwrap_or(0));
    let whole = lines.len() as u64 == next.lines
        && (0..CHANNELS).zip(&ends).all(|(channel, end)| *end == next.sample(channel))
        && (located.source() != Source::Live
            || ends.iter().all(|end| end % CHUNK == 0) && first >= last && first - last <= CHUNK
            // A keeper put it back from a checkpoint, which ends within a cell. No worker here fails by itself.
            || *located.status().head.state() == RunState::Failed && first == last);
    if !whole {
        let found = format!("{run} ({:?}): {} lines and samples {ends:?} at {next:?}", located.source(), lines.len());
        stage.found(Gate::TornReads, found);
    }
    Ok(())
}

/// What a follower had of a run.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) run: RunId,
    pub(crate) lines: Vec<Told<String>>,
    pub(crate) samples: Vec<Vec<Told<f64>>>,
    pub(crate) state: String,
}

/// Follows a run to its end. `None` for one that was deleted.
pub(crate) async fn follow(stage: Arc<Stage>, store: Store, run: RunId) -> Result<Option<Followed>> {
    let mut follower = store.follow(run, Select::default());
    let mut had =
        Followed { run, lines: Vec::new(), samples: vec![Vec::new(); CHANNELS as usize], state: String::new() };
    loop {
        let event = tokio::time::timeout(Duration::from_secs(1), follower.next()).await;
        if stage.is_over() {
            if stage.is_deleted(run) {
                return Ok(None);
            }
            bail!("a follower of {run} has not seen its end");
        }
        match event {
            // Dropped while it waits: where it stands is kept.
            Err(_) => {}
            Ok(Ok(Some(Event::Lines(slice)))) => {
                seam(&stage, run, slice.first, had.lines.len());
                had.lines.extend(judge::texts(&slice.lines));
            }
            Ok(Ok(Some(Event::Samples { channel, series }))) => {
                if let Some(samples) = had.samples.get_mut(channel as usize) {
                    seam(&stage, run, series.first, samples.len());
                    samples.extend(judge::told(&series));
                }
            }
            Ok(Ok(Some(Event::Rewound(to)))) => {
                stage.count("rewinds", 1);
                if stage.ledger.losses(run).is_empty() {
                    stage.found(Gate::Dup, format!("a follower of {run} was sent back, and nothing was lost"));
                }
                had.lines.truncate(usize::try_from(to.lines)?);
                for (channel, samples) in (0..).zip(&mut had.samples) {
                    samples.truncate(usize::try_from(to.sample(channel))?);
                }
            }
            Ok(Ok(Some(Event::Ended(state)))) => {
                state.as_str().clone_into(&mut had.state);
                return Ok(Some(had));
            }
            Ok(Ok(Some(_))) => {}
            Ok(Ok(None)) => bail!("a follower of {run} ended without an end"),
            Ok(Err(StoreError::NotFound { .. })) if stage.is_deleted(run) => return Ok(None),
            Ok(Err(StoreError::NotFound { what })) => {
                stage.found(Gate::NotFound, format!("following: {what}"));
                return Ok(None);
            }
            Ok(Err(error @ StoreError::Corrupt { .. })) => {
                stage.found(Gate::TornReads, format!("following {run}: {error}"));
                return Ok(None);
            }
            Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(30)).await,
        }
    }
}

fn seam(stage: &Stage, run: RunId, first: u64, had: usize) {
    let had = had as u64;
    if first != had {
        let gate = if first < had { Gate::Dup } else { Gate::Holes };
        stage.found(gate, format!("a follower of {run} was given {first} after {had}"));
    }
}

/// The device that the scanner sees.
pub(crate) const DEVICE: &str = "lucidac-chaos";

/// Announces a device again and again.
pub(crate) async fn scan(stage: Arc<Stage>, store: Store) -> Result<()> {
    let seen = DeviceSeen {
        id: DEVICE.parse()?,
        device_type: DeviceType::Lucidac,
        firmware: Some("1.2.3".to_owned()),
        entity: Some(b"{\"entity\":1}".as_slice().into()),
        scanner: "scanner".to_owned(),
        always_active: false,
    };
    while !stage.is_over() {
        match in_time("announcing a device", store.announce(&seen, Duration::from_secs(20))).await? {
            Ok(_) => stage.count("announced", 1),
            Err(_) => stage.count("announcing_refused", 1),
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}
