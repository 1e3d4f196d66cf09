//! Cells that cannot be read: where a channel, or the log, is written no further, and what of it stays in hot storage.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lucihub_models_core::{Grid, Positions, Result, StoreError};

use super::keeper::Keeper;
use super::written::Written;
use crate::read::{CellKey, Located};

/// What a checkpoint came to.
#[derive(Debug)]
pub(super) struct Reached {
    /// What it wrote.
    pub(super) written: Written,
    /// Up to where cold storage has all there is, and can be read.
    pub(super) positions: Positions,
    /// Why that is not as far as it was meant to go.
    pub(super) wrong: Option<StoreError>,
}

/// A channel, or the log.
type Column = Option<u32>;

/// The columns of a run that have a cell which cannot be read. What hot storage still has of that cell, and of what comes
/// after it, stays there for whoever mends it; the other columns go on.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopped {
    /// Those that a checkpoint did not get on with: cells in cold storage follow each other without a hole.
    writing: BTreeMap<Column, Stop>,
    /// Those that did not read back.
    reading: BTreeMap<Column, Unlike>,
}

/// A cell that is not as it should be.
#[derive(Debug, Clone)]
pub(super) struct Unlike {
    /// Its first index.
    pub(super) at: u64,
    /// Whether hot storage has some of it. If not, what comes after it need not wait there.
    pub(super) in_hot: bool,
    pub(super) why: StoreError,
}

/// A column that goes no further.
#[derive(Debug, Clone)]
struct Stop {
    /// Where the cell begins that cannot be read.
    at: u64,
    /// How much cold storage has of the column, with all that came before that cell.
    have: u64,
    why: StoreError,
}

/// The same while the cells of a checkpoint are read, many at once: the first cell of each column that cannot be read.
#[derive(Debug, Default)]
pub(super) struct Stops(Mutex<BTreeMap<Column, (u64, StoreError)>>);

const fn place(key: CellKey) -> (Column, u64) {
    match key {
        CellKey::Lines(cell) => (None, cell),
        CellKey::Samples { channel, cell } => (Some(channel), cell),
    }
}

fn position(positions: &Positions, column: Column) -> u64 {
    column.map_or(positions.lines, |channel| positions.sample(channel))
}

fn lower(positions: &mut Positions, column: Column, to: u64) {
    match column {
        None => positions.lines = positions.lines.min(to),
        Some(channel) => positions.set_sample(channel, positions.sample(channel).min(to)),
    }
}

impl Stops {
    /// What was read of a cell; `None`, and a stop, where it cannot be read. Any other failure is one of the checkpoint.
    pub(super) fn take<T>(&self, key: CellKey, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(why) if why.is_unreadable() => {
                let (column, cell) = place(key);
                let mut stops = self.stops();
                if stops.get(&column).is_none_or(|(first, _)| cell < *first) {
                    stops.insert(column, (cell, why));
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a cell comes after one that could not be read.
    pub(super) fn are_before(&self, key: CellKey) -> bool {
        let (column, cell) = place(key);
        self.stops().get(&column).is_some_and(|(first, _)| *first < cell)
    }

    /// Where the columns stopped, of a run of which cold storage has so much.
    pub(super) fn stopped(&self, have: &Positions, grid: Grid) -> Stopped {
        let stops = std::mem::take(&mut *self.stops());
        let stop = |(column, (cell, why)): (Column, (u64, StoreError))| {
            let cells = if column.is_some() { grid.sample_cell(cell) } else { grid.log_cell(cell) };
            (column, Stop { at: cells.start, have: position(have, column).max(cells.start), why })
        };
        Stopped { writing: stops.into_iter().map(stop).collect(), reading: BTreeMap::new() }
    }

    fn stops(&self) -> MutexGuard<'_, BTreeMap<Column, (u64, StoreError)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stopped {
    /// What is wrong with the first of them.
    pub(super) fn why(&self) -> Option<&StoreError> {
        self.writing.values().map(|stop| &stop.why).chain(self.reading.values().map(|cell| &cell.why)).next()
    }

    /// A position, and of columns that stopped no more than comes before the cell.
    pub(super) fn cap(&self, mut positions: Positions) -> Positions {
        let reading = self.reading.iter().filter(|(_, cell)| cell.in_hot);
        for (column, cell) in reading {
            lower(&mut positions, *column, cell.at);
        }
        self.cap_written(positions)
    }

    /// The same of columns that cannot be written alone, for who reads the others back.
    pub(super) fn cap_written(&self, mut positions: Positions) -> Positions {
        for (column, stop) in &self.writing {
            lower(&mut positions, *column, stop.at);
        }
        positions
    }

    /// A position, and of columns that cannot be written what cold storage has: there is nothing to be done for them now.
    pub(super) fn pass_over(&self, mut positions: Positions, have: &Positions) -> Positions {
        for column in self.writing.keys() {
            match column {
                None => positions.lines = have.lines,
                Some(channel) => positions.set_sample(*channel, have.sample(*channel)),
            }
        }
        positions
    }

    /// Takes in where columns stopped that were tried again; those that were not stand where they stood.
    pub(super) fn tried(&mut self, tried: impl IntoIterator<Item = CellKey>, now: Self) {
        for key in tried {
            self.writing.remove(&place(key).0);
        }
        self.writing.extend(now.writing);
    }

    /// Takes in what came of reading a channel, or the log, back from an index on.
    pub(super) fn read_back(&mut self, channel: Option<u32>, from: u64, wrong: Option<Unlike>) {
        let end = wrong.as_ref().map_or(u64::MAX, |cell| cell.at);
        // One that was not read now is as it was.
        let known = self.reading.remove(&channel).filter(|known| known.at < from || known.at > end);
        let first = [known, wrong].into_iter().flatten().min_by_key(|cell| (!cell.in_hot, cell.at));
        if let Some(cell) = first {
            self.reading.insert(channel, cell);
        }
    }

    /// Forgets those that cold storage has got past, or has all of.
    fn keep(&mut self, have: &Positions, hot: &Positions) {
        self.writing.retain(|column, stop| {
            let at = position(have, *column);
            at <= stop.have && at < position(hot, *column)
        });
    }
}

impl Keeper {
    /// Where columns of a run stopped when they were last tried.
    pub(super) fn stopped(&self, located: &Located) -> Stopped {
        self.memory().get(&located.run()).map(|memory| memory.stopped.clone()).unwrap_or_default()
    }

    /// Forgets stops that are past. They are tried again with each checkpoint of all there is.
    pub(super) fn keep_stops(&self, located: &Located) {
        if let Some(memory) = self.memory().get_mut(&located.run()) {
            memory.stopped.keep(located.cold_positions(), located.positions());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn samples(channel: u32, cell: u64) -> CellKey {
        CellKey::Samples { channel, cell }
    }

    fn damaged(stops: &Stops, key: CellKey) -> Option<()> {
        stops.take(key, Err(StoreError::corrupt("run 1", format!("{key:?}")))).unwrap()
    }

    #[test]
    fn what_comes_after_a_cell_that_cannot_be_read_waits_and_nothing_else() {
        let stops = Stops::default();
        assert_eq!(stops.take(samples(1, 0), Ok(7)).unwrap(), Some(7));
        assert!(damaged(&stops, samples(1, 3)).is_none() && damaged(&stops, samples(1, 2)).is_none());
        let are_before = |key| stops.are_before(key);
        assert!(are_before(samples(1, 3)) && !are_before(samples(1, 2)) && !are_before(samples(0, 9)));
        assert!(!are_before(CellKey::Lines(9)));
        assert!(damaged(&stops, CellKey::Lines(0)).is_none() && stops.are_before(CellKey::Lines(1)));
    }

    #[test]
    fn a_column_that_stopped_counts_up_to_the_cell_until_cold_storage_has_more_of_it() {
        let grid = Grid { samples: 1_024, lines: 16 };
        let have = Positions { lines: 20, samples: vec![1_500, 1_500, 0], ..Positions::default() };
        let want = Positions { lines: 50, samples: vec![4_000, 4_000, 4_000], ..Positions::default() };
        let stops = Stops::default();
        for key in [samples(0, 1), samples(1, 2), CellKey::Lines(2)] {
            damaged(&stops, key);
        }
        let mut stopped = stops.stopped(&have, grid);
        let capped = Positions { lines: 32, samples: vec![1_024, 2_048, 4_000], ..want.clone() };
        assert_eq!(stopped.cap(want.clone()), capped);
        let passed = Positions { lines: 20, samples: vec![1_500, 1_500, 4_000], ..want.clone() };
        assert_eq!(stopped.pass_over(want.clone(), &have), passed);
        assert!(stopped.why().is_some_and(|why| why.to_string().contains("Lines(2)")));

        stopped.keep(&have, &want);
        assert_eq!(stopped.cap(want.clone()), capped);
        stopped.keep(&Positions { samples: vec![1_500, 2_049, 4_000], ..have.clone() }, &want);
        assert_eq!(stopped.cap(want.clone()).samples, [1_024, 4_000, 4_000]);
        stopped.tried([samples(2, 7)], Stopped::default());
        assert_eq!(stopped.cap(want.clone()).samples, [1_024, 4_000, 4_000]);
        stopped.tried([samples(0, 1), samples(0, 2), samples(2, 7)], stops.stopped(&have, grid));
        assert_eq!(stopped.cap(want.clone()).samples, [4_000, 4_000, 4_000]);
        assert!(Stops::default().stopped(&want, grid).why().is_none());
    }

    #[test]
    fn a_column_that_hot_storage_has_no_more_of_is_not_stopped() {
        let grid = Grid { samples: 1_024, lines: 16 };
        let (have, stops) = (Positions { samples: vec![1_500], ..Positions::default() }, Stops::default());
        assert!(damaged(&stops, samples(0, 1)).is_none());
        let mut stopped = stops.stopped(&have, grid);
        stopped.keep(&have, &have);
        assert_eq!(stopped.cap(have.clone()), have);
    }

    #[test]
    fn what_does_not_read_back_is_kept_where_hot_storage_has_some_of_it_and_written_on() {
        let have = Positions { lines: 20, samples: vec![9_500], ..Positions::default() };
        let unlike = |at, in_hot| Unlike { at, in_hot, why: StoreError::corrupt("run 1", at) };
        let mut stopped = Stopped::default();
        stopped.read_back(Some(0), 0, Some(unlike(1_024, false)));
        assert!(stopped.cap(have.clone()) == have && stopped.why().is_some());
        stopped.read_back(Some(0), 2_048, Some(unlike(4_096, true)));
        stopped.keep(&Positions { samples: vec![9_900], ..have.clone() }, &have);
        assert_eq!(stopped.cap(have.clone()).samples, [4_096]);
        let want = Positions { samples: vec![9_800], ..have.clone() };
        assert_eq!(stopped.pass_over(want.clone(), &have), want);
        assert_eq!(stopped.cap_written(have.clone()), have, "who trims reads it again");
        stopped.read_back(Some(0), 8_192, None);
        stopped.read_back(Some(0), 1_024, Some(unlike(2_048, false)));
        assert_eq!(stopped.cap(have.clone()).samples, [4_096], "that one was not read");
        stopped.read_back(Some(0), 4_096, None);
        assert!(stopped.cap(have.clone()) == have && stopped.why().is_none());
    }

    #[test]
    fn other_failures_are_those_of_the_checkpoint() {
        let stops = Stops::default();
        let away: Result<()> = Err(StoreError::unavailable("cold storage", "away"));
        assert!(stops.take(samples(0, 0), away).is_err());
        assert!(!stops.are_before(samples(0, 1)));
    }
}
