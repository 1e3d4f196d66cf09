//! What happened to a run, while hot storage has it.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::RunId;
use crate::store_event::StoreEvent;

/// Store events of runs: for people, and best effort. They live and go with the run: what removes it, expires it or loses
/// it does the same to them, and a restored run has none, until its writer notes its own again.
#[async_trait]
pub trait HotEvents: Send + Sync {
    /// Adds events to a run, whatever its state: a sealed run takes them too, and whoever has seen something may note it,
    /// writer or not. They are no change of the run, and wake nobody.
    ///
    /// - Those that are there stay as they are, so that the same may be noted again; of all, those are kept that
    ///   [`StoreEvent::merged`] keeps.
    /// - `false` if hot storage does not have the run, or it was deleted: nothing is written then, and nothing is made that
    ///   would outlive it.
    /// - No append ever waits for a note, or fails by one.
    ///
    /// # Errors
    /// `Invalid` for events that [`StoreEvent::check`] refuses. `Full` where the store has no room: nothing was written,
    /// and the caller may drop them.
    async fn note(&self, run: RunId, events: &[StoreEvent]) -> Result<bool>;

    /// The events of a run, oldest first. `None` if hot storage does not have the run.
    ///
    /// # Errors
    /// `Corrupt` naming the run.
    async fn events(&self, run: RunId) -> Result<Option<Vec<StoreEvent>>>;
}
