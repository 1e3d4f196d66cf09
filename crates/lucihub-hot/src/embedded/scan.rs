//! All runs, shard by shard.

use async_trait::async_trait;
use lucihub_models_core::hot::{HotScan, ScannedRuns};
use lucihub_models_core::{Invalid, Result};

use super::EmbeddedHot;
use super::shelf::SHARDS;

#[async_trait]
impl HotScan for EmbeddedHot {
    async fn scan(&self, after: Option<&str>, about: usize) -> Result<ScannedRuns> {
        let first = match after {
            None => 0,
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| Invalid::new("place of a scan", format!("{text:?}")).hint("use the one a part gave"))?,
        };
        self.sweep();
        let mut part = ScannedRuns::default();
        for shard in first..SHARDS {
            if part.runs.len() >= about.max(1) {
                part.next = Some(shard.to_string());
                break;
            }
            part.runs.extend(self.shelf.runs_of(shard, self.clock.now()));
        }
        Ok(part)
    }
}
