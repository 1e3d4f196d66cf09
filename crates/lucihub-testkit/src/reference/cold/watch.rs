//! How the store is.

use async_trait::async_trait;
use lucihub_models_core::cold::{ColdHealth, ColdWatch, ModelUse};
use lucihub_models_core::{Result, WriteAs};

use super::{ReferenceCold, Row};

#[async_trait]
impl ColdWatch for ReferenceCold {
    async fn health(&self) -> Result<ColdHealth> {
        let tables = self.tables();
        let rows = tables.by_creation();
        let pending: Vec<&Row> = rows.into_iter().filter(|row| !row.released).take(ColdHealth::MOST).collect();
        let ended = pending.iter().filter(|row| row.archived.is_none() && row.head.state().is_terminal());
        Ok(ColdHealth {
            engine: "plain maps".to_owned(),
            schema: None,
            bytes: None,
            pending: pending.len() as u64,
            oldest_ended: ended.filter_map(|row| row.head.states.last()).map(|end| end.at).min(),
        })
    }
    async fn models(&self) -> Result<Vec<ModelUse>> {
        let tables = self.tables();
        let writes = WriteAs::default();
        let last = tables.runs.values().map(|row| row.mirrored_at).max();
        let known = last.map(|last| ModelUse {
            version: writes.version().to_string(),
            written_by: Some(writes.name().to_owned()),
            runs: tables.runs.len() as u64,
            last: Some(last),
        });
        Ok(known.into_iter().collect())
    }
}
