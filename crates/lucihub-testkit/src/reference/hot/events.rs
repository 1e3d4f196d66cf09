//! Store events.

use std::collections::BTreeMap;

use async_trait::async_trait;
use lucihub_models_core::hot::HotEvents;
use lucihub_models_core::{Result, RunId, StoreError, StoreEvent};

use super::ReferenceHot;

#[async_trait]
impl HotEvents for ReferenceHot {
    async fn note(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        for event in events {
            event.check(&self.limits)?;
        }
        let mut inner = self.lock();
        let used = inner.used();
        let Some(kept) = inner.runs.get_mut(&run) else { return Ok(false) };
        let bytes: usize = events.iter().map(|event| event.to_json().len()).sum();
        if self.max_bytes.is_some_and(|max| used + bytes as u64 > max) {
            return Err(StoreError::Full { store: "the reference store".into(), why: "no room".into() });
        }
        add(&mut kept.events, events);
        Ok(true)
    }

    async fn events(&self, run: RunId) -> Result<Option<Vec<StoreEvent>>> {
        Ok(self.lock().runs.get(&run).map(|kept| kept.events.clone()))
    }
}

/// The rule of what is kept, written again from its description.
pub(crate) fn add(kept: &mut Vec<StoreEvent>, events: &[StoreEvent]) {
    let mut all = BTreeMap::new();
    let mut known = std::collections::BTreeSet::new();
    for event in kept.drain(..).chain(events.iter().cloned()) {
        if known.insert(event.id) {
            all.insert((event.at, event.id), event);
        }
    }
    while all.len() > 200 {
        all.pop_first();
    }
    kept.extend(all.into_values());
}
