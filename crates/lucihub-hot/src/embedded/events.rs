//! Store events of runs.

use async_trait::async_trait;
use lucihub_models_core::hot::HotEvents;
use lucihub_models_core::{Result, RunId, StoreEvent};

use super::live::LiveRun;
use super::{EmbeddedHot, weight};

#[async_trait]
impl HotEvents for EmbeddedHot {
    async fn note(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        // Before the lock, since it reads all of them.
        StoreEvent::check_all(events, &self.options.limits)?;
        let mut visit = self.visit(run);
        let Some(live) = visit.live() else { return Ok(false) };
        if live.note(events) { Ok(true) } else { Err(self.full()) }
    }

    async fn events(&self, run: RunId) -> Result<Option<Vec<StoreEvent>>> {
        let mut visit = self.visit(run);
        Ok(visit.live().map(|live| live.events.clone()))
    }
}

impl LiveRun {
    /// Adds events. `false` if there is no room for them: nothing has changed then.
    fn note(&mut self, events: &[StoreEvent]) -> bool {
        let merged = StoreEvent::merged(self.events.clone(), events.iter().cloned());
        if !self.share.try_set(self.share.bytes() - weight::events(&self.events) + weight::events(&merged)) {
            return false;
        }
        self.events = merged;
        true
    }
}
