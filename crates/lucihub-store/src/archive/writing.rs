//! Cells on their way from hot to cold storage.

use std::ops::Range;
use std::pin::pin;

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use lucihub_models_core::cold::{Checkpoint, GrownCell};
use lucihub_models_core::{
    Digest, GapCause, Grid, LogCell, LogLine, Positions, Result, SUMMARY_WIDTH, SampleCell, Series,
};
use tokio::sync::{Mutex, MutexGuard};

use super::keeper::Keeper;
use super::stops::{Reached, Stops};
use super::tails::{Tails, is_lost_in};
use super::written::Written;
use crate::observe::keeping;
use crate::read::{CellKey, Located};
use crate::store::Store;

/// Cells that are read at once; of the log one, since it may have more bytes than all of these.
const CELLS_AT_ONCE: usize = 8;

/// Cells on their way: the next ones are read while these are written. Memory is bounded by what a transaction may have,
/// whatever the length of the run.
///
/// A cell that grows may be damaged in cold storage after hot storage let go of its beginning. It keeps its own channel,
/// and the end, from going on; the others do.
///
/// A writer that cannot ask cold storage may have put a run back from before the last checkpoint. Hot storage then
/// calls lost what cold storage has: a cell that grows keeps it.
pub(super) struct Writing<'a> {
    keeper: &'a Keeper,
    located: &'a Located,
    want: &'a Positions,
    grown: Vec<Grown>,
    tails: Tails,
    written: Written,
    /// Whether cold storage still takes cells of this run.
    open: bool,
}

/// A cell that has grown: its number, what it is to hold, and from where on that is new.
enum Grown {
    Lines { cell: u64, range: Range<u64>, from: u64 },
    Samples { channel: u32, cell: u64, range: Range<u64>, from: u64 },
}

impl Grown {
    const fn key(&self) -> CellKey {
        match *self {
            Self::Lines { cell, .. } => CellKey::Lines(cell),
            Self::Samples { channel, cell, .. } => CellKey::Samples { channel, cell },
        }
    }
}

/// A cell that was read.
enum Ready<'a> {
    /// Lines, and the turn to read a log cell, until they are taken.
    Lines(LogCell, Option<MutexGuard<'a, ()>>),
    /// Samples, encoded, and the hash of what was.
    Samples(GrownCell, Digest),
    /// Samples that cold storage does not encode before it writes them.
    Whole(SampleCell),
}

/// What one transaction writes.
#[derive(Default)]
struct Part {
    cells: Checkpoint,
    /// Of the encoded ones.
    hashes: Vec<Digest>,
    bytes: u64,
}

impl<'a> Writing<'a> {
    /// All that grew between what cold storage has and a position.
    pub(super) fn new(keeper: &'a Keeper, located: &'a Located, want: &'a Positions) -> Self {
        let grown = grown(located.grid(), located.cold_positions(), want);
        let tails = keeper.tails(located);
        Self { keeper, located, want, grown, tails, written: Written::default(), open: true }
    }

    /// Writes it, and the head with the last of it: whoever reads an end has all that came before.
    pub(super) async fn all(mut self) -> Result<Reached> {
        let (keeper, located) = (self.keeper, self.located);
        let mut left = self.grown.len();
        let tried: Vec<CellKey> = self.grown.iter().map(Grown::key).collect();
        let (grown, tails) = (std::mem::take(&mut self.grown), std::mem::take(&mut self.tails));
        let (log, stops) = (Mutex::new(()), Stops::default());
        let cells = stream::iter(grown).map(|grown| async {
            let key = grown.key();
            let turn = if let CellKey::Lines(_) = key { Some(log.lock().await) } else { None };
            if stops.are_before(key) {
                return Ok(None);
            }
            let read = read(&keeper.store, located, grown, &tails, turn).await;
            Ok(stops.take(key, read)?.map(|cell| (key, cell)))
        });
        // A cell that was read before one ahead of it could not be.
        let cells = cells.buffered(CELLS_AT_ONCE).try_filter_map(|cell| {
            std::future::ready(Ok(cell.filter(|(key, _)| !stops.are_before(*key)).map(|(_, cell)| cell)))
        });
        let mut cells = pin!(cells);
        let most = keeper.options.transaction_bytes;
        let mut part = gather(&mut cells, most).await?;
        while !part.is_empty() {
            left = left.saturating_sub(part.count()); // what is kept back stays, so that no end comes before it
            if left == 0 {
                part.cells.head = located.hot_run().map(|hot| hot.head.clone());
            }
            let (next, ()) = tokio::try_join!(gather(&mut cells, most), self.write(part))?;
            part = next;
        }
        let have = located.cold_positions();
        let stopped = stops.stopped(have, located.grid());
        let wrong = stopped.why().cloned();
        let mut positions = stopped.cap(self.want.clone());
        keeper.memory().entry(located.run()).or_default().stopped.tried(tried, stopped);
        if let Some(hot) = located.hot_run()
            && (self.written.is_empty() || wrong.is_some())
        {
            if wrong.is_none() || hot.seal.is_none() {
                keeper.store.cold().mirror(&hot.head).await?;
            } else {
                // The end waits with what is kept back.
                (positions.states, positions.phases) = (have.states, have.phases);
            }
        }
        Ok(Reached { written: self.written, positions, wrong })
    }

    async fn write(&mut self, part: Part) -> Result<()> {
        if !self.open {
            return Ok(());
        }
        let run = self.located.run();
        // `false`: another keeper has archived the run meanwhile, with all of it.
        self.open = self.keeper.store.cold().checkpoint(run, &part.cells).await?;
        if self.open {
            keeping::written(run, part.count(), part.bytes);
            self.read_back(&part).await?;
        }
        Ok(())
    }

    /// Reads back what was written, while it is at hand to be compared.
    async fn read_back(&mut self, Part { cells, hashes, .. }: &Part) -> Result<()> {
        cells.lines.iter().for_each(|cell| self.written.note_lines(cell));
        for cell in &cells.samples {
            let key = CellKey::Samples { channel: cell.channel, cell: cell.cell };
            self.written.note(key, cell.series.first..cell.series.end, cell.hash(), false);
        }
        if cells.grown.is_empty() {
            return Ok(());
        }
        let given_back = self.keeper.store.cold().gives_back(self.located.run(), &cells.grown).await?;
        for ((GrownCell { begun, rest }, hash), given_back) in cells.grown.iter().zip(hashes).zip(given_back) {
            let key = CellKey::Samples { channel: begun.channel(), cell: begun.cell() };
            self.written.note(key, begun.range().start..rest.end, *hash, given_back);
        }
        Ok(())
    }
}

impl Part {
    const fn is_empty(&self) -> bool {
        self.count() == 0
    }

    const fn count(&self) -> usize {
        self.cells.lines.len() + self.cells.samples.len() + self.cells.grown.len()
    }

    fn add(&mut self, cell: Ready<'_>) {
        match cell {
            Ready::Lines(cell, _turn) => {
                self.bytes += cell.lines.iter().map(|line| line.size() as u64).sum::<u64>();
                self.cells.lines.push(cell);
            }
            Ready::Whole(cell) => {
                self.bytes += cell_bytes(cell.series.values.len() as u64, cell.series.first..cell.series.end);
                self.cells.samples.push(cell);
            }
            Ready::Samples(cell, hash) => {
                let values = cell.begun.values() + cell.rest.values.len() as u64;
                self.bytes += cell_bytes(values, cell.begun.range().start..cell.rest.end);
                self.cells.grown.push(cell);
                self.hashes.push(hash);
            }
        }
    }
}

/// Bytes that a cell counts in a transaction: a gap has no samples, and as many summaries as they would have.
pub(crate) fn cell_bytes(values: u64, range: Range<u64>) -> u64 {
    const ROW: u64 = 256;
    const SUMMARY: u64 = 64;
    8 * values + ROW + SUMMARY * range.end.saturating_sub(range.start).div_ceil(SUMMARY_WIDTH)
}

/// Cells up to what a transaction may have.
async fn gather(cells: &mut (impl Stream<Item = Result<Ready<'_>>> + Unpin), most: u64) -> Result<Part> {
    let mut part = Part::default();
    while part.bytes < most
        && let Some(cell) = cells.try_next().await?
    {
        part.add(cell);
    }
    Ok(part)
}

/// The cells that hold what came between two positions: the log, then channel by channel.
fn grown(grid: Grid, have: &Positions, want: &Positions) -> Vec<Grown> {
    let clip = |cell: Range<u64>, end: u64| cell.start..cell.end.min(end);
    let (from, end) = (have.lines, want.lines);
    let lines = grid.log_cells(&(from..end));
    let mut grown: Vec<Grown> =
        lines.map(|cell| Grown::Lines { cell, range: clip(grid.log_cell(cell), end), from }).collect();
    for channel in 0..u32::try_from(want.samples.len()).unwrap_or(u32::MAX) {
        let (from, end) = (have.sample(channel), want.sample(channel));
        let cells = grid.sample_cells(&(from..end));
        grown.extend(cells.map(|cell| {
            let range = clip(grid.sample_cell(cell), end);
            Grown::Samples { channel, cell, range, from }
        }));
    }
    grown
}

/// What a cell is to hold, from wherever it is.
async fn read<'a>(
    store: &Store,
    located: &Located,
    grown: Grown,
    tails: &Tails,
    turn: Option<MutexGuard<'a, ()>>,
) -> Result<Ready<'a>> {
    match grown {
        Grown::Lines { cell, range, from } => {
            let mut slice = store.lines_at(located, range).await?;
            let known = usize::try_from(from.saturating_sub(slice.first)).unwrap_or(usize::MAX);
            let lost = LogLine::lost();
            if slice.lines.iter().take(known).any(|line| *line == lost) {
                for stored in store.cold().log_cells(located.run(), cell..cell + 1).await? {
                    let both = slice.lines.iter_mut().zip(stored.lines);
                    both.filter(|(line, _)| **line == lost).for_each(|(line, kept)| *line = kept);
                }
            }
            Ok(Ready::Lines(LogCell { cell, first: slice.first, lines: slice.lines }, turn))
        }
        Grown::Samples { channel, cell, range, from } => {
            if let Some(tail) = tails.of(channel, cell, range.end) {
                let rest = store.window_at(located, channel, tail.begun.range().end..range.end).await?;
                if !is_lost_in(&rest) {
                    // Here, so that one channel is encoded while the next is read.
                    let (cell, hash) = tail.with(rest, &**store.cold()).await?;
                    return Ok(Ready::Samples(cell, hash));
                }
            }
            let mut series = store.window_at(located, channel, range).await?;
            if series.gaps.iter().any(|gap| gap.cause == GapCause::Store && gap.first < from) {
                let stored = store.cold().sample_cells(located.run(), channel, cell..cell + 1).await?;
                for mut kept in stored.into_iter().map(|stored| stored.series) {
                    if kept.first == series.first && kept.end <= series.end {
                        kept.append(&series.slice(kept.end..series.end));
                        series = kept;
                    }
                }
            }
            let whole = SampleCell { channel, cell, series };
            let (hash, end) = (whole.hash(), whole.series.end);
            let begun = store.cold().begin_cell(None, whole.clone()).await?;
            Ok(match begun {
                Some(begun) => Ready::Samples(GrownCell { begun, rest: Series::starting_at(end) }, hash),
                None => Ready::Whole(whole),
            })
        }
    }
}
