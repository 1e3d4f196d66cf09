//! Memory above idle for a run of a gigabyte, in a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lucihub_store::{KeeperOptions, Store};

use crate::lab::Lab;
use crate::machine::field;
use crate::measure::{Figures, SAMPLES, Unit};
use crate::plain::Plain;
use crate::store::Working;
use crate::store::gigabyte::{CHUNK, LIMIT, bare, base, record, samples};
use crate::typical::{self, CHANNELS};

/// Room of hot storage: what makes the recorder wait for the keeper.
const ROOM: u64 = 16 << 20;

/// What the child found, in bytes and seconds.
struct Found {
    idle: f64,
    recording: f64,
    archiving: f64,
    seconds: f64,
    bare: f64,
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
    let rate = |of: fn(&Found) -> f64| found.iter().map(|found| samples / of(found)).collect();
    let name = "store.record_and_archive_1gb_samples_per_s";
    figures.push_compared((name, SAMPLES), rate(|f| f.seconds), (LIMIT, rate(|f| f.bare)))
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
    let &[idle, recording, archiving, seconds, bare] = numbers.as_slice() else {
        anyhow::bail!("the measured process said {text:?}")
    };
    Ok(Found { idle, recording, archiving, seconds, bare })
}

/// Is the child: prints idle bytes, what recording and archiving took above
/// that at most, seconds, and those that the limit takes.
pub(crate) fn child(lab: &Lab) -> Result<()> {
    let cold = lab.cold("memory.db")?;
    let store = lab.store(Arc::new(cold.clone()), ROOM);
    let base = base(lab);
    let options = KeeperOptions::default().with_trim_age(Duration::ZERO).with_walk(Duration::from_millis(50));
    let working = lab.wait(async { Working::start(&store, options.with_grace(Duration::ZERO)) });
    // One small run first, so that threads, connections and caches are there.
    passes(lab, &store, &working, 1, &base, CHUNK)?;
    let idle = resident("VmRSS")?;
    let begun = Instant::now();
    let (recording, archiving) = passes(lab, &store, &working, 2, &base, samples(lab))?;
    let seconds = begun.elapsed().as_secs_f64();
    // Pages that the kernel has not told apart yet: never nothing.
    let above = |peak: u64| peak.saturating_sub(idle).max(4_096);
    lab.wait(working.stop())?;
    let mut plain = Plain::open(&lab.file("memory-plain.db"))?;
    plain.lay_out()?;
    let bare = bare(&mut plain, 1, &base, samples(lab))?;
    println!("{idle} {} {} {seconds} {bare}", above(recording), above(archiving));
    Ok(())
}

/// Records and archives a run of so many samples per channel. Returns the most
/// memory while recording, and while archiving.
fn passes(lab: &Lab, store: &Store, working: &Working, seed: u64, base: &[f64], samples: usize) -> Result<(u64, u64)> {
    lab.wait(async {
        forget_peak()?;
        let head = typical::head(seed, CHANNELS);
        record(store, &head, base, samples).await?;
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
