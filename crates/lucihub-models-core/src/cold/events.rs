//! What happened to a run, for as long as it is kept.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::RunId;
use crate::store_event::StoreEvent;

/// Store events of runs. They go with their run when that is deleted, and are part of neither its head nor its digest.
#[async_trait]
pub trait ColdEvents: Send + Sync {
    /// Adds events to a run, archived or not.
    ///
    /// - Those that are there stay as they are, so that the same may be added again; of all, those are kept that
    ///   [`StoreEvent::merged`] keeps, also when several add at once.
    /// - `false` if there is no such run: nothing is written then.
    ///
    /// # Errors
    /// `Invalid` for events that [`StoreEvent::check`] refuses; `Corrupt` naming the run, if those that are there cannot be
    /// read.
    async fn add_events(&self, run: RunId, events: &[StoreEvent]) -> Result<bool>;

    /// The events of a run, oldest first; none of an absent run.
    ///
    /// # Errors
    /// `Corrupt` naming the run.
    async fn events(&self, run: RunId) -> Result<Vec<StoreEvent>>;
}
