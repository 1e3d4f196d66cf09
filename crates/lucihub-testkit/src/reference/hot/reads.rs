//! Reading lines and samples, waking readers, and walking all runs.

use std::ops::Range;

use async_trait::async_trait;
use futures_util::StreamExt;
use lucihub_models_core::hot::{
    Health, HotLogs, HotSamples, HotScan, HotWatch, LineSlice, RunWakes, ScannedRuns, Wakes,
};
use lucihub_models_core::{Invalid, Result, RunId, Series};
use tokio_stream::wrappers::BroadcastStream;

use super::ReferenceHot;

#[async_trait]
impl HotLogs for ReferenceHot {
    async fn lines(&self, run: RunId, range: Range<u64>) -> Result<Option<LineSlice>> {
        Ok(self.lock().runs.get(&run).map(|kept| kept.line_range(&range)))
    }
}

#[async_trait]
impl HotSamples for ReferenceHot {
    async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Option<Series>> {
        Ok(self.lock().runs.get(&run).map(|kept| kept.sample_range(channel, &range)))
    }
}

#[async_trait]
impl HotWatch for ReferenceHot {
    fn watch(&self, run: RunId) -> RunWakes {
        // A follower that fell behind is woken too: it may have missed its own.
        let mine = move |changed: &Result<RunId, _>| std::future::ready(!matches!(changed, Ok(other) if *other != run));
        Box::pin(BroadcastStream::new(self.changes.subscribe()).filter(mine).map(|_| ()))
    }

    fn wakes(&self) -> Wakes {
        let heard = |run: Result<RunId, _>| std::future::ready(run.ok());
        Box::pin(BroadcastStream::new(self.attention.subscribe()).filter_map(heard))
    }

    async fn health(&self) -> Result<Health> {
        let engine = "plain maps".to_owned();
        Ok(Health { engine, used_bytes: self.lock().used(), max_bytes: self.max_bytes })
    }
}

#[async_trait]
impl HotScan for ReferenceHot {
    async fn scan(&self, after: Option<&str>, about: usize) -> Result<ScannedRuns> {
        let after: Option<RunId> = after.map(str::parse).transpose().map_err(|_| Invalid::new("place", "no run"))?;
        let mut runs: Vec<RunId> = self.lock().runs.keys().copied().filter(|run| Some(*run) > after).collect();
        runs.sort_unstable();
        let more = runs.len() > about.max(1);
        runs.truncate(about.max(1));
        let next = runs.last().filter(|_| more).map(ToString::to_string);
        Ok(ScannedRuns { runs, next })
    }
}
