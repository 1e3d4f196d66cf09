//! Hot storage, embedded: append, windows, many runs; and what the recorder adds.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use lucihub_hot::embedded::EmbeddedHot;
use lucihub_models_core::hot::{HotAppend, HotRuns, HotSamples, Outcome, TakeOver, TookOver};
use lucihub_models_core::{Batch, BatchBody, LogLine, RunHead, RunId, SampleBlock, Timestamp, WriterId, WriterMark};
use lucihub_store::Store;
use lucihub_testkit::Dice;
use lucihub_testkit::models::adc_series;

use crate::lab::{self, Lab};
use crate::measure::{Figures, MS, SAMPLES, US, Unit, timed};
use crate::typical::{self, CHANNELS};

/// Room for all that is measured.
const ROOM: u64 = 8 << 30;
const LINES: Unit = Unit::PerSecond("lines/s");
const MEMCPY: &str = "memcpy into new vectors";

/// Measures the group.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    for chunk in [100, 1_000, 8_000] {
        ingest(lab, figures, chunk)?;
    }
    let cold = lab.cold("hot.db")?;
    let store = lab.store(Arc::new(cold.clone()), ROOM);
    for (seed, chunk) in (1_u64..).zip([100, 1_000, 8_000]) {
        recorder(lab, figures, &store, seed << 32, chunk)?;
    }
    log_lines(lab, figures, &store)?;
    window(lab, figures, "hot.embedded.window_10k_of_1m_us", 1_000_000)?;
    window(lab, figures, "hot.embedded.window_10k_of_50m_us", 50_000_000)?;
    take_over(lab, figures)?;
    append(lab, figures)?;
    live_runs(lab, figures)
}

/// Samples of some channels, to be appended piece by piece.
fn source(lab: &Lab) -> Vec<Vec<f64>> {
    (0..CHANNELS).map(|channel| adc_series(channel, lab.size.of(1_000_000))).collect()
}

/// A body with the samples of all channels in a range.
fn body(source: &[Vec<f64>], first: usize, chunk: usize) -> BatchBody {
    let block = |(channel, values): (u32, &Vec<f64>)| SampleBlock {
        channel,
        first: first as u64,
        values: values[first..(first + chunk).min(values.len())].into(),
    };
    BatchBody { blocks: (0..).zip(source).map(block).collect(), ..BatchBody::default() }
}

/// Opens a run and takes it over.
fn start(lab: &Lab, hot: &EmbeddedHot, head: &RunHead) -> Result<WriterMark> {
    lab.wait(hot.open(head))?;
    taken(lab.wait(hot.take_over(&request(head.id)))?)
}

fn request(run: RunId) -> TakeOver {
    let writer = WriterId::from_bits(1);
    TakeOver { run, worker: "bench".to_owned(), writer, lease: Duration::from_secs(3600) }
}

fn taken(answer: TookOver) -> Result<WriterMark> {
    match answer {
        TookOver::Taken(taken) => Ok(taken.mark),
        other => bail!("not taken over: {other:?}"),
    }
}

async fn append_all(hot: &EmbeddedHot, batches: &[Batch]) -> Result<()> {
    for batch in batches {
        let outcome = hot.append(batch).await?.outcome;
        ensure!(outcome == Outcome::Applied, "batch {} of {}: {outcome:?}", batch.seq(), batch.run());
    }
    Ok(())
}

fn copy(source: &[Vec<f64>], chunk: usize) -> (f64, f64) {
    let begun = std::time::Instant::now();
    let copies: Vec<Vec<f64>> = source.iter().flat_map(|values| values.chunks(chunk).map(<[f64]>::to_vec)).collect();
    let seconds = begun.elapsed().as_secs_f64();
    (copies.iter().map(Vec::len).sum::<usize>() as f64, seconds)
}

/// Batches that were prepared, digest and all, through the port.
fn ingest(lab: &Lab, figures: &mut Figures, chunk: usize) -> Result<()> {
    let source = source(lab);
    let samples = source[0].len();
    let head = typical::head(1, CHANNELS);
    let ours = || {
        let hot = lab::hot(ROOM);
        let mark = start(lab, &hot, &head)?;
        let firsts = (0..samples).step_by(chunk);
        let batches: Vec<Batch> =
            (1..).zip(firsts).map(|(seq, at)| Batch::new(head.id, mark, seq, body(&source, at, chunk))).collect();
        let (seconds, ()) = timed(|| lab.wait(append_all(&hot, &batches)))?;
        Ok(((samples * source.len()) as f64, seconds))
    };
    let name = format!("hot.embedded.ingest_{chunk}_samples_per_s");
    figures.compare((name, SAMPLES), lab.size.repeats, ours, (MEMCPY, || Ok(copy(&source, chunk))))
}

/// The same through the recorder, which copies, gathers and hashes.
fn recorder(lab: &Lab, figures: &mut Figures, store: &Store, seed: u64, chunk: usize) -> Result<()> {
    let source = source(lab);
    let samples = source[0].len();
    let mut seed = seed;
    let ours = || {
        seed += 1;
        let head = typical::head(seed, CHANNELS);
        let recorder = lab.wait(async {
            store.create(&head).await?;
            anyhow::Ok(store.record(head.id, "bench").await?)
        })?;
        let (seconds, ()) = timed(|| {
            lab.wait(async {
                for first in (0..samples).step_by(chunk) {
                    for (channel, values) in (0..).zip(&source) {
                        let part = &values[first..(first + chunk).min(samples)];
                        recorder.samples(channel, first as u64, part).await?;
                    }
                }
                Ok(recorder.flush().await?)
            })
        })?;
        lab.wait(store.hot().remove(head.id, true, Duration::ZERO))?;
        Ok(((samples * source.len()) as f64, seconds))
    };
    let name = format!("hot.recorder.ingest_{chunk}_samples_per_s");
    figures.compare((name, SAMPLES), lab.size.repeats, ours, (MEMCPY, || Ok(copy(&source, chunk))))
}

/// Lines through the recorder: many until the last is acknowledged, and each by itself.
fn log_lines(lab: &Lab, figures: &mut Figures, store: &Store) -> Result<()> {
    for (seed, name, unit, count, each) in [
        (9_u64 << 32, "hot.recorder.log_lines_per_s", LINES, lab.size.of(50_000), false),
        (10_u64 << 32, "hot.recorder.log_line_acknowledged_us", US, lab.size.of(2_000), true),
    ] {
        let mut seed = seed;
        figures.alone((name, unit), lab.size.repeats, || {
            seed += 1;
            let head = typical::head(seed, 0);
            let recorder = lab.wait(async {
                store.create(&head).await?;
                anyhow::Ok(store.record(head.id, "bench").await?)
            })?;
            let (seconds, ()) = timed(|| {
                lab.wait(async {
                    for line in 0..count {
                        recorder.log(format!("t = {line} ms: integrators in range, ADC read")).await?;
                        if each {
                            recorder.flush().await?;
                        }
                    }
                    Ok(recorder.flush().await?)
                })
            })?;
            lab.wait(store.hot().remove(head.id, true, Duration::ZERO))?;
            Ok((count as f64, seconds))
        })?;
    }
    Ok(())
}

/// 10,000 samples from anywhere in a long channel.
fn window(lab: &Lab, figures: &mut Figures, name: &str, length: usize) -> Result<()> {
    const BLOCK: usize = 4_096;
    const WINDOW: usize = 10_000;
    const WINDOWS: u64 = 200;
    let base = adc_series(0, 1_000_000);
    let length = lab.size.of(length).max(2 * WINDOW);
    let source: Vec<f64> = base.iter().copied().cycle().take(length).collect();
    let (hot, head) = (lab::hot(ROOM), typical::head(1, 1));
    let mark = start(lab, &hot, &head)?;
    for (seq, (at, part)) in (1..).zip((0..).step_by(BLOCK).zip(source.chunks(BLOCK))) {
        let block = SampleBlock { channel: 0, first: at, values: part.into() };
        let body = BatchBody { blocks: vec![block], ..BatchBody::default() };
        lab.wait(append_all(&hot, &[Batch::new(head.id, mark, seq, body)]))?;
    }
    let place = |dice: &Dice| usize::try_from(dice.below((length - WINDOW) as u64));
    let (ours_at, theirs_at) = (Dice::new(7), Dice::new(7));
    let ours = || {
        let (seconds, ()) = timed(|| {
            lab.wait(async {
                for _ in 0..WINDOWS {
                    let first = place(&ours_at)? as u64;
                    let series = hot.window(head.id, 0, first..first + WINDOW as u64).await?;
                    ensure!(series.is_some_and(|series| series.values.len() == WINDOW), "a short window");
                }
                Ok(())
            })
        })?;
        Ok((WINDOWS as f64, seconds))
    };
    let theirs = || {
        let (seconds, ()) = timed(|| {
            for _ in 0..WINDOWS {
                let first = place(&theirs_at)?;
                std::hint::black_box(source[first..first + WINDOW].to_vec());
            }
            Ok(())
        })?;
        Ok((WINDOWS as f64, seconds))
    };
    figures.compare((name, US), lab.size.repeats, ours, ("memcpy of the same samples", theirs))
}

fn take_over(lab: &Lab, figures: &mut Figures) -> Result<()> {
    let heads: Vec<RunHead> = (0..lab.size.of(2_000) as u64).map(|seed| typical::head(seed, CHANNELS)).collect();
    figures.alone(("hot.embedded.take_over_us", US), lab.size.repeats, || {
        let hot = lab::hot(ROOM);
        heads.iter().try_for_each(|head| lab.wait(hot.open(head)).map(drop))?;
        let (seconds, ()) = timed(|| {
            lab.wait(async {
                for head in &heads {
                    taken(hot.take_over(&request(head.id)).await?)?;
                }
                Ok(())
            })
        })?;
        Ok((heads.len() as f64, seconds))
    })
}

/// The smallest batch: one line.
fn append(lab: &Lab, figures: &mut Figures) -> Result<()> {
    let head = typical::head(1, CHANNELS);
    let count = lab.size.of(20_000);
    figures.alone(("hot.embedded.append_line_us", US), lab.size.repeats, || {
        let hot = lab::hot(ROOM);
        let mark = start(lab, &hot, &head)?;
        let batches: Vec<Batch> = (1..=count as u64)
            .map(|seq| {
                let line = LogLine::new(Timestamp::EPOCH, format!("line {seq}"));
                Batch::new(head.id, mark, seq, BatchBody { lines: Arc::from([line]), ..BatchBody::default() })
            })
            .collect();
        let (seconds, ()) = timed(|| lab.wait(append_all(&hot, &batches)))?;
        Ok((count as f64, seconds))
    })
}

/// A thousand runs at once, each with a batch in turn, against as many batches of one run.
fn live_runs(lab: &Lab, figures: &mut Figures) -> Result<()> {
    const CHUNK: usize = 100;
    const BATCHES: usize = 10;
    let runs = lab.size.of(1_000);
    let source = source(lab);
    let round = |hot: &EmbeddedHot, runs: usize, batches: usize| -> Result<(f64, f64)> {
        let heads: Vec<RunHead> = (0..runs as u64).map(|seed| typical::head(seed, CHANNELS)).collect();
        let marks = heads.iter().map(|head| start(lab, hot, head)).collect::<Result<Vec<_>>>()?;
        let mut all = Vec::new();
        for (seq, n) in (1..).zip(0..batches) {
            // The source is shorter than what is appended: its content may repeat, the index goes on.
            let at = n * CHUNK % (source[0].len() - CHUNK + 1);
            for (head, mark) in heads.iter().zip(&marks) {
                let mut body = body(&source, at, CHUNK);
                body.blocks.iter_mut().for_each(|block| block.first = (n * CHUNK) as u64);
                all.push(Batch::new(head.id, *mark, seq, body));
            }
        }
        let (seconds, ()) = timed(|| lab.wait(append_all(hot, &all)))?;
        Ok(((runs * batches * CHUNK) as f64 * f64::from(CHANNELS), seconds))
    };
    let ours = || round(&lab::hot(ROOM), runs, BATCHES);
    let one = || round(&lab::hot(ROOM), 1, runs * BATCHES);
    let name = "hot.embedded.live_runs_1000_samples_per_s";
    figures.compare((name, SAMPLES), lab.size.repeats, ours, ("one run, as many batches", one))?;
    // Opening what the runs need, too.
    let heads: Vec<RunHead> = (0..runs as u64).map(|seed| typical::head(seed, CHANNELS)).collect();
    figures.alone(("hot.embedded.open_1000_runs_ms", MS), lab.size.repeats, || {
        let hot = lab::hot(ROOM);
        let (seconds, ()) = timed(|| heads.iter().try_for_each(|head| Ok(lab.wait(hot.open(head)).map(drop)?)))?;
        Ok((1.0, seconds))
    })
}
