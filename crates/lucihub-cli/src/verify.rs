//! `lucihub verify`: archived runs, read back.

use std::time::Duration;

use indicatif::HumanCount;
use lucihub_models_core::{Order, PageCursor, PageRequest, RunFilter, RunId, StoreError};
use lucihub_store::Store;
use lucihub_store::maintain::{Damage, Verified};
use lucihub_store::read::CellKey;
use serde::Serialize;

use crate::args::VerifyArgs;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{output, place};

/// Runs created in this time, if nothing else was asked for.
const LATELY: Duration = Duration::from_secs(24 * 3600);

/// Reads runs back, and says what is wrong.
pub(crate) async fn run(args: VerifyArgs) -> Result<(), Failure> {
    let store = if args.repair {
        if !args.place.hot.is_shared() {
            return Err(Failure::NeedsServer("lucihub verify --repair"));
        }
        place::find(&args.place).await?
    } else {
        place::history(&args.place).await?
    };
    let mut filter = RunFilter::default();
    if !args.all {
        filter = filter.from(store.now().before(args.since.unwrap_or(LATELY)));
    }
    // A name that means no run is told before any is read.
    let mut runs = Vec::new();
    for run in &args.runs {
        runs.push(store.find_run(run).await?);
    }
    let mut verifying = Verifying { store, args: &args, sums: Sums::default(), bar: Progress::of(0) };
    if runs.is_empty() {
        verifying.found_by(&filter).await?;
    } else {
        verifying.bar = Progress::of(runs.len() as u64);
        for run in runs {
            verifying.one(run).await?;
        }
    }
    verifying.end()
}

/// What is verified, and what it came to so far.
struct Verifying<'a> {
    store: Store,
    args: &'a VerifyArgs,
    sums: Sums,
    bar: Progress,
}

#[derive(Default)]
struct Sums {
    runs: u64,
    cells: u64,
    damaged: u64,
    repaired: u64,
}

impl Verifying<'_> {
    /// All archived runs that a filter finds, page by page.
    async fn found_by(&mut self, filter: &RunFilter) -> Result<(), Failure> {
        let mut after: Option<PageCursor> = None;
        loop {
            let total = after.is_none();
            let page = PageRequest { order: Order::Oldest, limit: 200, after, total, ..PageRequest::default() };
            let page = self.store.list(filter, &page).await?;
            if let Some(total) = page.total {
                self.bar = Progress::of(total);
            }
            for run in page.runs.iter().filter(|run| run.archived_at.is_some()) {
                match self.one(run.id).await {
                    // Deleted since the page was read.
                    Err(Failure::Store(StoreError::NotFound { .. })) => {}
                    other => other?,
                }
            }
            let Some(next) = page.next else { return Ok(()) };
            after = Some(next);
        }
    }

    async fn one(&mut self, run: RunId) -> Result<(), Failure> {
        let verified = if self.args.repair { self.store.repair(run).await } else { self.store.verify(run).await };
        let report = match &verified {
            Ok(verified) => Report::of(verified),
            // Its head cannot be read, so neither can its cells be told.
            Err(error @ StoreError::Corrupt { .. }) => Report::unreadable(run, error),
            Err(_) => {
                verified?;
                return Ok(());
            }
        };
        self.sums.runs += 1;
        self.sums.cells += report.cells;
        self.sums.damaged += u64::from(!report.whole);
        self.sums.repaired += u64::from(report.whole && !report.damage.is_empty());
        self.bar.at(self.sums.runs);
        let json = self.args.json;
        self.bar.above(|| if json { output::json(&report) } else { report.tell() })
    }

    fn end(self) -> Result<(), Failure> {
        let Sums { runs, cells, damaged, repaired } = self.sums;
        drop(self.bar);
        if !self.args.json {
            let mended = if repaired > 0 { format!(", {} repaired", HumanCount(repaired)) } else { String::new() };
            output::line(format!(
                "{}, {} read back: {} damaged{mended}",
                output::counted(runs, "run", "runs"),
                output::counted(cells, "cell", "cells"),
                HumanCount(damaged)
            ))?;
        }
        if damaged > 0 { Err(Failure::Damaged { damaged, all: runs }) } else { Ok(()) }
    }
}

#[derive(Serialize)]
struct Report {
    run: RunId,
    whole: bool,
    cells: u64,
    lines: u64,
    readable_lines: u64,
    samples: u64,
    readable_samples: u64,
    damage: Vec<Found>,
}

/// What is wrong with one part.
#[derive(Serialize)]
struct Found {
    part: &'static str,
    channel: Option<u32>,
    cell: Option<u64>,
    name: Option<String>,
    /// What is lost with it: the first line or sample, and the one after the last.
    from: Option<u64>,
    to: Option<u64>,
    error: String,
    repaired: bool,
}

impl Report {
    fn of(verified: &Verified) -> Self {
        Self {
            run: verified.run,
            whole: verified.is_whole(),
            cells: verified.cells,
            lines: verified.lines,
            readable_lines: verified.readable_lines,
            samples: verified.samples,
            readable_samples: verified.readable_samples,
            damage: verified.damage.iter().map(Found::of).collect(),
        }
    }

    fn unreadable(run: RunId, error: &StoreError) -> Self {
        let damage = vec![Found::new("head", error.to_string())];
        Self { run, whole: false, cells: 0, lines: 0, readable_lines: 0, samples: 0, readable_samples: 0, damage }
    }

    /// Whole runs are only counted.
    fn tell(&self) -> Result<(), Failure> {
        if self.damage.is_empty() {
            return Ok(());
        }
        output::line(format!(
            "run {}: {} of {} and {} of {} are readable",
            self.run,
            HumanCount(self.readable_lines),
            output::counted(self.lines, "line", "lines"),
            HumanCount(self.readable_samples),
            output::counted(self.samples, "sample", "samples")
        ))?;
        self.damage.iter().try_for_each(|found| output::line(format!("  {}", found.sentence())))
    }
}

impl Found {
    fn new(part: &'static str, error: String) -> Self {
        Self { part, channel: None, cell: None, name: None, from: None, to: None, error, repaired: false }
    }

    fn of(damage: &Damage) -> Self {
        let repaired = damage.is_repaired();
        match damage {
            Damage::Cell { key, range, why, .. } => {
                let (part, channel, cell) = match *key {
                    CellKey::Lines(cell) => ("lines", None, Some(cell)),
                    CellKey::Samples { channel, cell } => ("samples", Some(channel), Some(cell)),
                    _ => ("cell", None, None),
                };
                let (from, to) = (Some(range.start), Some(range.end));
                Self { part, channel, cell, name: None, from, to, error: why.to_string(), repaired }
            }
            Damage::Summary { channel, cell, why, .. } => {
                let (channel, cell) = (Some(*channel), Some(*cell));
                Self { channel, cell, repaired, ..Self::new("summary", why.to_string()) }
            }
            Damage::Attachment { name, why } => {
                Self { name: Some(name.to_string()), ..Self::new("attachment", why.to_string()) }
            }
            Damage::Digest { found } => Self::new("digest", format!("all of it is readable and has digest {found}")),
            _ => Self::new("other", "of a kind that this version does not know".to_owned()),
        }
    }

    fn sentence(&self) -> String {
        let channel = self.channel.map_or_else(String::new, |channel| format!(" of channel {channel}"));
        let cell = self.cell.map_or_else(String::new, |cell| format!(", cell {cell}"));
        let range = self.from.zip(self.to).map_or_else(String::new, |(from, to)| format!(", {from} to {to}"));
        let name = self.name.as_ref().map_or_else(String::new, |name| format!(" {}", output::one_line(name)));
        let done = if self.repaired { "repaired; " } else { "" };
        format!("{done}{}{name}{channel}{cell}{range}: {}", self.part, output::one_line(&self.error))
    }
}
