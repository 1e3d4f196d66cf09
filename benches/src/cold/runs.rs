//! The typical run, in and out.

use anyhow::{Result, ensure};
use lucihub_models_core::RunHead;
use lucihub_models_core::cold::ColdStore;

use super::{Engine, Place, figure};
use crate::lab::Lab;
use crate::measure::{Figures, MS, timed};
use crate::plain::compress;
use crate::typical::{self, CELL, CHANNELS, Typical};

/// Measures archiving and reading back.
pub(super) fn measure(lab: &Lab, engine: &dyn Engine, figures: &mut Figures) -> Result<()> {
    let names = ["archive_run_ms", "encode_and_archive_run_ms", "read_run_ms"].map(|what| figure(engine, what));
    if !names.iter().any(|name| figures.wants(name)) {
        return Ok(());
    }
    let typical = Typical::new(lab.size.of(100_000));
    let mut place = engine.place(lab, "runs")?;
    let [bare, encoded, read] = &names;
    archive(lab, figures, (bare, encoded), &mut place, &typical)?;
    read_back(lab, figures, read, &mut place, &typical)
}

/// Creates a run and archives it. Returns what the archiving took, in seconds.
pub(super) fn archived(lab: &Lab, cold: &dyn ColdStore, head: &RunHead, typical: &Typical) -> Result<f64> {
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
fn archive(
    lab: &Lab,
    figures: &mut Figures,
    (bare, encoded): (&str, &str),
    Place { cold, side }: &mut Place,
    typical: &Typical,
) -> Result<()> {
    let head = typical::head(1, CHANNELS);
    archived(lab, &**cold, &head, typical)?;
    let rows = side.encoded(head.id)?;
    let (mut seed, mut run) = (1_000, 0);
    let mut ours = || {
        seed += 1;
        Ok((1.0, archived(lab, &**cold, &typical::head(seed, CHANNELS), typical)?))
    };
    let mut theirs = |encode: bool| {
        run += 1;
        let (seconds, ()) = timed(|| {
            if encode {
                for part in typical.channels.iter().flat_map(|values| values.chunks(CELL)) {
                    std::hint::black_box(compress(part)?);
                }
            }
            side.insert(run, &rows)
        })?;
        Ok((1.0, seconds))
    };
    let what = "insert of the same bytes";
    figures.compare((bare, MS), lab.size.repeats, &mut ours, (what, || theirs(false)))?;
    let what = "pco, then that insert";
    figures.compare((encoded, MS), lab.size.repeats, &mut ours, (what, || theirs(true)))
}

/// A whole run, its samples decoded; beside it, the samples alone.
fn read_back(
    lab: &Lab,
    figures: &mut Figures,
    name: &str,
    Place { cold, side }: &mut Place,
    typical: &Typical,
) -> Result<()> {
    let head = typical::head(2, CHANNELS);
    archived(lab, &**cold, &head, typical)?;
    let store = lab.store(cold.clone(), 1 << 20);
    let all = typical.samples();
    let ours = || {
        let (seconds, run) = timed(|| Ok(lab.wait(store.run(head.id))?))?;
        let values = run.series.iter().map(|series| series.values.len()).sum::<usize>();
        ensure!(values == all, "{values} of {all} samples");
        Ok((1.0, seconds))
    };
    let theirs = || {
        let (seconds, values) = timed(|| {
            (0..CHANNELS)
                .map(|channel| Ok(side.samples(head.id, channel, 0..i64::MAX)?.iter().map(Vec::len).sum::<usize>()))
                .sum::<Result<usize>>()
        })?;
        ensure!(values == all, "{values} of {all} samples");
        Ok((1.0, seconds))
    };
    figures.compare((name, MS), lab.size.repeats, ours, ("bare read, then pco", theirs))
}
