//! Memory above idle for a run of a gigabyte, in a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lucihub_models_core::RunState;
use lucihub_store::{KeeperOptions, RecordOptions, Store};
use lucihub_testkit::models::adc_series;

use crate::lab::Lab;
use crate::machine::field;
use crate::measure::{Figures, SAMPLES, Unit};
use crate::store::Working;
use crate::typical::{self, CHANNELS};

/// Room of hot storage: what makes the recorder wait for the keeper.
const ROOM: u64 = 16 << 20;
/// Samples that come at once, per channel.
const CHUNK: usize = 4_096;

/// What the child found, in bytes and seconds.
struct Found {
    idle: f64,
    recording: f64,
    archiving: f64,
    seconds: f64,
}

/// Starts the child and takes its figures in.
pub(crate) fn measure(lab: &Lab, folder: &Path, figures: &mut Figures) -> Result<()> {
    let repeats = if lab.quick { 1 } else { 2 };
    let found = (0..repeats).map(|_| spawn(lab, folder)).collect::<Result<Vec<_>>>()?;
    let values = |of: fn(&Found) -> f64| found.iter().map(of).collect::<Vec<_>>();
    let bytes = Unit::Bytes("B");
    figures.push_values(("store.memory_idle_bytes", bytes), values(|f| f.idle))?;
    figures.push_values(("store.memory_recording_1gb_above_idle_bytes", bytes), values(|f| f.recording))?;
    figures.push_values(("store.memory_archiving_1gb_above_idle_bytes", bytes), values(|f| f.archiving))?;
    let samples = samples(lab) as f64 * f64::from(CHANNELS);
    let rate = found.iter().map(|f| samples / f.seconds).collect();
    figures.push_values(("store.record_and_archive_1gb_samples_per_s", SAMPLES), rate)
}

fn spawn(lab: &Lab, folder: &Path) -> Result<Found> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--memory-child").arg("--dir").arg(folder);
    if lab.quick {
        command.arg("--quick");
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("the measured process")?;
    ensure!(output.status.success(), "the measured process: {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let &[idle, recording, archiving, seconds] = numbers.as_slice() else {
        anyhow::bail!("the measured process said {text:?}")
    };
    Ok(Found { idle, recording, archiving, seconds })
}

/// Samples per channel.
fn samples(lab: &Lab) -> usize {
    lab.size.of(16_000_000)
}

/// Is the child: prints idle bytes, what recording and archiving took above
/// that at most, and seconds.
pub(crate) fn child(lab: &Lab) -> Result<()> {
    let cold = lab.cold("memory.db")?;
    let store = lab.store(Arc::new(cold.clone()), ROOM);
    let base: Vec<f64> = adc_series(0, lab.size.of(1_000_000));
    let options = KeeperOptions::default().with_trim_age(Duration::ZERO).with_walk(Duration::from_millis(50));
    let working = lab.wait(async { Working::start(&store, options.with_grace(Duration::ZERO)) });
    // One small run first, so that threads, connections and caches are there.
    record(lab, &store, &working, 1, &base, CHUNK)?;
    let idle = resident("VmRSS")?;
    let begun = Instant::now();
    let (recording, archiving) = record(lab, &store, &working, 2, &base, samples(lab))?;
    let seconds = begun.elapsed().as_secs_f64();
    // Pages that the kernel has not told apart yet: never nothing.
    let above = |peak: u64| peak.saturating_sub(idle).max(4_096);
    println!("{idle} {} {} {seconds}", above(recording), above(archiving));
    lab.wait(working.stop())
}

/// Records and archives a run of so many samples per channel. Returns the most
/// memory while recording, and while archiving.
fn record(lab: &Lab, store: &Store, working: &Working, seed: u64, base: &[f64], samples: usize) -> Result<(u64, u64)> {
    lab.wait(async {
        forget_peak()?;
        let head = typical::head(seed, CHANNELS);
        store.create(&head).await?;
        let recorder = store.record_with(head.id, "bench", RecordOptions::default()).await?;
        recorder.state(RunState::InProgress).await?;
        let (mut at, mut place) = (0, 0);
        while at < samples {
            // A signal again and again, in chunks that begin elsewhere each time.
            if place >= base.len() {
                place = 0;
            }
            let part = &base[place..(place + CHUNK.min(samples - at)).min(base.len())];
            for channel in 0..CHANNELS {
                recorder.samples(channel, at as u64, part).await?;
            }
            at += part.len();
            place += part.len() + 1;
        }
        recorder.finish(RunState::Succeeded, lucihub_store::record::End::default()).await?;
        let recording = resident("VmHWM")?;
        forget_peak()?;
        working.archived(store, head.id).await?;
        Ok((recording, resident("VmHWM")?))
    })
}

/// Bytes of this process, by the name of their line.
pub(crate) fn resident(name: &str) -> Result<u64> {
    let text = field("/proc/self/status", name).with_context(|| format!("no {name} in /proc/self/status"))?;
    let kib: u64 = text.trim_end_matches("kB").trim().parse()?;
    Ok(1024 * kib)
}

/// Makes the present size the peak (proc(5), `clear_refs`).
fn forget_peak() -> Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("/proc/self/clear_refs")
}
