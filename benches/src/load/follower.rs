//! A follower: one run of a worker after the other, nothing missing and nothing twice.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use lucihub_models_core::RunState;
use lucihub_store::{Event, Select, Store};
use tokio::sync::watch;

use super::signal::{self, CHANNELS, CHUNK};
use super::worker::Shown;

/// What a follower saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) samples: u64,
    /// From when the last sample of a piece was taken until the follower had it.
    pub(super) lags: Vec<Duration>,
}

/// Follows what a worker shows until it shows no more.
pub(super) async fn follow(store: Store, mut shown: watch::Receiver<Option<Shown>>, samples: u64) -> Result<Seen> {
    let mut seen = Seen::default();
    while shown.changed().await.is_ok() {
        let Some(run) = *shown.borrow_and_update() else { continue };
        one(&store, &run, samples, &mut seen).await.with_context(|| format!("run {}", run.run))?;
    }
    Ok(seen)
}

async fn one(store: &Store, shown: &Shown, samples: u64, seen: &mut Seen) -> Result<()> {
    let joined = Instant::now();
    let mut follower = store.follow(shown.run, Select::default());
    let (mut next, mut lines) = ([0; CHANNELS as usize], 0);
    while let Some(event) = follower.next().await? {
        match event {
            Event::Samples { channel, series } => {
                let now = Instant::now();
                let at = next.get_mut(channel as usize).context("no such channel")?;
                *at = signal::check(shown.seed, channel, *at, &series)?;
                seen.samples += series.values.len() as u64;
                // What was there before it came does not tell how far behind it is.
                if shown.begun + signal::taken(series.first) >= joined {
                    seen.lags.push(now.saturating_duration_since(shown.begun + signal::taken(series.end)));
                }
            }
            Event::Lines(slice) => lines = signal::check_lines(shown.seed, lines, &slice)?,
            Event::Rewound(to) => bail!("rewound to {to:?}, and nothing was lost"),
            Event::Ended(state) => ensure!(state == RunState::Succeeded, "it ended as {state}"),
            _ => {}
        }
    }
    ensure!(next.iter().all(|end| *end == samples), "channels end at {next:?} of {samples}");
    ensure!(lines == samples / CHUNK, "{lines} lines of {}", samples / CHUNK);
    Ok(())
}
