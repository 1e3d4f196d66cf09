//! SQLite: files, and what a sample and a run cost in them.

use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use lucihub_models_core::RunId;
use lucihub_models_core::cold::ColdStore;

use super::runs::archived;
use super::{Engine, Place, RawStorage, Side, figure};
use crate::lab::Lab;
use crate::measure::{Figures, Unit};
use crate::plain::{Encoded, Plain, RawRun};
use crate::typical::{self, CHANNELS, Typical, smooth};

const BYTES_PER_SAMPLE: Unit = Unit::Bytes("B/sample");

/// Files in the folder of the measurements.
pub(crate) struct Files;

impl Engine for Files {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn place(&self, lab: &Lab, name: &str) -> Result<Place> {
        let file = format!("{name}.db");
        let cold = Arc::new(lab.cold(&file)?);
        let mut beside = Plain::open(&lab.file(&format!("{name}-plain.db")))?;
        beside.lay_out()?;
        Ok(Place { cold, side: Box::new(Beside { ours: Plain::open(&lab.file(&file))?, beside }) })
    }

    fn peer_database(&self, lab: &Lab, name: &str) -> Result<String> {
        Ok(format!("sqlite:///{}", lab.file(&format!("{name}.db")).display()))
    }

    fn own(&self, lab: &Lab, figures: &mut Figures) -> Result<()> {
        let typical = Typical::new(lab.size.of(100_000));
        bytes(lab, figures, self, &typical)?;
        file(lab, figures, &figure(self, "file_bytes_per_run"), &typical)
    }
}

/// What samples cost: as an ADC reads them, the same with a gain and an offset, and smooth ones that nothing rounded.
fn bytes(lab: &Lab, figures: &mut Figures, engine: &Files, typical: &Typical) -> Result<()> {
    let cold = lab.cold("bytes.db")?;
    let n = lab.size.of(100_000).max(2_048);
    let smooth = (0..CHANNELS).map(|channel| smooth(channel, n)).collect();
    let smooth = Typical { channels: smooth, lines: Vec::new() };
    let calibrated =
        typical.channels.iter().map(|values| values.iter().map(|value| value * 1.0173 + 0.00313).collect());
    let calibrated = Typical { channels: calibrated.collect(), lines: Vec::new() };
    for (seed, typical, kind) in [(11, typical, "adc"), (12, &smooth, "smooth"), (13, &calibrated, "adc_with_gain")] {
        let head = typical::head(seed, CHANNELS);
        archived(lab, &cold, &head, typical)?;
        let stored = lab.wait((&cold as &dyn ColdStore).stored_bytes(head.id))?.unwrap_or_default();
        let samples = typical.samples() as f64;
        let name = figure(engine, &format!("{kind}_bytes_per_sample"));
        figures.push_values((&name, BYTES_PER_SAMPLE), vec![stored.samples as f64 / samples])?;
        let both = (stored.samples + stored.summaries) as f64 / samples;
        let name = figure(engine, &format!("{kind}_with_summaries_bytes_per_sample"));
        figures.push_values((&name, BYTES_PER_SAMPLE), vec![both])?;
    }
    Ok(())
}

/// What a typical run adds to the file, with all that SQLite adds around it.
fn file(lab: &Lab, figures: &mut Figures, name: &str, typical: &Typical) -> Result<()> {
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
    figures.push_values((name, Unit::Bytes("B/run")), vec![each])
}

/// Connections to our file, and to one beside it for what is inserted.
struct Beside {
    ours: Plain,
    beside: Plain,
}

impl Side for Beside {
    fn fill(&mut self, runs: usize, step: u64) -> Result<()> {
        // Through `create`, each would be a transaction that reaches the disk.
        self.ours.run(&format!(
            "INSERT INTO runs (id, created_at, job_type, state, state_count, device, device_type, owner, channels,
                 archived_at, released_at, digest, created_digest, labels, states, positions, head, input)
             WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < {runs})
             SELECT unhex(printf('%032x', seq.n)), created_at + {step} * seq.n, job_type, state, state_count, device,
                 device_type, 'owner-' || (seq.n % 10), channels, archived_at, released_at, digest, created_digest, labels,
                 states, positions,
                 replace(head, head ->> '$.head.id', printf('00000000-0000-0000-0000-%012x', seq.n)), input
             FROM runs, seq"
        ))
    }

    fn settle(&mut self) -> Result<()> {
        // A fill is one transaction: all of it lies in the log beside the file.
        self.ours.run("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    fn page(&mut self, owner: Option<&str>, before: i64, limit: i64) -> Result<usize> {
        Ok(self.ours.page(owner, before, limit)?.len())
    }

    fn total(&mut self, owner: &str) -> Result<i64> {
        self.ours.total(owner)
    }

    fn encoded(&mut self, run: RunId) -> Result<Vec<Encoded>> {
        self.ours.encoded(run)
    }

    fn insert(&mut self, run: i64, rows: &[Encoded]) -> Result<()> {
        self.beside.insert(run, rows)
    }

    fn insert_raw(&mut self, run: &RawRun, _: RawStorage) -> Result<()> {
        self.beside.insert_raw(run)
    }

    fn samples(&mut self, run: RunId, channel: u32, cells: Range<i64>) -> Result<Vec<Vec<f64>>> {
        self.ours.samples(run, channel, cells)
    }

    fn summaries(&mut self, run: RunId, channel: u32) -> Result<usize> {
        Ok(self.ours.summaries(run, channel)?.len())
    }
}
