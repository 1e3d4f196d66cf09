//! Cells of a run that hot storage still has.

use std::ops::Range;

use lucihub_models_core::hot::HotRun;
use lucihub_models_core::{LogCell, Result, SampleCell};

use super::cells::{Cell, CellKey};
use crate::store::Store;

/// A cell as hot storage has it. `None` if it has not all of it any more.
pub(crate) async fn cell_in_hot(store: &Store, hot: &HotRun, key: CellKey, range: &Range<u64>) -> Result<Option<Cell>> {
    let run = hot.head.id;
    Ok(match key {
        CellKey::Lines(cell) => {
            if hot.base.lines > range.start || hot.next.lines < range.end {
                return Ok(None);
            }
            let slice = store.hot().lines(run, range.clone()).await?;
            slice
                .filter(|slice| slice.first == range.start && slice.lines.len() as u64 == range.end - range.start)
                .map(|slice| Cell::Lines(LogCell { cell, first: slice.first, lines: slice.lines }))
        }
        CellKey::Samples { channel, cell } => {
            if hot.base.sample(channel) > range.start || hot.next.sample(channel) < range.end {
                return Ok(None);
            }
            let series = store.hot().window(run, channel, range.clone()).await?;
            series
                .filter(|series| (series.first..series.end) == *range)
                .map(|series| Cell::Samples(SampleCell { channel, cell, series }))
        }
    })
}
