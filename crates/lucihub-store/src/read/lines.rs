//! Reading log lines.

use std::ops::Range;

use lucihub_models_core::hot::LineSlice;
use lucihub_models_core::{Result, RunId, StoreError};

use super::Located;
use crate::observe::reading;
use crate::runs::not_found;
use crate::store::Store;

/// How often a read looks again where hot storage has moved on meanwhile.
pub(super) const LOOKS: usize = 16;

impl Store {
    /// The log lines in a range of numbers, clipped to what there is.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` naming the cell; others when a storage cannot be read.
    pub async fn lines(&self, run: RunId, range: Range<u64>) -> Result<LineSlice> {
        let located = self.locate(run).await?;
        self.lines_at(&located, range).await
    }

    /// The log lines of a run at one position.
    ///
    /// # Errors
    /// As [`lines`](Self::lines).
    pub async fn lines_at(&self, located: &Located, range: Range<u64>) -> Result<LineSlice> {
        reading::range("lines", located, None, &range);
        let end = range.end.min(located.positions().lines);
        let mut slice = LineSlice { first: range.start.min(end), lines: Vec::new() };
        let mut base = located.hot.as_ref().map_or(u64::MAX, |hot| hot.base.lines);
        for _ in 0..LOOKS {
            if slice.end() < base.min(end) {
                self.cold_lines(located, &mut slice, base.min(end)).await?;
            }
            if slice.end() >= end {
                return Ok(slice);
            }
            match self.hot().lines(located.run(), slice.end()..end).await? {
                Some(part) if part.first == slice.end() && !part.lines.is_empty() => slice.lines.extend(part.lines),
                // Trimmed meanwhile: what is missing is in cold storage.
                Some(part) if part.first > slice.end() => base = part.first,
                // It has left hot storage, or was lost there and is not back to where it was.
                Some(_) | None => base = self.gone(located).await?.map_or(0, |at| at.lines),
            }
        }
        Err(moved_on(located))
    }

    async fn cold_lines(&self, located: &Located, slice: &mut LineSlice, end: u64) -> Result<()> {
        const CELLS_AT_ONCE: u64 = 64;
        let grid = located.cold.head.grid;
        let cells = grid.log_cells(&(slice.end()..end));
        let mut at = cells.start;
        while at < cells.end {
            let part = at..cells.end.min(at + CELLS_AT_ONCE);
            for cell in self.cold().log_cells(located.run(), part.clone()).await? {
                let skip = usize::try_from(slice.end().saturating_sub(cell.first)).unwrap_or(usize::MAX);
                let most = usize::try_from(end - slice.end()).unwrap_or(usize::MAX);
                if cell.first > slice.end() {
                    break;
                }
                slice.lines.extend(cell.lines.into_iter().skip(skip).take(most));
            }
            let reached = grid.log_cell(part.end - 1).end.min(end);
            if slice.end() < reached {
                return Err(self.missing(located, &format!("log line {}", slice.end())).await);
            }
            at = part.end;
        }
        Ok(())
    }

    /// What it means that cold storage does not have what it should: the run was
    /// deleted meanwhile, or else is damaged.
    pub(super) async fn missing(&self, located: &Located, what: &str) -> StoreError {
        let run = located.run();
        match self.cold().get(run).await {
            Ok(None) => not_found(run),
            _ => StoreError::corrupt(format!("run {run}"), format!("{what} is not in cold storage")),
        }
    }

    /// Where a run that has left hot storage is now: in the archive, whole.
    pub(super) async fn gone(&self, located: &Located) -> Result<Option<lucihub_models_core::Positions>> {
        let run = located.run();
        let cold = self.cold_run(run).await?.ok_or_else(|| not_found(run))?;
        Ok(cold.positions.covers(located.positions()).then_some(cold.positions))
    }
}

pub(super) fn moved_on(located: &Located) -> StoreError {
    StoreError::unavailable("hot storage", format!("run {} is being put back; try again", located.run()))
}
