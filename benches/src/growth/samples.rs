//! Samples of a run, of all its channels together, on SQLite: what a window, a plot, a picture and the archive cost.

use std::sync::Arc;

use anyhow::{Result, ensure};
use lucihub_models_core::RunHead;
use lucihub_models_core::cold::{Checkpoint, ColdStore};
use lucihub_store::{Source, Store};
use lucihub_testkit::Dice;
use lucihub_testkit::models::adc_series;

use super::{Axis, Curve, Panel, Quantity, push, repeats};
use crate::lab::Lab;
use crate::measure::{Figures, MS, US, timed};
use crate::typical::{self, CELL, CHANNELS, Typical, cells_from};

const SIZES: [usize; 4] = [1_000_000, 10_000_000, 50_000_000, 200_000_000];
/// Samples of a window, and buckets of a plot.
const WINDOW: usize = 10_000;
const BUCKETS: usize = 2_000;
/// Lines that a picture of a run shows.
const LINES: u64 = 100;
/// Cells of each channel that one transaction writes.
const CELLS_AT_ONCE: usize = 8;

pub(super) const AXIS: Axis = Axis {
    name: "samples",
    title: "Samples of a run, on SQLite",
    sizes: "samples of the run, in 8 channels",
    panels: &[Panel {
        title: "SQLite",
        quantity: Quantity::Time,
        curves: &[
            Curve { what: "archive_per_million", label: "archive, for each million" },
            Curve { what: "snapshot", label: "picture of all channels" },
            Curve { what: "envelope_2000", label: "plot of a channel, 2,000 buckets" },
            Curve { what: "window_10k", label: "window of 10,000 samples" },
            Curve { what: "status", label: "look at the run" },
        ],
    }],
};

/// Measures it.
pub(super) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    // A signal of a million samples again and again; no two cells begin at the same place of it.
    let base: Vec<Vec<f64>> =
        (0..CHANNELS).map(|channel| adc_series(channel, 1_000_003.min(lab.size.of(1_000_000).max(2 * CELL)))).collect();
    for size in SIZES {
        let cold = Arc::new(lab.cold(&format!("growth-samples-{size}.db"))?);
        let samples = (lab.size.of(size) / CHANNELS as usize).max(2 * WINDOW);
        // The long ones once: each of their cells is a repeat.
        let turns = if size > 10_000_000 { 1 } else { u64::from(repeats(lab)) };
        let mut per_million = Vec::new();
        for seed in 1..=turns {
            let head = typical::head(seed, CHANNELS);
            let seconds = archive(lab, &*cold, &head, &base, samples)?;
            per_million.push(seconds * 1e6 / (samples * base.len()) as f64);
        }
        push(figures, (&AXIS.figure("archive_per_million", size, "ms"), MS), &per_million)?;
        let long = Long { store: lab.store(cold, 1 << 20), head: typical::head(1, CHANNELS), samples };
        long.points(lab, figures, size)?;
    }
    Ok(())
}

/// Archives a run of so many samples per channel. Returns the seconds that cold storage took.
fn archive(lab: &Lab, cold: &dyn ColdStore, head: &RunHead, base: &[Vec<f64>], samples: usize) -> Result<f64> {
    lab.wait(cold.create(head))?;
    let mut taken = 0.0;
    for first in (0..samples).step_by(CELLS_AT_ONCE * CELL) {
        let count = (CELLS_AT_ONCE * CELL).min(samples - first);
        let of_channel = |(channel, base): (u32, &Vec<f64>)| {
            let values: Vec<f64> = base.iter().copied().cycle().skip(first % base.len()).take(count).collect();
            cells_from(channel, (first / CELL) as u64, &values).collect::<Vec<_>>()
        };
        let samples = (0..).zip(base).flat_map(of_channel).collect();
        let part = Checkpoint { samples, ..Checkpoint::default() };
        let (seconds, written) = timed(|| Ok(lab.wait(cold.checkpoint(head.id, &part))?))?;
        ensure!(written, "it was archived before");
        taken += seconds;
    }
    let mut commit = Typical { channels: Vec::new(), lines: Vec::new() }.commit(head);
    (0..CHANNELS).for_each(|channel| commit.positions.set_sample(channel, samples as u64));
    let (seconds, _) = timed(|| Ok(lab.wait(cold.commit(&commit))?))?;
    Ok(taken + seconds)
}

/// A long run in the archive.
struct Long {
    store: Store,
    head: RunHead,
    /// Of each channel.
    samples: usize,
}

impl Long {
    fn points(&self, lab: &Lab, figures: &mut Figures, size: usize) -> Result<()> {
        let Self { store, head, samples } = self;
        let (repeats, dice) = (repeats(lab), Dice::new(7));
        let mut point = |(what, unit_name, unit), count: u32, call: &dyn Fn() -> Result<()>| {
            figures.alone((AXIS.figure(what, size, unit_name), unit), repeats, || {
                let (seconds, ()) = timed(|| (0..count).try_for_each(|_| call()))?;
                Ok((f64::from(count), seconds))
            })
        };
        point(("window_10k", "ms", MS), 20, &|| {
            let channel = u32::try_from(dice.below(CHANNELS.into()))?;
            let first = dice.below((samples - WINDOW) as u64);
            let series = lab.wait(store.window(head.id, channel, first..first + WINDOW as u64))?;
            ensure!(series.values.len() == WINDOW, "a short window");
            Ok(())
        })?;
        point(("envelope_2000", "ms", MS), 5, &|| {
            let envelope = lab.wait(store.envelope(head.id, 0, 0..u64::MAX, BUCKETS))?;
            ensure!(envelope.end == *samples as u64, "it ends at {}", envelope.end);
            Ok(())
        })?;
        point(("snapshot", "ms", MS), 3, &|| {
            let snapshot = lab.wait(store.snapshot(head.id, LINES, BUCKETS))?;
            ensure!(snapshot.envelopes.len() == CHANNELS as usize, "{} channels", snapshot.envelopes.len());
            Ok(())
        })?;
        point(("status", "us", US), 20, &|| {
            ensure!(lab.wait(store.status(head.id))?.source == Source::Archive, "it is archived");
            Ok(())
        })
    }
}
