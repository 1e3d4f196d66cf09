//! Live runs on Redis and SQLite: what one of them costs its writer, its server and its keeper, however many there are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use lucihub_models_core::hot::HotWatch;
use lucihub_models_core::{Batch, RunHead, RunId, WriterMark};
use lucihub_store::archive::WalkReport;
use lucihub_store::{Keeper, KeeperOptions, Store};
use lucihub_testkit::Dice;

use super::{Axis, Curve, Panel, Quantity, middle, push, repeats};
use crate::lab::Lab;
use crate::measure::{Figures, MS, US, Unit, timed};
use crate::redis::{Bench, body, source};
use crate::typical::{self, CHANNELS};

const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];
/// Samples of each channel in a batch.
const CHUNK: usize = 100;
/// Batches of one repeat.
const BATCHES: usize = 200;
/// Runs that are begun at once.
const AT_ONCE: usize = 16;

pub(super) const AXIS: Axis = Axis {
    name: "live",
    title: "Live runs, on Redis and SQLite",
    sizes: "live runs",
    panels: &[
        Panel {
            title: "Time",
            quantity: Quantity::Time,
            curves: &[
                Curve { what: "idle_walk", label: "walk of a keeper, nothing new" },
                Curve { what: "checkpoint_per_run", label: "checkpoint, for each run" },
                Curve { what: "append", label: "append of a batch" },
                Curve { what: "idle_walk_per_run", label: "that walk, for each run" },
            ],
        },
        Panel {
            title: "Memory of the server",
            quantity: Quantity::Bytes,
            curves: &[Curve { what: "redis_per_run", label: "for each run, with its first batch" }],
        },
    ],
};

/// Measures it. The runs become more and more, so that each is begun once.
pub(super) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    let mut live = Live::none(lab)?;
    for size in SIZES {
        live.grow(lab, lab.size.of(size).max(live.runs.len() + 1), figures, size)?;
        live.points(lab, figures, size)?;
    }
    Ok(())
}

/// A live run: its id, its writer's mark, and how many batches it has.
struct Run {
    id: RunId,
    mark: WriterMark,
    batches: u64,
}

struct Live {
    bench: Bench,
    store: Store,
    keeper: Keeper,
    source: Vec<Vec<f64>>,
    runs: Vec<Run>,
    dice: Dice,
}

impl Live {
    fn none(lab: &Lab) -> Result<Self> {
        let bench = Bench::begin(lab)?;
        let store = Store::new(bench.hot(), Arc::new(lab.cold("growth-live.db")?));
        // Whatever a run has is written at the next walk, and stays where it is.
        let hour = Duration::from_secs(3600);
        let options = KeeperOptions::default().with_checkpoint(Duration::ZERO, 1).with_trim_age(hour);
        let keeper = Keeper::new(store.clone(), options);
        let live = Self { bench, store, keeper, source: source(), runs: Vec::new(), dice: Dice::new(7) };
        // One that does not count: connections, scripts and buffers are there then.
        lab.wait(live.begin(u64::MAX >> 1))?;
        live.walk(lab)?;
        live.bench.empty();
        lab.wait(live.store.cold().delete(typical::head(u64::MAX >> 1, CHANNELS).id))?;
        Ok(live)
    }

    /// Begins runs until there are so many, each with a batch; then a keeper sees them.
    fn grow(&mut self, lab: &Lab, until: usize, figures: &mut Figures, size: usize) -> Result<()> {
        let before = lab.wait(self.bench.hot().health())?.used_bytes;
        let seeds = self.runs.len() as u64..until as u64;
        let added = seeds.end - seeds.start;
        let begun: Vec<Run> =
            lab.wait(stream::iter(seeds).map(|seed| self.begin(seed)).buffered(AT_ONCE).try_collect())?;
        self.runs.extend(begun);
        let after = lab.wait(self.bench.hot().health())?.used_bytes;
        let each = after.saturating_sub(before) as f64 / added as f64;
        let bytes = Unit::Bytes("B/run");
        figures.push_values((&AXIS.figure("redis_per_run", size, "bytes"), bytes), vec![each])?;
        let (seconds, report) = timed(|| self.walk(lab))?;
        ensure!(report.checkpoints >= added, "{report:?}");
        push(figures, (&AXIS.figure("checkpoint_per_run", size, "us"), US), &[seconds / report.checkpoints as f64])
    }

    async fn begin(&self, seed: u64) -> Result<Run> {
        let head: RunHead = typical::head(seed, CHANNELS);
        self.store.cold().create(&head).await?;
        let mark = self.bench.start(&head).await?;
        let batch = Batch::new(head.id, mark, 1, body(&self.source, 0, CHUNK));
        self.bench.append(&[batch], 1).await?;
        Ok(Run { id: head.id, mark, batches: 1 })
    }

    fn points(&mut self, lab: &Lab, figures: &mut Figures, size: usize) -> Result<()> {
        let mut appends = Vec::new();
        for _ in 0..repeats(lab) {
            let times = (0..lab.size.of(BATCHES)).map(|_| self.append(lab)).collect::<Result<Vec<_>>>()?;
            appends.push(middle(&times));
        }
        push(figures, (&AXIS.figure("append", size, "us"), US), &appends)?;
        // What was just appended is written first.
        self.walk(lab)?;
        let mut walks = Vec::new();
        for _ in 0..repeats(lab) {
            let (seconds, report) = timed(|| self.walk(lab))?;
            ensure!(report.checkpoints == 0, "{report:?}");
            walks.push(seconds);
        }
        push(figures, (&AXIS.figure("idle_walk", size, "ms"), MS), &walks)?;
        let each: Vec<f64> = walks.iter().map(|seconds| seconds / self.runs.len() as f64).collect();
        push(figures, (&AXIS.figure("idle_walk_per_run", size, "us"), US), &each)
    }

    /// One batch of any of the runs.
    fn append(&mut self, lab: &Lab) -> Result<Duration> {
        let run = usize::try_from(self.dice.below(self.runs.len() as u64))?;
        let run = &mut self.runs[run];
        let number = usize::try_from(run.batches)?;
        run.batches += 1;
        let batch = Batch::new(run.id, run.mark, run.batches, body(&self.source, number, CHUNK));
        let begun = Instant::now();
        lab.wait(self.bench.append(&[batch], 1))?;
        Ok(begun.elapsed())
    }

    fn walk(&self, lab: &Lab) -> Result<WalkReport> {
        let report = lab.wait(self.keeper.walk())?;
        ensure!(report.errors.is_empty() && report.failed == 0, "{report:?}");
        Ok(report)
    }
}
