//! Samples in hot storage.

use std::ops::Range;

use async_trait::async_trait;

use crate::error::Result;
use crate::id::RunId;
use crate::latest::Series;

/// Reading samples.
#[async_trait]
pub trait HotSamples: Send + Sync {
    /// The samples of one channel in a range of indices, clipped to what is
    /// there: to the base below and to the last whole batch above. If nothing is
    /// left, the series is empty and begins at the clipped start. A channel
    /// without samples yet is empty. `None` if there is no such run.
    ///
    /// The cost is that of the window, whatever the length of the run.
    async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Option<Series>>;
}
