//! Store events: a list in their run, which core merges.

use async_trait::async_trait;
use lucihub_models_core::hot::HotEvents;
use lucihub_models_core::{Result, RunId, StoreEvent};

use crate::Toy;

#[async_trait]
impl HotEvents for Toy {
    async fn note(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        StoreEvent::check_all(events, &self.limits)?;
        Ok(self.locked(|state, _| {
            let Some(run) = state.runs.get_mut(&run) else { return false };
            run.events = StoreEvent::merged(std::mem::take(&mut run.events), events.iter().cloned());
            true
        }))
    }

    async fn events(&self, run: RunId) -> Result<Option<Vec<StoreEvent>>> {
        Ok(self.locked(|state, _| state.runs.get(&run).map(|run| run.events.clone())))
    }
}
