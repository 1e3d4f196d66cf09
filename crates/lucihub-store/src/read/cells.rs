//! Reading cells back, each checked against what it is to hold: all of a run in the order of its digest, or some.

use std::collections::VecDeque;
use std::ops::Range;

use lucihub_models_core::{
    Digest, Grid, LogCell, Positions, Result, RunDigest, RunHead, RunId, SampleCell, StoreError,
};

use crate::store::Store;

/// Log cells that one read asks for: one may have 64 MiB, or twice that in the largest grid.
const LOG_CELLS: u64 = 1;
/// Sample cells that one read asks for.
const SAMPLE_CELLS: u64 = 4;

/// Which cell of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CellKey {
    /// A log cell, by its number.
    Lines(u64),
    /// A cell of a channel.
    Samples {
        /// The channel.
        channel: u32,
        /// The number of the cell.
        cell: u64,
    },
}

/// What a cell holds.
#[derive(Debug)]
pub(crate) enum Cell {
    Lines(LogCell),
    Samples(SampleCell),
}

impl Cell {
    pub(crate) fn hash(&self) -> Digest {
        match self {
            Self::Lines(cell) => cell.hash(),
            Self::Samples(cell) => cell.hash(),
        }
    }
}

/// A cell as it was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) key: CellKey,
    /// The line numbers or indices that it is to hold.
    pub(crate) range: Range<u64>,
    /// Its content, or `Corrupt`: it is damaged, missing, or of another length.
    pub(crate) content: Result<Cell>,
}

/// The cells of a run, one after another. Memory is bounded by a few cells.
#[derive(Debug)]
pub(crate) struct ReadBack<'a> {
    store: &'a Store,
    head: &'a RunHead,
    end: &'a Positions,
    digest: RunDigest,
    /// The channel that is read now; `None` for the log.
    channel: Option<u32>,
    /// The cells that were not asked for yet.
    left: Range<u64>,
    read: VecDeque<Found>,
}

impl<'a> ReadBack<'a> {
    /// Begins with the log.
    pub(crate) fn new(store: &'a Store, head: &'a RunHead, end: &'a Positions) -> Self {
        let mut digest = RunDigest::begin(head);
        digest.lines(end.lines);
        let left = head.grid.log_cells(&(0..end.lines));
        Self { store, head, end, digest, channel: None, left, read: VecDeque::new() }
    }

    /// The next cell, whether or not it can be read.
    ///
    /// # Errors
    /// When cold storage cannot be read at all.
    pub(crate) async fn next(&mut self) -> Result<Option<Found>> {
        loop {
            if let Some(found) = self.read.pop_front() {
                return Ok(Some(found));
            }
            if self.left.is_empty() {
                let next = self.channel.map_or(0, |channel| channel + 1);
                if next as usize >= self.head.channels.len() {
                    return Ok(None);
                }
                let end = self.end.sample(next);
                self.digest.channel(next, end);
                self.left = self.head.grid.sample_cells(&(0..end));
                self.channel = Some(next);
                continue;
            }
            let size = if self.channel.is_some() { SAMPLE_CELLS } else { LOG_CELLS };
            let part = self.left.start..self.left.end.min(self.left.start + size);
            self.left.start = part.end;
            self.read = match self.channel {
                None => log_cells(self.store, self.head.id, self.head.grid, part, self.end.lines).await?,
                Some(channel) => {
                    let end = self.end.sample(channel);
                    sample_cells(self.store, self.head.id, self.head.grid, channel, part, end).await?
                }
            }
            .into();
        }
    }

    /// Takes the hash of the cell that came last into the digest.
    pub(crate) fn take(&mut self, hash: &Digest) {
        self.digest.cell(hash);
    }

    /// The digest of all cells that were taken.
    pub(crate) fn digest(&self) -> Digest {
        self.digest.finish()
    }
}

/// Log cells of a run with lines up to `end`, each as it was found.
pub(crate) async fn log_cells(store: &Store, run: RunId, grid: Grid, part: Range<u64>, end: u64) -> Result<Vec<Found>> {
    let (cells, damage) = apart(part.clone(), |cells| store.cold().log_cells(run, cells)).await?;
    let mut cells: VecDeque<LogCell> = cells.into();
    let found = damage_by_cell(part, damage).map(|(number, damage)| {
        let cell = grid.log_cell(number);
        let range = cell.start..cell.end.min(end);
        let present = cells.pop_front_if(|cell| cell.cell == number);
        let content = whole(run, "log line", &range, damage, present, |cell| cell.first..cell.end());
        Found { key: CellKey::Lines(number), range, content: content.map(Cell::Lines) }
    });
    Ok(found.collect())
}

/// Cells of a channel with indices up to `end`, each as it was found.
pub(crate) async fn sample_cells(
    store: &Store,
    run: RunId,
    grid: Grid,
    channel: u32,
    part: Range<u64>,
    end: u64,
) -> Result<Vec<Found>> {
    let (cells, damage) = apart(part.clone(), |cells| store.cold().sample_cells(run, channel, cells)).await?;
    let mut cells: VecDeque<SampleCell> = cells.into();
    let found = damage_by_cell(part, damage).map(|(number, damage)| {
        let cell = grid.sample_cell(number);
        let range = cell.start..cell.end.min(end);
        let present = cells.pop_front_if(|cell| cell.cell == number);
        let content = whole(run, "sample", &range, damage, present, |cell| cell.series.first..cell.series.end);
        Found { key: CellKey::Samples { channel, cell: number }, range, content: content.map(Cell::Samples) }
    });
    Ok(found.collect())
}

/// Reads cells together, and if one of them is damaged, one by one: the others stay readable.
async fn apart<C, F>(part: Range<u64>, read: impl Fn(Range<u64>) -> F) -> Result<(Vec<C>, Vec<(u64, StoreError)>)>
where
    F: Future<Output = Result<Vec<C>>>,
{
    match read(part.clone()).await {
        Ok(cells) => return Ok((cells, Vec::new())),
        Err(StoreError::Corrupt { .. }) => {}
        Err(error) => return Err(error),
    }
    let (mut cells, mut damage) = (Vec::new(), Vec::new());
    for cell in part {
        match read(cell..cell + 1).await {
            Ok(one) => cells.extend(one),
            Err(error @ StoreError::Corrupt { .. }) => damage.push((cell, error)),
            Err(error) => return Err(error),
        }
    }
    Ok((cells, damage))
}

/// Each cell of a part with its damage.
fn damage_by_cell(part: Range<u64>, damage: Vec<(u64, StoreError)>) -> impl Iterator<Item = (u64, Option<StoreError>)> {
    let mut damage: VecDeque<_> = damage.into();
    part.map(move |cell| (cell, damage.pop_front_if(|(damaged, _)| *damaged == cell).map(|(_, error)| error)))
}

/// A cell that holds what it is to hold.
fn whole<C>(
    run: RunId,
    what: &str,
    range: &Range<u64>,
    damage: Option<StoreError>,
    present: Option<C>,
    holds: impl Fn(&C) -> Range<u64>,
) -> Result<C> {
    if let Some(damage) = damage {
        return Err(damage);
    }
    let missing = |at: u64| StoreError::corrupt(format!("run {run}"), format!("{what} {at} is not in cold storage"));
    let cell = present.ok_or_else(|| missing(range.start))?;
    let found = holds(&cell);
    if found.start != range.start {
        return Err(missing(range.start));
    }
    if found.end < range.end {
        return Err(missing(found.end));
    }
    if found.end > range.end {
        let why = format!("it has {what} {}, and the run ends before that", range.end);
        return Err(StoreError::corrupt(format!("run {run}"), why));
    }
    Ok(cell)
}
