//! Walking all runs: they stand in the order of their ids, and a place is the last id of a part.

use std::ops::Bound;

use async_trait::async_trait;
use lucihub_models_core::hot::{HotScan, ScannedRuns};
use lucihub_models_core::{Invalid, Result, RunId};

use crate::Toy;

#[async_trait]
impl HotScan for Toy {
    async fn scan(&self, after: Option<&str>, about: usize) -> Result<ScannedRuns> {
        let after: Option<RunId> = after.map(str::parse).transpose().map_err(|_| Invalid::new("place", "not a run"))?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let runs: Vec<RunId> = self.locked(|state, _| {
            state.runs.range((from, Bound::Unbounded)).take(about.max(1)).map(|(run, _)| *run).collect()
        });
        // After the last part comes one that is empty: it costs a call and needs no second look.
        Ok(ScannedRuns { next: runs.last().map(ToString::to_string), runs })
    }
}
