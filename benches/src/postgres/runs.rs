//! Archive, read-back, windows, envelopes, bytes.

use anyhow::{Context, Result, ensure};
use lucihub_cold::PostgresCold;
use lucihub_models_core::RunHead;
use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdRuns};
use lucihub_testkit::Dice;

use super::Bench;
use crate::lab::Lab;
use crate::measure::{Figures, MS, Unit, timed};
use crate::typical::{self, CHANNELS, Typical, cells};

const CELL: usize = 65_536;

/// Measures the group.
pub(super) fn measure(lab: &Lab, bench: &Bench, figures: &mut Figures) -> Result<()> {
    let typical = Typical::new(lab.size.of(100_000));
    archive(lab, bench, figures, &typical)?;
    for (length, window, envelope) in [
        (1_000_000, Some("cold.postgres.window_10k_of_1m_ms"), None),
        (5_000_000, None, Some("cold.postgres.envelope_2000_of_5m_ms")),
        (100_000_000, Some("cold.postgres.window_10k_of_100m_ms"), Some("cold.postgres.envelope_2000_of_100m_ms")),
    ] {
        if [window, envelope].into_iter().flatten().any(|name| figures.wants(name)) {
            long(lab, bench, figures, length, (window, envelope))?;
        }
    }
    Ok(())
}

/// Creates a run and archives it. Returns what the archiving took, in seconds.
fn archived(lab: &Lab, cold: &PostgresCold, head: &RunHead, typical: &Typical) -> Result<f64> {
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

/// The typical run, in and out, and what it costs on the disk.
fn archive(lab: &Lab, bench: &Bench, figures: &mut Figures, typical: &Typical) -> Result<()> {
    const RUNS: u64 = 10;
    let (cold, bare, database) = bench.database(lab)?;
    let size = || -> Result<u64> {
        let sum = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relnamespace = 'lucihub'::regnamespace
                   AND c.relkind = 'r'";
        bench.server.sql(&database, sum).trim().parse().context("a size")
    };
    let empty = size()?;
    for seed in 0..RUNS {
        archived(lab, &cold, &typical::head(seed, CHANNELS), typical)?;
    }
    let each = (size()? - empty) as f64 / RUNS as f64;
    figures.push_values(("cold.postgres.relation_bytes_per_run", Unit::Bytes("B/run")), vec![each])?;
    let samples = typical.samples() as f64;
    figures.push_values(("cold.postgres.relation_bytes_per_sample", Unit::Bytes("B/sample")), vec![each / samples])?;

    let head = typical::head(0, CHANNELS);
    let rows = bare.encoded(head.id)?;
    let (mut seed, mut run) = (1_000, 0);
    let ours = || {
        seed += 1;
        Ok((1.0, archived(lab, &cold, &typical::head(seed, CHANNELS), typical)?))
    };
    let theirs = |encode: bool| {
        run += 1;
        let (seconds, ()) = timed(|| {
            if encode {
                for part in typical.channels.iter().flat_map(|values| values.chunks(CELL)) {
                    std::hint::black_box(crate::plain::compress(part)?);
                }
            }
            bare.insert(run, &rows)
        })?;
        Ok((1.0, seconds))
    };
    let (mut ours, mut theirs) = (ours, theirs);
    let (name, what) = ("cold.postgres.archive_run_ms", "insert of the same bytes");
    figures.compare((name, MS), lab.size.repeats, &mut ours, (what, || theirs(false)))?;
    let (name, what) = ("cold.postgres.encode_and_archive_run_ms", "pco, then that insert");
    figures.compare((name, MS), lab.size.repeats, &mut ours, (what, || theirs(true)))?;

    let store = lab.store(&cold, 1 << 20);
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
            let channel = |c| Ok(bare.samples(head.id, c, 0..i64::MAX)?.iter().map(Vec::len).sum::<usize>());
            (0..CHANNELS).map(channel).sum::<Result<usize>>()
        })?;
        ensure!(values == all, "{values} of {all} samples");
        Ok((1.0, seconds))
    };
    figures.compare(("cold.postgres.read_run_ms", MS), lab.size.repeats, ours, ("bare read, then pco", theirs))
}

/// Windows and envelopes of one long channel.
fn long(
    lab: &Lab,
    bench: &Bench,
    figures: &mut Figures,
    length: usize,
    (window, envelope): (Option<&str>, Option<&str>),
) -> Result<()> {
    const CELLS_AT_ONCE: usize = 64;
    const WINDOW: usize = 10_000;
    const WINDOWS: usize = 20;
    const BUCKETS: usize = 2_000;
    const PLOTS: usize = 5;
    let (cold, bare, database) = bench.database(lab)?;
    let head = typical::head(1, 1);
    lab.wait(cold.create(&head))?;
    let samples = lab.size.of(length).max(4 * WINDOW);
    // A signal of a million samples again and again; no two cells begin at the same place of it.
    let base = lucihub_testkit::models::adc_series(0, 1_000_003.min(samples));
    let mut values = base.iter().copied().cycle().take(samples);
    let mut number = 0;
    loop {
        let part: Vec<f64> = values.by_ref().take(CELLS_AT_ONCE * CELL).collect();
        if part.is_empty() {
            break;
        }
        let shifted = cells(0, &part).map(|mut cell| {
            cell.cell += number;
            cell.series.first += number * CELL as u64;
            cell.series.end += number * CELL as u64;
            cell
        });
        lab.wait(cold.checkpoint(head.id, &Checkpoint { lines: Vec::new(), samples: shifted.collect() }))?;
        number += CELLS_AT_ONCE as u64;
    }
    let mut commit = Typical { channels: Vec::new(), lines: Vec::new() }.commit(&head);
    commit.positions.set_sample(0, samples as u64);
    lab.wait(cold.commit(&commit))?;
    bench.server.sql(&database, "VACUUM ANALYZE");
    let store = lab.store(&cold, 1 << 20);

    if let Some(name) = window {
        let (ours_at, theirs_at) = (Dice::new(7), Dice::new(7));
        let place = |dice: &Dice| usize::try_from(dice.below((samples - WINDOW) as u64));
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
                    let touched_cells = i64::try_from(touched.start)?..i64::try_from(touched.end)?;
                    let decoded = bare.samples(head.id, 0, touched_cells)?.concat();
                    let skip = first - touched.start * CELL;
                    ensure!(decoded[skip..skip + WINDOW].to_vec().len() == WINDOW, "a short window");
                }
                Ok(())
            })?;
            Ok((WINDOWS as f64, seconds))
        };
        figures.compare((name, MS), lab.size.repeats, ours, ("bare read of its cells, then pco", theirs))?;
    }
    let Some(name) = envelope else { return Ok(()) };
    let ours = || {
        let (seconds, ()) = timed(|| {
            for _ in 0..PLOTS {
                let envelope = lab.wait(store.envelope(head.id, 0, 0..u64::MAX, BUCKETS))?;
                ensure!(envelope.end == samples as u64, "it ends at {}", envelope.end);
            }
            Ok(())
        })?;
        Ok((PLOTS as f64, seconds))
    };
    let theirs = || {
        let (seconds, ()) = timed(|| {
            for _ in 0..PLOTS {
                let rows = bare.summaries(head.id, 0)?;
                ensure!(rows == samples.div_ceil(CELL), "{rows} rows");
            }
            Ok(())
        })?;
        Ok((PLOTS as f64, seconds))
    };
    figures.compare((name, MS), lab.size.repeats, ours, ("bare read of its summaries", theirs))
}
