//! Cold storage on SQLite: archive, read-back, windows, envelopes, bytes.

use anyhow::{Result, ensure};
use lucihub_cold::SqliteCold;
use lucihub_models_core::RunHead;
use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdRuns};
use lucihub_store::Store;
use lucihub_testkit::Dice;

use crate::lab::Lab;
use crate::measure::{Figures, MS, Unit, timed};
use crate::plain::{Plain, compress};
use crate::typical::{self, CHANNELS, Typical, cells, smooth};

const CELL: usize = 65_536;
const BYTES_PER_SAMPLE: Unit = Unit::Bytes("B/sample");

/// Measures the group.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    let typical = Typical::new(lab.size.of(100_000));
    let cold = lab.cold("cold.db")?;
    archive(lab, figures, &cold, &typical)?;
    read_back(lab, figures, &cold, &typical)?;
    bytes(lab, figures, &cold, &typical)?;
    file(lab, figures, &typical)?;
    drop(cold);
    for (length, window, envelope) in [
        (1_000_000, Some("cold.sqlite.window_10k_of_1m_ms"), None),
        (5_000_000, None, Some("cold.sqlite.envelope_2000_of_5m_ms")),
        (100_000_000, Some("cold.sqlite.window_10k_of_100m_ms"), Some("cold.sqlite.envelope_2000_of_100m_ms")),
    ] {
        if ![window, envelope].into_iter().flatten().any(|name| figures.wants(name)) {
            continue;
        }
        let long = Long::new(lab, length)?;
        window.map_or(Ok(()), |name| long.window(lab, figures, name))?;
        envelope.map_or(Ok(()), |name| long.envelope(lab, figures, name))?;
    }
    Ok(())
}

/// Creates a run and archives it. Returns what the archiving took, in seconds.
fn archived(lab: &Lab, cold: &SqliteCold, head: &RunHead, typical: &Typical) -> Result<f64> {
    lab.wait(cold.create(head))?;
    let (cells, commit) = (typical.cells(), typical.commit(head));
    let (seconds, ()) = timed(|| {
        lab.wait(async {
            ensure!(cold.checkpoint(head.id, &cells).await?, "it was archived before");
            cold.commit(&commit).await?;
            Ok(())
        })
    })?;
    Ok(seconds)
}

/// Checkpoint and commit, against the bare insert of the same bytes, and against
/// pco and that insert.
fn archive(lab: &Lab, figures: &mut Figures, cold: &SqliteCold, typical: &Typical) -> Result<()> {
    let head = typical::head(1, CHANNELS);
    archived(lab, cold, &head, typical)?;
    let rows = Plain::open(&lab.file("cold.db"))?.encoded(head.id)?;
    let mut plain = Plain::open(&lab.file("plain.db"))?;
    plain.lay_out()?;
    let (mut seed, mut run) = (1_000, 0);
    let mut ours = || {
        seed += 1;
        Ok((1.0, archived(lab, cold, &typical::head(seed, CHANNELS), typical)?))
    };
    let mut theirs = |encode: bool| {
        run += 1;
        let (seconds, ()) = timed(|| {
            if encode {
                for part in typical.channels.iter().flat_map(|values| values.chunks(CELL)) {
                    std::hint::black_box(compress(part)?);
                }
            }
            plain.insert(run, &rows)
        })?;
        Ok((1.0, seconds))
    };
    let (name, what) = ("cold.sqlite.archive_run_ms", "insert of the same bytes");
    figures.compare((name, MS), lab.size.repeats, &mut ours, (what, || theirs(false)))?;
    let (name, what) = ("cold.sqlite.encode_and_archive_run_ms", "pco, then that insert");
    figures.compare((name, MS), lab.size.repeats, &mut ours, (what, || theirs(true)))
}

/// Every sample of a run, decoded.
fn read_back(lab: &Lab, figures: &mut Figures, cold: &SqliteCold, typical: &Typical) -> Result<()> {
    let head = typical::head(2, CHANNELS);
    archived(lab, cold, &head, typical)?;
    let store = lab.store(cold, 1 << 20);
    let mut plain = Plain::open(&lab.file("cold.db"))?;
    let all = typical.samples();
    let ours = || {
        let (seconds, values) = timed(|| {
            let window = |channel| Ok(lab.wait(store.window(head.id, channel, 0..u64::MAX))?.values.len());
            (0..CHANNELS).map(window).sum::<Result<usize>>()
        })?;
        ensure!(values == all, "{values} of {all} samples");
        Ok((1.0, seconds))
    };
    let theirs = || {
        let (seconds, values) = timed(|| {
            (0..CHANNELS)
                .map(|channel| Ok(plain.samples(head.id, channel, 0..i64::MAX)?.iter().map(Vec::len).sum::<usize>()))
                .sum::<Result<usize>>()
        })?;
        ensure!(values == all, "{values} of {all} samples");
        Ok((1.0, seconds))
    };
    let name = "cold.sqlite.read_run_ms";
    figures.compare((name, MS), lab.size.repeats, ours, ("bare read, then pco", theirs))
}

/// What samples cost: as an ADC reads them, and smooth ones that nothing rounded.
fn bytes(lab: &Lab, figures: &mut Figures, cold: &SqliteCold, typical: &Typical) -> Result<()> {
    let n = lab.size.of(100_000).max(2_048);
    let smooth = (0..CHANNELS).map(|channel| smooth(channel, n)).collect();
    let smooth = Typical { channels: smooth, lines: Vec::new() };
    for (seed, typical, name, whole) in [
        (11, typical, "cold.sqlite.adc_bytes_per_sample", "cold.sqlite.adc_with_summaries_bytes_per_sample"),
        (12, &smooth, "cold.sqlite.smooth_bytes_per_sample", "cold.sqlite.smooth_with_summaries_bytes_per_sample"),
    ] {
        let head = typical::head(seed, CHANNELS);
        archived(lab, cold, &head, typical)?;
        let stored = lab.wait(cold.stored_bytes(head.id))?.unwrap_or_default();
        let samples = typical.samples() as f64;
        figures.push_values((name, BYTES_PER_SAMPLE), vec![stored.samples as f64 / samples])?;
        let both = (stored.samples + stored.summaries) as f64 / samples;
        figures.push_values((whole, BYTES_PER_SAMPLE), vec![both])?;
    }
    Ok(())
}

/// What a typical run adds to the file, with all that SQLite adds around it.
fn file(lab: &Lab, figures: &mut Figures, typical: &Typical) -> Result<()> {
    const RUNS: u64 = 10;
    let cold = lab.cold("file.db")?;
    let path = lab.file("file.db");
    let size = || -> Result<u64> {
        Plain::open(&path)?.run("PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(std::fs::metadata(&path)?.len())
    };
    let empty = size()?;
    for seed in 0..RUNS {
        archived(lab, &cold, &typical::head(seed, CHANNELS), typical)?;
    }
    let each = (size()? - empty) as f64 / RUNS as f64;
    figures.push_values(("cold.sqlite.file_bytes_per_run", Unit::Bytes("B/run")), vec![each])
}

/// A run of one long channel, archived, in a file of its own.
struct Long {
    name: String,
    store: Store,
    head: RunHead,
    samples: usize,
}

impl Long {
    fn new(lab: &Lab, length: usize) -> Result<Self> {
        const CELLS_AT_ONCE: usize = 64;
        let name = format!("long-{length}.db");
        let cold = lab.cold(&name)?;
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
            let samples = cells(0, &part)
                .map(|mut cell| {
                    cell.cell += number;
                    cell.series.first += number * CELL as u64;
                    cell.series.end += number * CELL as u64;
                    cell
                })
                .collect();
            lab.wait(cold.checkpoint(head.id, &Checkpoint { lines: Vec::new(), samples }))?;
            number += CELLS_AT_ONCE as u64;
        }
        let mut commit = Typical { channels: Vec::new(), lines: Vec::new() }.commit(&head);
        commit.positions.set_sample(0, samples as u64);
        lab.wait(cold.commit(&commit))?;
        Ok(Self { name, store: lab.store(&cold, 1 << 20), head, samples })
    }

    /// 10,000 samples from anywhere.
    fn window(&self, lab: &Lab, figures: &mut Figures, name: &str) -> Result<()> {
        const WINDOW: usize = 10_000;
        const WINDOWS: usize = 20;
        let mut plain = Plain::open(&lab.file(&self.name))?;
        let (ours_at, theirs_at) = (Dice::new(7), Dice::new(7));
        let place = |dice: &Dice| usize::try_from(dice.below((self.samples - WINDOW) as u64));
        let ours = || {
            let (seconds, ()) = timed(|| {
                for _ in 0..WINDOWS {
                    let first = place(&ours_at)? as u64;
                    let series = lab.wait(self.store.window(self.head.id, 0, first..first + WINDOW as u64))?;
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
                        plain.samples(self.head.id, 0, i64::try_from(touched.start)?..i64::try_from(touched.end)?)?;
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
    fn envelope(&self, lab: &Lab, figures: &mut Figures, name: &str) -> Result<()> {
        const BUCKETS: usize = 2_000;
        const PLOTS: usize = 5;
        let mut plain = Plain::open(&lab.file(&self.name))?;
        let ours = || {
            let (seconds, ()) = timed(|| {
                for _ in 0..PLOTS {
                    let envelope = lab.wait(self.store.envelope(self.head.id, 0, 0..u64::MAX, BUCKETS))?;
                    ensure!(envelope.end == self.samples as u64, "it ends at {}", envelope.end);
                }
                Ok(())
            })?;
            Ok((PLOTS as f64, seconds))
        };
        let theirs = || {
            let (seconds, ()) = timed(|| {
                for _ in 0..PLOTS {
                    let rows = plain.summaries(self.head.id, 0)?;
                    ensure!(rows.len() == self.samples.div_ceil(CELL), "{} rows", rows.len());
                }
                Ok(())
            })?;
            Ok((PLOTS as f64, seconds))
        };
        figures.compare((name, MS), lab.size.repeats, ours, ("bare read of its summaries", theirs))
    }
}
