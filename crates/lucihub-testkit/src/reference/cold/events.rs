//! Store events.

use async_trait::async_trait;
use lucihub_models_core::cold::ColdEvents;
use lucihub_models_core::{Result, RunId, StoreEvent};

use super::ReferenceCold;
use crate::reference::hot::events::add;

#[async_trait]
impl ColdEvents for ReferenceCold {
    async fn add_events(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        for event in events {
            event.check(&self.limits)?;
        }
        let mut tables = self.tables();
        let Some(row) = tables.runs.get_mut(&run) else { return Ok(false) };
        add(&mut row.events, events);
        Ok(true)
    }

    async fn events(&self, run: RunId) -> Result<Vec<StoreEvent>> {
        Ok(self.tables().runs.get(&run).map(|row| row.events.clone()).unwrap_or_default())
    }
}
