//! Log cells in cold storage.

use std::ops::Range;

use async_trait::async_trait;

use crate::cell::LogCell;
use crate::error::Result;
use crate::id::RunId;

/// Reading log cells.
#[async_trait]
pub trait ColdLogs: Send + Sync {
    /// The cells in a range of cell numbers, ascending. Cells that are not there
    /// are left out; of an absent run there are none. The caller bounds the range.
    ///
    /// # Errors
    /// `Corrupt` naming run and cell; other cells stay readable.
    async fn log_cells(&self, run: RunId, cells: Range<u64>) -> Result<Vec<LogCell>>;
}
