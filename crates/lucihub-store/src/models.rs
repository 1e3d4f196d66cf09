//! Which versions of the models are in use, and by whom.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use lucihub_models_core::cold::ModelUse;
use lucihub_models_core::{ModelError, Result, RunId, StoreError};

use crate::store::Store;

/// Runs that are looked at together in hot storage.
const AT_ONCE: usize = 16;

/// Which versions of the models are in use, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelsInUse {
    /// In cold storage, by version and by the program that wrote last.
    pub cold: Vec<ModelUse>,
    /// Runs in hot storage that this library can go on with.
    pub live: u64,
    /// Runs in hot storage whose version is past what this library knows, by that version.
    pub newer: BTreeMap<String, u64>,
}

impl Store {
    /// Looks at every run in both storages, for people who upgrade programs one after the other.
    ///
    /// # Errors
    /// When a storage cannot be read.
    pub async fn models(&self) -> Result<ModelsInUse> {
        const PAGE: usize = 500;
        let mut found = ModelsInUse { cold: self.cold().models().await?, live: 0, newer: BTreeMap::new() };
        let mut place = None;
        loop {
            let page = self.hot().scan(place.as_deref(), PAGE).await?;
            let mut versions = stream::iter(page.runs).map(|run| self.live_version(run)).buffer_unordered(AT_ONCE);
            while let Some(version) = versions.next().await {
                match version? {
                    Live::Known => found.live += 1,
                    Live::Newer(version) => *found.newer.entry(version).or_default() += 1,
                    Live::Gone => {}
                }
            }
            place = page.next;
            if place.is_none() {
                return Ok(found);
            }
        }
    }

    async fn live_version(&self, run: RunId) -> Result<Live> {
        match self.hot().get(run).await {
            Ok(Some(_)) => Ok(Live::Known),
            Ok(None) => Ok(Live::Gone),
            Err(StoreError::Model(ModelError::NewerVersion { found, .. })) => Ok(Live::Newer(found)),
            Err(error) => Err(error),
        }
    }
}

/// A run of a scan of hot storage.
enum Live {
    Known,
    Newer(String),
    /// It has left meanwhile.
    Gone,
}
