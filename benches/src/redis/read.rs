//! Windows of long channels, and a thousand live runs.

use anyhow::{Result, ensure};
use lucihub_models_core::hot::HotSamples;
use lucihub_models_core::{Batch, BatchBody, RunHead, SampleBlock};
use lucihub_testkit::Dice;
use lucihub_testkit::models::adc_series;

use super::{Bench, body, source};
use crate::lab::Lab;
use crate::measure::{Figures, SAMPLES, US, timed};
use crate::typical::{self, CHANNELS};

const WINDOW: usize = 10_000;

pub(super) fn measure(lab: &Lab, bench: &Bench, figures: &mut Figures) -> Result<()> {
    for (name, length) in [("1m", 1_000_000), ("50m", 50_000_000)] {
        window(lab, bench, figures, &format!("hot.redis.window_10k_of_{name}_us"), length)?;
    }
    live_runs(lab, bench, figures)
}

/// 10,000 samples from anywhere in a long channel that came in blocks of 1,000.
fn window(lab: &Lab, bench: &Bench, figures: &mut Figures, name: &str, length: usize) -> Result<()> {
    const BLOCK: usize = 1_000;
    const PER_BATCH: usize = 200;
    const WINDOWS: u64 = 300;
    if !figures.wants(name) {
        return Ok(());
    }
    bench.empty();
    let length = lab.size.of(length).max(2 * WINDOW);
    let (base, head) = (adc_series(0, 1_000_000), typical::head(1, 1));
    let mark = lab.wait(bench.start(&head))?;
    let mut batches = Vec::new();
    for (seq, at) in (1..).zip((0..length).step_by(BLOCK)) {
        let from = at % (base.len() - BLOCK + 1);
        let values = base[from..from + BLOCK.min(length - at)].into();
        let block = SampleBlock { channel: 0, first: at as u64, values };
        batches.push(Batch::new(head.id, mark, seq, BatchBody { blocks: vec![block], ..BatchBody::default() }));
        if batches.len() == PER_BATCH {
            lab.wait(bench.append(&std::mem::take(&mut batches), Batch::WINDOW))?;
        }
    }
    lab.wait(bench.append(&batches, Batch::WINDOW))?;
    let dice = Dice::new(7);
    figures.alone((name, US), lab.size.repeats, || {
        let (seconds, ()) = timed(|| {
            lab.wait(async {
                for _ in 0..WINDOWS {
                    let first = dice.below((length - WINDOW) as u64);
                    let series = bench.hot.window(head.id, 0, first..first + WINDOW as u64).await?;
                    ensure!(series.is_some_and(|series| series.values.len() == WINDOW), "a short window");
                }
                Ok(())
            })
        })?;
        Ok((WINDOWS as f64, seconds))
    })
}

/// A thousand runs at once, each with a batch in turn, against as many batches of one run.
fn live_runs(lab: &Lab, bench: &Bench, figures: &mut Figures) -> Result<()> {
    const CHUNK: usize = 100;
    const BATCHES: usize = 4;
    let name = "hot.redis.live_runs_1000_samples_per_s";
    if !figures.wants(name) {
        return Ok(());
    }
    let (runs, source) = (lab.size.of(1_000), source());
    let round = |runs: usize, batches: usize| -> Result<(f64, f64)> {
        bench.empty();
        let heads: Vec<RunHead> = (0..runs as u64).map(|seed| typical::head(seed, CHANNELS)).collect();
        let mut marks = Vec::new();
        for head in &heads {
            marks.push(lab.wait(bench.start(head))?);
        }
        let mut all = Vec::new();
        for number in 0..batches {
            for (head, mark) in heads.iter().zip(&marks) {
                all.push(Batch::new(head.id, *mark, number as u64 + 1, body(&source, number, CHUNK)));
            }
        }
        let (seconds, ()) = timed(|| lab.wait(bench.append(&all, Batch::WINDOW)))?;
        Ok(((runs * batches * CHUNK) as f64 * f64::from(CHANNELS), seconds))
    };
    let one = ("one run, as many batches", || round(1, runs * BATCHES));
    figures.compare((name, SAMPLES), lab.size.repeats, || round(runs, BATCHES), one)
}
