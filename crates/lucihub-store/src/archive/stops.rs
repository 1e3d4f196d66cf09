//! Where a checkpoint goes no further: one channel, or the log, at a cell that cannot be read.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lucihub_models_core::{Grid, Positions, Result, StoreError};

use super::written::Written;
use crate::read::CellKey;

/// What a checkpoint came to.
#[derive(Debug)]
pub(super) struct Reached {
    /// What it wrote.
    pub(super) written: Written,
    /// Up to where cold storage has all there is.
    pub(super) positions: Positions,
    /// Why that is not as far as it was meant to go.
    pub(super) wrong: Option<StoreError>,
}

/// The first cell of a channel, and of the log, that could not be read. What comes after it stays in hot storage: cells in
/// cold storage follow each other without a hole. The other channels go on.
#[derive(Debug, Default)]
pub(super) struct Stops(Mutex<Stopped>);

#[derive(Debug, Default)]
struct Stopped {
    at: BTreeMap<Column, u64>,
    why: Option<StoreError>,
}

/// A channel, or the log.
type Column = Option<u32>;

const fn place(key: CellKey) -> (Column, u64) {
    match key {
        CellKey::Lines(cell) => (None, cell),
        CellKey::Samples { channel, cell } => (Some(channel), cell),
    }
}

impl Stops {
    /// What was read of a cell; `None`, and a stop, where it cannot be read. Any other failure is one of the checkpoint.
    pub(super) fn take<T>(&self, key: CellKey, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(why) if why.is_unreadable() => {
                let (column, cell) = place(key);
                let mut stopped = self.stopped();
                let at = stopped.at.entry(column).or_insert(cell);
                *at = cell.min(*at);
                stopped.why.get_or_insert(why);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a cell comes after one that could not be read.
    pub(super) fn are_before(&self, key: CellKey) -> bool {
        let (column, cell) = place(key);
        self.stopped().at.get(&column).is_some_and(|at| *at < cell)
    }

    /// How far cold storage comes that has one position and was to come to another, and why not so far.
    pub(super) fn reached(&self, have: &Positions, want: &Positions, grid: Grid) -> (Positions, Option<StoreError>) {
        let Stopped { at, why } = std::mem::take(&mut *self.stopped());
        let mut reached = want.clone();
        for (column, cell) in at {
            match column {
                None => reached.lines = have.lines.max(grid.log_cell(cell).start),
                Some(channel) => {
                    reached.set_sample(channel, have.sample(channel).max(grid.sample_cell(cell).start));
                }
            }
        }
        (reached, why)
    }

    fn stopped(&self) -> MutexGuard<'_, Stopped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn samples(channel: u32, cell: u64) -> CellKey {
        CellKey::Samples { channel, cell }
    }

    fn damaged(stops: &Stops, key: CellKey) -> Result<Option<()>> {
        stops.take(key, Err(StoreError::corrupt("run 1", format!("{key:?}"))))
    }

    #[test]
    fn what_comes_after_a_cell_that_cannot_be_read_waits_and_nothing_else() {
        let stops = Stops::default();
        assert_eq!(stops.take(samples(1, 0), Ok(7)).unwrap(), Some(7));
        assert!(damaged(&stops, samples(1, 3)).unwrap().is_none());
        assert!(damaged(&stops, samples(1, 2)).unwrap().is_none());
        let are_before = |key| stops.are_before(key);
        assert!(are_before(samples(1, 3)) && !are_before(samples(1, 2)) && !are_before(samples(0, 9)));
        assert!(!are_before(CellKey::Lines(9)));
        assert!(damaged(&stops, CellKey::Lines(0)).unwrap().is_none());
        assert!(stops.are_before(CellKey::Lines(1)));
    }

    #[test]
    fn a_checkpoint_came_to_what_it_had_or_to_the_cell_that_stopped_it() {
        let grid = Grid { samples: 1_024, lines: 16 };
        let have = Positions { lines: 20, samples: vec![1_500, 1_500, 0], ..Positions::default() };
        let want = Positions { lines: 50, samples: vec![4_000, 4_000, 4_000], ..Positions::default() };
        let stops = Stops::default();
        for key in [samples(0, 1), samples(1, 2), CellKey::Lines(2)] {
            damaged(&stops, key).unwrap();
        }
        let (reached, why) = stops.reached(&have, &want, grid);
        let expected = Positions { lines: 32, samples: vec![1_500, 2_048, 4_000], ..want.clone() };
        assert_eq!(reached, expected);
        assert!(why.is_some_and(|why| why.to_string().contains("channel: 0")), "the first one is told");
        let (reached, why) = Stops::default().reached(&have, &want, grid);
        assert!(reached == want && why.is_none());
    }

    #[test]
    fn other_failures_are_those_of_the_checkpoint() {
        let stops = Stops::default();
        let away: Result<()> = Err(StoreError::unavailable("cold storage", "away"));
        assert!(stops.take(samples(0, 0), away).is_err());
        assert!(!stops.are_before(samples(0, 1)));
    }
}
