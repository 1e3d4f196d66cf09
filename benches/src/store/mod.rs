//! Both storages together: the way of a typical run, from its creation to its archive.
//!
//! | file | what is there |
//! | --- | --- |
//! | `mod.rs` | recorded as fast as it goes, embedded hot storage and SQLite |
//! | `pace.rs` | recorded as a device gives it: what is left to do at the end, on each pair of storages |
//! | `gigabyte.rs` | a long run, out of hot storage |
//! | `write_side.rs`, `worker.rs`, `raw.rs` | Redis and each database, beside the same commands and one row without us |

pub(crate) mod gigabyte;
mod pace;
mod raw;
mod worker;
mod write_side;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use lucihub_models_core::{RunId, RunState, TimeBase};
use lucihub_store::{Keeper, KeeperOptions, Source, Store};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

pub(crate) use worker::Worker;
pub(crate) use write_side::{of_long_lines, write as write_run};

use crate::cold::{Engine, postgres, sqlite};
use crate::lab::Lab;
use crate::measure::{Figures, MS};
use crate::plain::{Plain, compress};
use crate::typical::{self, CHANNELS, STATES, Typical};

/// Samples that come at once, per channel.
pub(crate) const CHUNK: usize = 1_000;

/// Measures the group.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    let typical = Typical::new(lab.size.of(100_000));
    let cold = lab.cold("store.db")?;
    let store = lab.store(Arc::new(cold.clone()), 1 << 30);
    let working = lab.wait(async { Working::start(&store, KeeperOptions::default()) });
    let mut plain = Plain::open(&lab.file("store-plain.db"))?;
    plain.lay_out()?;
    let (mut seed, mut ends, mut writes) = (0, Vec::new(), Vec::new());
    let rows = {
        lab.wait(record(&store, &working, seed, &typical, None))?;
        Plain::open(&lab.file("store.db"))?.encoded(typical::head(seed, CHANNELS).id)?
    };
    let ours = || {
        seed += 1;
        let took = lab.wait(record(&store, &working, seed, &typical, None))?;
        ends.push(1e3 * took.archived.as_secs_f64());
        writes.push(1e3 * took.written.as_secs_f64());
        Ok((1.0, (took.written + took.archived).as_secs_f64()))
    };
    let mut run = 0;
    let theirs = || {
        run += 1;
        let begun = Instant::now();
        for part in typical.channels.iter().flat_map(|values| values.chunks(65_536)) {
            std::hint::black_box(compress(part)?);
        }
        plain.insert(run, &rows)?;
        Ok((1.0, begun.elapsed().as_secs_f64()))
    };
    let what = "pco, then insert of the same bytes";
    figures.compare(("store.record_and_archive_run_ms", MS), lab.size.repeats, ours, (what, theirs))?;
    // The first turn does not count, here as there.
    figures.push_values(("store.record_run_ms", MS), writes.split_off(writes.len().min(1)))?;
    figures.push_values(("store.end_to_archived_ms", MS), ends.split_off(ends.len().min(1)))?;
    lab.wait(working.stop())?;
    gigabyte::measure(lab, figures)?;
    on(lab, figures, &sqlite::Files, &typical)?;
    if figures.wants_any_of("store.postgres.") {
        on(lab, figures, &postgres::Server::start(), &typical)?;
    }
    Ok(())
}

/// What is measured on each database.
fn on(lab: &Lab, figures: &mut Figures, engine: &dyn Engine, typical: &Typical) -> Result<()> {
    pace::measure(lab, figures, engine, typical)?;
    write_side::measure(lab, figures, engine, typical)
}

/// What a run took: until its end was acknowledged, from then until it was archived, and from then until all of it was read
/// from the archive.
struct Took {
    written: Duration,
    archived: Duration,
    read: Duration,
}

/// Records a run, as fast as it goes or at a rate in samples per second and channel.
async fn record(store: &Store, working: &Working, seed: u64, typical: &Typical, rate: Option<f64>) -> Result<Took> {
    let begun = Instant::now();
    let mut head = typical::head(seed, CHANNELS);
    head.time_base = rate.map(TimeBase::from_rate).or(head.time_base);
    store.create(&head).await?;
    let recorder = store.record(head.id, "bench").await?;
    for state in STATES {
        recorder.state(RunState::from(state)).await?;
    }
    let samples = typical.channels[0].len();
    let mut lines = typical.lines.iter();
    // Lines come spread over the samples, one by one.
    let each = (typical.lines.len() * CHUNK).div_ceil(samples);
    let op = tokio::time::Instant::now();
    for first in (0..samples).step_by(CHUNK) {
        if let Some(rate) = rate {
            // When the last of them has been taken.
            let taken = (first + CHUNK).min(samples) as f64 / rate;
            tokio::time::sleep_until(op + Duration::from_secs_f64(taken)).await;
        }
        for (channel, values) in (0..).zip(&typical.channels) {
            let part = &values[first..(first + CHUNK).min(samples)];
            recorder.samples(channel, first as u64, part).await?;
        }
        for line in lines.by_ref().take(each) {
            recorder.line(line.clone()).await?;
        }
    }
    recorder.finish(RunState::Succeeded, lucihub_store::record::End::default()).await?;
    let written = begun.elapsed();
    if rate.is_some() {
        Working::readable(store, head.id).await?;
    } else {
        working.archived(store, head.id).await?;
    }
    let archived = begun.elapsed() - written;
    let run = store.run(head.id).await?;
    let read = begun.elapsed() - written - archived;
    let values: usize = run.series.iter().map(|series| series.values.len()).sum();
    let found = (values, run.logs.len(), run.head.states.len());
    let all = (typical.samples(), typical.lines.len(), STATES.len() + 2);
    ensure!(found == all, "{found:?} samples, lines and states of {all:?}");
    Ok(Took { written, archived, read })
}

/// A keeper at work.
pub(crate) struct Working {
    walked: Arc<Notify>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Working {
    /// Starts a keeper.
    pub(crate) fn start(store: &Store, options: KeeperOptions) -> Self {
        let keeper = Keeper::new(store.clone(), options);
        let walked = Arc::new(Notify::new());
        let (stop, stopped) = oneshot::channel::<()>();
        let tell = walked.clone();
        let task = tokio::spawn(async move {
            let report = |_| tell.notify_one();
            keeper.watch(async { drop(stopped.await) }, report).await;
        });
        Self { walked, stop, task }
    }

    /// Waits until a run is archived.
    pub(crate) async fn archived(&self, store: &Store, run: RunId) -> Result<()> {
        while store.status(run).await?.source != Source::Archive {
            self.walked.notified().await;
        }
        Ok(())
    }

    /// Waits until cold storage has a run in its archive, which is a little before the keeper is done with it.
    async fn readable(store: &Store, run: RunId) -> Result<()> {
        // On a thread: the runtime's clock has steps of a millisecond. A look costs a fifth of this.
        const LOOK: Duration = Duration::from_micros(500);
        while store.cold().get(run).await?.is_none_or(|run| run.archived.is_none()) {
            tokio::task::spawn_blocking(|| std::thread::sleep(LOOK)).await?;
        }
        Ok(())
    }

    /// Stops the keeper.
    pub(crate) async fn stop(self) -> Result<()> {
        drop(self.stop);
        Ok(self.task.await?)
    }
}
