//! Windows and envelopes of one long channel.

use anyhow::{Result, ensure};
use lucihub_models_core::RunHead;
use lucihub_models_core::cold::Checkpoint;
use lucihub_store::Store;
use lucihub_testkit::Dice;

use super::{Engine, Place, Side, figure};
use crate::lab::Lab;
use crate::measure::{Figures, MS, timed};
use crate::typical::{self, CELL, Typical, cells_from};

/// Measures windows of runs of two lengths, and envelopes.
pub(super) fn measure(lab: &Lab, engine: &dyn Engine, figures: &mut Figures) -> Result<()> {
    for (length, window, envelope) in [
        (1_000_000, Some("window_10k_of_1m_ms"), None),
        (5_000_000, None, Some("envelope_2000_of_5m_ms")),
        (100_000_000, Some("window_10k_of_100m_ms"), Some("envelope_2000_of_100m_ms")),
    ] {
        let [window, envelope] =
            [window, envelope].map(|what| what.map(|what| figure(engine, what)).filter(|name| figures.wants(name)));
        if window.is_none() && envelope.is_none() {
            continue;
        }
        let mut long = Long::new(lab, engine, length)?;
        window.map_or(Ok(()), |name| long.window(lab, figures, &name))?;
        envelope.map_or(Ok(()), |name| long.envelope(lab, figures, &name))?;
    }
    Ok(())
}

/// A run of one long channel, archived, in a database of its own.
struct Long {
    side: Box<dyn Side>,
    store: Store,
    head: RunHead,
    samples: usize,
}

impl Long {
    fn new(lab: &Lab, engine: &dyn Engine, length: usize) -> Result<Self> {
        const CELLS_AT_ONCE: usize = 64;
        let Place { cold, mut side } = engine.place(lab, &format!("long-{length}"))?;
        let head = typical::head(1, 1);
        lab.wait(cold.create(&head))?;
        let samples = lab.size.of(length).max(4 * 10_000);
        // A signal of a million samples again and again; no two cells begin at the same place of it.
        let base = lucihub_testkit::models::adc_series(0, 1_000_003.min(samples));
        let mut values = base.iter().copied().cycle().take(samples);
        let mut number = 0;
        loop {
            let part: Vec<f64> = values.by_ref().take(CELLS_AT_ONCE * CELL).collect();
            if part.is_empty() {
                break;
            }
            let samples = cells_from(0, number, &part).collect();
            lab.wait(cold.checkpoint(head.id, &Checkpoint { lines: Vec::new(), samples, ..Checkpoint::default() }))?;
            number += CELLS_AT_ONCE as u64;
        }
        let mut commit = Typical { channels: Vec::new(), lines: Vec::new() }.commit(&head);
        commit.positions.set_sample(0, samples as u64);
        lab.wait(cold.commit(&commit))?;
        side.settle()?;
        Ok(Self { side, store: lab.store(cold, 1 << 20), head, samples })
    }

    /// 10,000 samples from anywhere.
    fn window(&mut self, lab: &Lab, figures: &mut Figures, name: &str) -> Result<()> {
        const WINDOW: usize = 10_000;
        const WINDOWS: usize = 20;
        let Self { side, store, head, samples } = self;
        let (ours_at, theirs_at) = (Dice::new(7), Dice::new(7));
        let place = |dice: &Dice| usize::try_from(dice.below((*samples - WINDOW) as u64));
        let ours = || {
            let (seconds, ()) = timed(|| {
                for _ in 0..WINDOWS {
                    let first = place(&ours_at)? as u64;
                    let series = lab.wait(store.window(head.id, 0, first..first + WINDOW as u64))?;
                    ensure!(series.values.len() == WINDOW, "a short window");
                }
                Ok(())
            })?;
            Ok((WINDOWS as f64, seconds))
        };
        let theirs = || {
            let (seconds, ()) = timed(|| {
                for _ in 0..WINDOWS {
                    let first = place(&theirs_at)?;
                    let touched = first / CELL..(first + WINDOW).div_ceil(CELL);
                    let decoded =
                        side.samples(head.id, 0, i64::try_from(touched.start)?..i64::try_from(touched.end)?)?;
                    let skip = first - touched.start * CELL;
                    let window: Vec<f64> = decoded.concat()[skip..skip + WINDOW].to_vec();
                    ensure!(window.len() == WINDOW, "a short window");
                }
                Ok(())
            })?;
            Ok((WINDOWS as f64, seconds))
        };
        figures.compare((name, MS), lab.size.repeats, ours, ("bare read of its cells, then pco", theirs))
    }

    /// The whole channel as a plot.
    fn envelope(&mut self, lab: &Lab, figures: &mut Figures, name: &str) -> Result<()> {
        const BUCKETS: usize = 2_000;
        const PLOTS: usize = 5;
        let Self { side, store, head, samples } = self;
        let ours = || {
            let (seconds, ()) = timed(|| {
                for _ in 0..PLOTS {
                    let envelope = lab.wait(store.envelope(head.id, 0, 0..u64::MAX, BUCKETS))?;
                    ensure!(envelope.end == *samples as u64, "it ends at {}", envelope.end);
                }
                Ok(())
            })?;
            Ok((PLOTS as f64, seconds))
        };
        let theirs = || {
            let (seconds, ()) = timed(|| {
                for _ in 0..PLOTS {
                    let rows = side.summaries(head.id, 0)?;
                    ensure!(rows == samples.div_ceil(CELL), "{rows} rows");
                }
                Ok(())
            })?;
            Ok((PLOTS as f64, seconds))
        };
        figures.compare((name, MS), lab.size.repeats, ours, ("bare read of its summaries", theirs))
    }
}
