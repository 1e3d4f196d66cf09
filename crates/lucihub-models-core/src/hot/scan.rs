//! Walking all runs of hot storage, for maintenance alone.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::RunId;

/// A part of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScannedRuns {
    /// Runs that were there, in no order. A part may be empty.
    pub runs: Vec<RunId>,
    /// Where the next part begins, in the store's own words; `None` after the last one.
    pub next: Option<String>,
}

/// Finding runs that nobody asks for by their id.
///
/// Keepers and readers never scan: there is no list of runs that could disagree with the runs themselves. This is for
/// sweeping, which looks for what the rest has lost sight of.
#[async_trait]
pub trait HotScan: Send + Sync {
    /// A part of all runs: the first one, or the one after another part.
    ///
    /// - A run that is there from the first part to the last is in one of them, unless servers of a cluster change
    ///   places meanwhile. One that comes or leaves meanwhile may be in none.
    /// - A run may be in several parts, or twice in one, and may have left since: ask [`get`](super::HotRuns::get).
    /// - Deleted runs are in none; runs of other key prefixes neither.
    /// - `about` bounds the cost of a part. A part may have more runs than that, or fewer, and still not be the last.
    ///
    /// # Errors
    /// `Invalid` for a place that this store did not give.
    async fn scan(&self, after: Option<&str>, about: usize) -> Result<ScannedRuns>;
}
