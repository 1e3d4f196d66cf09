//! Samples into Redis, and what they take there.

use anyhow::Result;
use lucihub_models_core::Batch;
use lucihub_models_core::hot::HotWatch;

use super::bare::Bare;
use super::{Bench, body, source};
use crate::lab::Lab;
use crate::measure::{Figures, SAMPLES, Unit, timed};
use crate::typical::{self, CHANNELS};

const SCRIPT: &str = "a script that only adds the same bytes";
const COMMANDS: &str = "plain XADD of the same bytes";

pub(super) fn measure(lab: &Lab, bench: &Bench, figures: &mut Figures) -> Result<()> {
    for (chunk, batches) in [(100, 2_000), (1_000, 1_000), (8_000, 200)] {
        let names = ["", "_beside_xadd", "_one_in_flight"].map(|how| name(chunk, how));
        if !names.iter().any(|name| figures.wants(name)) {
            continue;
        }
        of_chunk(lab, bench, figures, chunk, lab.size.of(batches))?;
    }
    bytes(lab, bench, figures)
}

fn name(chunk: usize, how: &str) -> String {
    format!("hot.redis.ingest_{chunk}{how}_samples_per_s")
}

fn of_chunk(lab: &Lab, bench: &Bench, figures: &mut Figures, chunk: usize, batches: usize) -> Result<()> {
    let (source, bare) = (source(), Bare::connect(lab, bench)?);
    let writes = Bare::writes(&source, batches, chunk);
    let samples = (batches * chunk * source.len()) as f64;
    let ours = |window: usize| turn(lab, bench, &source, (chunk, batches), window);
    let script = || {
        bench.empty();
        let (seconds, ()) = timed(|| lab.wait(bare.script(&writes, Batch::WINDOW)))?;
        Ok((samples, seconds))
    };
    let commands = |window: usize| {
        bench.empty();
        let (seconds, ()) = timed(|| lab.wait(bare.commands(&writes, window)))?;
        Ok((samples, seconds))
    };
    let repeats = lab.size.repeats;
    let name = |how: &str| (name(chunk, how), SAMPLES);
    figures.compare(name(""), repeats, || ours(Batch::WINDOW), (SCRIPT, script))?;
    figures.compare(name("_beside_xadd"), repeats, || ours(Batch::WINDOW), (COMMANDS, || commands(Batch::WINDOW)))?;
    figures.compare(name("_one_in_flight"), repeats, || ours(1), (COMMANDS, || commands(1)))
}

/// A run in batches that were prepared, so many in flight. Returns the samples and the seconds.
pub(super) fn turn(
    lab: &Lab,
    bench: &Bench,
    source: &[Vec<f64>],
    (chunk, batches): (usize, usize),
    window: usize,
) -> Result<(f64, f64)> {
    let head = typical::head(1, CHANNELS);
    bench.empty();
    let mark = lab.wait(bench.start(&head))?;
    let batch = |n: usize| Batch::new(head.id, mark, n as u64 + 1, body(source, n, chunk));
    let prepared: Vec<Batch> = (0..batches).map(batch).collect();
    let (seconds, ()) = timed(|| lab.wait(bench.append(&prepared, window)))?;
    Ok(((batches * chunk * source.len()) as f64, seconds))
}

/// Memory of the server for a million samples per channel.
fn bytes(lab: &Lab, bench: &Bench, figures: &mut Figures) -> Result<()> {
    for chunk in [100, 1_000, 8_000] {
        let name = format!("hot.redis.bytes_per_sample_of_{chunk}");
        if !figures.wants(&name) {
            continue;
        }
        let (source, head) = (source(), typical::head(1, CHANNELS));
        let batches = lab.size.of(1_000_000) / chunk;
        figures.alone((name, Unit::Bytes("B/sample")), 2, || {
            bench.empty();
            let before = lab.wait(bench.hot.health())?.used_bytes;
            let mark = lab.wait(bench.start(&head))?;
            let batches = batches.max(1);
            for n in 0..batches {
                let batch = Batch::new(head.id, mark, n as u64 + 1, body(&source, n, chunk));
                lab.wait(bench.append(&[batch], 1))?;
            }
            let after = lab.wait(bench.hot.health())?.used_bytes;
            Ok((after.saturating_sub(before) as f64 / (batches * chunk * source.len()) as f64, 1.0))
        })?;
    }
    Ok(())
}
