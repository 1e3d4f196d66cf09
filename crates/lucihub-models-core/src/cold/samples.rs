//! Sample cells in cold storage.

use std::ops::Range;

use async_trait::async_trait;

use crate::cell::{CellSummary, SampleCell};
use crate::error::Result;
use crate::id::RunId;
use crate::latest::Series;

/// Reading sample cells.
#[async_trait]
pub trait ColdSamples: Send + Sync {
    /// The cells of one channel in a range of cell numbers, ascending. Cells
    /// that are not there are left out; of an absent run there are none. The
    /// caller bounds the range.
    ///
    /// # Errors
    /// `Corrupt` naming run, channel and cell; other cells stay readable.
    async fn sample_cells(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<SampleCell>>;

    /// The samples of the same cells as one series: from the first cell of the range, as far as they follow each other.
    /// `None` if the first one is not there.
    ///
    /// # Errors
    /// As [`sample_cells`](Self::sample_cells).
    async fn series(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Option<Series>>;

    /// The summaries of the same cells: one small read, no decoding of samples.
    ///
    /// # Errors
    /// `Corrupt` naming run, channel and cell.
    async fn summaries(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<CellSummary>>;
}
