//! Reading cells back, and comparing them with what hot storage has.

use std::ops::Range;

use futures_core::Stream;
use futures_util::{StreamExt, stream};
use lucihub_models_core::cold::Checkpoint;
use lucihub_models_core::hot::HotRun;
use lucihub_models_core::{Digest, GapCause, Grid, LogCell, LogLine, Result, RunId, SampleCell, Series, StoreError};

use super::tails::is_lost_in;
use super::written::Written;
use crate::observe::keeping;
use crate::read::{Cell, CellKey, Found, cell_in_hot, log_cells, sample_cells};
use crate::store::Store;

/// Channels that are read back at once: one is hashed while the next is read.
const CHANNELS_AT_ONCE: usize = 8;

/// Reads the cells of a run back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verify<'a> {
    pub(super) store: &'a Store,
    pub(super) run: RunId,
    pub(super) grid: Grid,
    /// The run as hot storage has it, if it does.
    pub(super) hot: Option<&'a HotRun>,
    /// What has just been written.
    pub(super) written: &'a Written,
}

/// Cells of a channel that are to be read back, and where the channel ends.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) channel: u32,
    pub(super) cells: Range<u64>,
    pub(super) end: u64,
}

/// Cells that were read back, up to the first that is not as it should be.
#[derive(Debug, Default)]
pub(super) struct ReadBack {
    pub(super) hashes: Vec<Digest>,
    /// What is wrong with the one after these.
    pub(super) wrong: Option<StoreError>,
}

impl ReadBack {
    /// All that was wanted.
    ///
    /// # Errors
    /// What is wrong with a cell.
    pub(super) fn whole(self) -> Result<Vec<Digest>> {
        self.wrong.map_or(Ok(self.hashes), Err)
    }

    /// Takes cells in. `false`: one cannot be read, or has other content than hot storage.
    fn take(&mut self, read: Result<Vec<Digest>>) -> Result<bool> {
        match read {
            Ok(hashes) => self.hashes.extend(hashes),
            Err(why) if why.is_unreadable() => self.wrong = Some(why),
            Err(error) => return Err(error),
        }
        Ok(self.wrong.is_none())
    }
}

impl Verify<'_> {
    /// The hashes of some log cells. The last one may end where the run does.
    pub(super) async fn lines(self, cells: Range<u64>, end: u64) -> Result<ReadBack> {
        // One may have 64 MiB, or twice that in the largest grid.
        const AT_ONCE: u64 = 1;
        let mut back = ReadBack::default();
        for part in chunks(cells, AT_ONCE) {
            let found = log_cells(self.store, self.run, self.grid, part, end).await;
            if !back.take(self.all_compared(found).await)? {
                break;
            }
        }
        Ok(back)
    }

    /// The hashes of cells of channels, in the order of these. The last one of each may end where the run does.
    pub(super) fn channels(self, wanted: Vec<Wanted>) -> impl Stream<Item = Result<(Wanted, ReadBack)>> {
        let back = stream::iter(wanted).map(move |wanted| async move {
            let back = self.samples(&wanted).await?;
            Ok((wanted, back))
        });
        back.buffered(CHANNELS_AT_ONCE)
    }

    /// The hashes of cells of one channel.
    pub(super) async fn samples(self, wanted: &Wanted) -> Result<ReadBack> {
        // With the channels beside it, as many decoded cells as memory is to hold.
        const AT_ONCE: u64 = 1;
        let mut back = ReadBack::default();
        for part in chunks(wanted.cells.clone(), AT_ONCE) {
            if let Some(hash) = self.given_back(wanted, part.start) {
                back.hashes.push(hash);
                continue;
            }
            let found = sample_cells(self.store, self.run, self.grid, wanted.channel, part, wanted.end).await;
            if !back.take(self.all_compared(found).await)? {
                break;
            }
        }
        Ok(back)
    }

    async fn all_compared(self, found: Result<Vec<Found>>) -> Result<Vec<Digest>> {
        let mut hashes = Vec::new();
        for found in found? {
            hashes.push(self.compared(found).await?);
        }
        Ok(hashes)
    }

    /// The hash of a cell that cold storage has given back as it was written: it need not be decoded.
    fn given_back(self, wanted: &Wanted, cell: u64) -> Option<Digest> {
        let range = self.grid.sample_cell(cell);
        let key = CellKey::Samples { channel: wanted.channel, cell };
        self.written.given_back(key, &(range.start..range.end.min(wanted.end)))
    }

    /// The hash of a cell that is whole, and is what was written or agrees with hot storage.
    async fn compared(self, found: Found) -> Result<Digest> {
        let cell = match found.content {
            Err(StoreError::Corrupt { what, why }) => match self.written_again(found.key, &found.range).await? {
                Some(cell) => cell,
                None => return Err(StoreError::Corrupt { what, why }),
            },
            content => content?,
        };
        let hash = cell.hash();
        if self.written.has(found.key, &found.range, &hash) {
            return Ok(hash);
        }
        match &cell {
            Cell::Lines(cell) => self.compare_lines(cell).await?,
            Cell::Samples(cell) => self.compare_samples(cell).await?,
        }
        Ok(hash)
    }

    /// Writes a cell anew that is missing or damaged in cold storage, and that hot storage still has. A run would never be
    /// archived for a flipped bit otherwise, and stay in hot storage for ever.
    async fn written_again(self, key: CellKey, range: &Range<u64>) -> Result<Option<Cell>> {
        let Some(hot) = self.hot else { return Ok(None) };
        let mut cells = Checkpoint::default();
        // What hot storage says it lost may be what cold storage alone has: that is for people to bring back.
        match cell_in_hot(self.store, hot, key, range).await? {
            Some(Cell::Lines(cell)) if !cell.lines.contains(&LogLine::lost()) => cells.lines.push(cell),
            Some(Cell::Samples(cell)) if !is_lost_in(&cell.series) => cells.samples.push(cell),
            _ => return Ok(None),
        }
        if !self.store.cold().checkpoint(self.run, &cells).await? {
            return Ok(None);
        }
        let found = match key {
            CellKey::Lines(cell) => log_cells(self.store, self.run, self.grid, cell..cell + 1, range.end).await?,
            CellKey::Samples { channel, cell } => {
                sample_cells(self.store, self.run, self.grid, channel, cell..cell + 1, range.end).await?
            }
        };
        keeping::written_again(self.run, key);
        found.into_iter().next().map(|found| found.content).transpose()
    }

    async fn compare_lines(self, cell: &LogCell) -> Result<()> {
        let Some(hot) = self.hot.filter(|hot| hot.base.lines <= cell.first) else { return Ok(()) };
        match self.store.hot().lines(hot.head.id, cell.first..cell.end()).await? {
            // Trimmed or gone meanwhile: then another keeper is further on.
            Some(slice) if slice.first == cell.first && !has_all(&cell.lines, &slice.lines) => {
                Err(differs(hot.head.id, &format!("log cell {}", cell.cell)))
            }
            _ => Ok(()),
        }
    }

    async fn compare_samples(self, cell: &SampleCell) -> Result<()> {
        let Some(hot) = self.hot.filter(|hot| hot.base.sample(cell.channel) <= cell.series.first) else {
            return Ok(());
        };
        let range = cell.series.first..cell.series.end;
        match self.store.hot().window(hot.head.id, cell.channel, range).await? {
            Some(series) if series.first == cell.series.first && !agrees(&cell.series, &series) => {
                Err(differs(hot.head.id, &format!("channel {}, cell {}", cell.channel, cell.cell)))
            }
            _ => Ok(()),
        }
    }
}

/// A range in parts of at most `size`.
fn chunks(range: Range<u64>, size: u64) -> impl Iterator<Item = Range<u64>> {
    let end = range.end;
    range.step_by(usize::try_from(size).unwrap_or(usize::MAX)).map(move |at| at..end.min(at + size))
}

/// Whether a cell has all lines that hot storage has of it. It may have more: a tail, or what hot storage says it lost.
pub(super) fn has_all(cell: &[LogLine], hot: &[LogLine]) -> bool {
    let lost = LogLine::lost();
    hot.len() <= cell.len() && hot.iter().zip(cell).all(|(hot, cell)| hot == cell || *hot == lost)
}

/// Whether a cell has all that hot storage has of it, bit for bit. It may have
/// more: a tail, or what hot storage says it lost.
pub(super) fn agrees(cell: &Series, hot: &Series) -> bool {
    if hot.gaps.iter().any(|gap| gap.cause == GapCause::Store) {
        let same = |(at, v): (u64, &f64)| cell.get(at).is_some_and(|c| c.to_bits() == v.to_bits());
        return hot.segments().all(|(first, values)| (first..).zip(values).all(same));
    }
    if (cell.first, cell.end) == (hot.first, hot.end) { cell == hot } else { cell.slice(hot.first..hot.end) == *hot }
}

fn differs(run: RunId, what: &str) -> StoreError {
    StoreError::corrupt(format!("run {run}, {what}"), "cold storage gives back other content than hot storage has")
}
