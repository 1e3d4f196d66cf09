//! What hot storage lost takes nothing away that cold storage has.
//!
//! A keeper that reads a cell from hot storage merges what was lost there with what cold storage had when it looked.
//! Another keeper, which had read it before it was lost, may have written more since.

use std::ops::Range;

use diesel::prelude::*;
use lucihub_models_core::{Gap, GapCause, LogCell, LogLine, RunId, StoreError};

use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::logs::{LogRow, column};
use crate::samples::SampleRow;
use crate::schema::{run_logs, run_samples};
use crate::types::Id;

/// Lines of a cell that hot storage lost.
pub(crate) struct LostLines {
    cell: i64,
    end: u64,
    numbers: Vec<u64>,
}

impl LostLines {
    /// Those of a cell, if there are any.
    pub(crate) fn of(cell: &LogCell) -> Result<Option<Self>, Error> {
        let lost = LogLine::lost();
        let lines = (cell.first..).zip(&cell.lines);
        let numbers: Vec<u64> = lines.filter(|(_, line)| **line == lost).map(|(number, _)| number).collect();
        let (cell, end) = (column("cell", cell.cell)?, cell.end());
        Ok((!numbers.is_empty()).then_some(Self { cell, end, numbers }))
    }

    /// Refuses them where the shorter cell that stands there has them.
    pub(crate) fn check(&self, conn: &mut Conn<'_>, run: RunId) -> Result<(), Error> {
        let row: Option<LogRow> = on_conn!(conn, c => {
            run_logs::table.find((Id(run), self.cell)).select(LogRow::as_select()).first(c).optional()
        })?;
        // Of a damaged one nothing is left to be taken.
        let Some(Ok(stored)) = row.map(LogRow::into_cell) else { return Ok(()) };
        let lost = LogLine::lost();
        let has = |number: &u64| {
            let place = number.checked_sub(stored.first).and_then(|place| usize::try_from(place).ok());
            place.and_then(|place| stored.lines.get(place)).is_some_and(|line| *line != lost)
        };
        if stored.end() < self.end && self.numbers.iter().any(has) {
            return Err(refused(format!("run {run}, log cell {}", self.cell), "lines"));
        }
        Ok(())
    }
}

/// Refuses a cell of samples with a gap that hot storage's loss made, where the shorter one that stands there has any.
pub(crate) fn check_samples(row: &SampleRow, conn: &mut Conn<'_>, run: RunId) -> Result<(), Error> {
    let (_, mut lost) = row.summary().place().map_err(|damage| row.summary().corrupt(&damage))?;
    lost.retain(|gap| gap.cause == GapCause::Store);
    if lost.is_empty() {
        return Ok(());
    }
    let (channel, cell) = row.key();
    let stored: Option<SampleRow> = on_conn!(conn, c => {
        run_samples::table.find((Id(run), channel, cell)).select(SampleRow::as_select()).first(c).optional()
    })?;
    // While one of its checksums is right, it says what it has.
    let Some(stored) = stored.filter(SampleRow::knows_its_place) else { return Ok(()) };
    let stored = stored.summary();
    let Ok((range, gaps)) = stored.place() else { return Ok(()) };
    if stored.is_shorter_than(row.summary()) && has_any(&range, &gaps, &lost) {
        return Err(refused(format!("run {run}, channel {channel}, cell {cell}"), "samples"));
    }
    Ok(())
}

/// Whether a range with gaps of its own has samples where others have gaps.
fn has_any(range: &Range<u64>, gaps: &[Gap], lost: &[Gap]) -> bool {
    lost.iter().filter_map(|lost| lost.clip(range)).any(|lost| {
        let missing: u64 = gaps.iter().filter_map(|gap| gap.clip(&(lost.first..lost.end))).map(|gap| gap.len()).sum();
        missing < lost.len()
    })
}

fn refused(what: String, kind: &str) -> Error {
    let why = format!("{kind} that hot storage lost have been written meanwhile; read the cell again, with them");
    StoreError::precondition(what, why).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_samples_that_are_there_can_be_taken_away() {
        let gap = |range: Range<u64>| Gap::new(range, GapCause::Store);
        let (range, gaps) = (100..200, [gap(120..130), gap(130..140), gap(190..200)]);
        for lost in [0..100, 120..140, 125..135, 190..300, 200..300] {
            assert!(!has_any(&range, &gaps, &[gap(lost.clone())]), "{lost:?}");
        }
        for lost in [0..101, 119..140, 120..141, 150..151, 189..300, 0..300] {
            assert!(has_any(&range, &gaps, &[gap(lost.clone())]), "{lost:?}");
        }
        assert!(!has_any(&range, &gaps, &[]));
    }
}
