//! A run of a gigabyte: recorded, archived, and the same samples without us.

use std::sync::Arc;

use anyhow::{Result, ensure};
use lucihub_models_core::{RunHead, RunState};
use lucihub_store::record::End;
use lucihub_store::{KeeperOptions, Store};
use lucihub_testkit::models::adc_series;

use super::Working;
use crate::lab::Lab;
use crate::measure::{Figures, S, timed};
use crate::plain::{Plain, compress};
use crate::typical::{self, CELL, CHANNELS};

/// What the limit does.
pub(crate) const LIMIT: &str = "pco of the same samples, then their insert";
/// Samples that come at once, per channel.
pub(crate) const CHUNK: usize = 4_096;

/// Measures how long such a run takes from hot storage, which has all of it, into the archive.
pub(super) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    const ROOM: u64 = 2 << 30;
    let name = "store.archive_1gb_s";
    if !figures.wants(name) {
        return Ok(());
    }
    let base = base(lab);
    let mut plain = Plain::open(&lab.file("gigabyte-plain.db"))?;
    plain.lay_out()?;
    let (mut turn, mut run) = (0, 0);
    let ours = || {
        turn += 1;
        // New ones, so that no keeper has anything else to look after.
        let store = lab.store(Arc::new(lab.cold(&format!("gigabyte-{turn}.db"))?), ROOM);
        let head = typical::head(turn, CHANNELS);
        lab.wait(record(&store, &head, &base, samples(lab)))?;
        let (seconds, working) = timed(|| {
            lab.wait(async {
                let working = Working::start(&store, KeeperOptions::default());
                working.archived(&store, head.id).await?;
                Ok(working)
            })
        })?;
        lab.wait(working.stop())?;
        let stored = lab.wait(store.cold().get(head.id))?;
        ensure!(stored.is_some(), "it is not in the archive");
        Ok((1.0, seconds))
    };
    let theirs = || {
        run += 1;
        Ok((1.0, bare(&mut plain, run, &base, samples(lab))?))
    };
    figures.compare((name, S), lab.size.repeats.min(3), ours, (LIMIT, theirs))
}

/// Samples per channel.
pub(crate) fn samples(lab: &Lab) -> usize {
    lab.size.of(16_000_000)
}

/// The signal that comes again and again.
pub(crate) fn base(lab: &Lab) -> Vec<f64> {
    adc_series(0, lab.size.of(1_000_000))
}

/// What every channel gets: the signal again and again, in chunks that begin elsewhere each time.
fn chunks(base: &[f64], samples: usize) -> impl Iterator<Item = &[f64]> {
    let (mut at, mut place) = (0, 0);
    std::iter::from_fn(move || {
        if place >= base.len() {
            place = 0;
        }
        let part = &base[place..(place + CHUNK.min(samples - at)).min(base.len())];
        at += part.len();
        place += part.len() + 1;
        (!part.is_empty()).then_some(part)
    })
}

/// Records a run with so many samples per channel.
pub(crate) async fn record(store: &Store, head: &RunHead, base: &[f64], samples: usize) -> Result<()> {
    store.create(head).await?;
    let recorder = store.record(head.id, "bench").await?;
    recorder.state(RunState::InProgress).await?;
    let mut at = 0;
    for part in chunks(base, samples) {
        for channel in 0..CHANNELS {
            recorder.samples(channel, at, part).await?;
        }
        at += part.len() as u64;
    }
    recorder.finish(RunState::Succeeded, End::default()).await?;
    Ok(())
}

/// Encodes the same samples and inserts them, some cells at a time. Returns the seconds.
pub(crate) fn bare(plain: &mut Plain, run: i64, base: &[f64], samples: usize) -> Result<f64> {
    const ROWS_AT_ONCE: usize = 64;
    let (seconds, ()) = timed(|| {
        let mut values = chunks(base, samples).flatten().copied();
        let mut rows = Vec::with_capacity(ROWS_AT_ONCE);
        for number in 0.. {
            let cell: Vec<f64> = values.by_ref().take(CELL).collect();
            if cell.is_empty() {
                break;
            }
            for channel in 0..CHANNELS {
                rows.push((i64::from(channel), number, Vec::new(), compress(&cell)?));
            }
            if rows.len() >= ROWS_AT_ONCE {
                plain.insert(run, &rows)?;
                rows.clear();
            }
        }
        plain.insert(run, &rows)
    })?;
    Ok(seconds)
}
