//! Being woken: every change goes to everyone, and each follower picks its run's.

use async_trait::async_trait;
use lucihub_models_core::hot::{Health, HotWatch, RunWakes, Wakes};
use lucihub_models_core::{Result, RunId};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

use crate::Toy;

#[async_trait]
impl HotWatch for Toy {
    fn watch(&self, run: RunId) -> RunWakes {
        // Who fell behind may have missed its run, so that wakes too: too often is allowed, never is not.
        let own = move |changed: Result<RunId, _>| (changed.unwrap_or(run) == run).then_some(());
        Box::pin(BroadcastStream::new(self.changes.subscribe()).filter_map(own))
    }

    fn wakes(&self) -> Wakes {
        Box::pin(BroadcastStream::new(self.wakes.subscribe()).filter_map(Result::ok))
    }

    async fn health(&self) -> Result<Health> {
        let used_bytes = self.locked(|state, _| state.used_bytes());
        Ok(Health { engine: "toy".to_owned(), used_bytes, max_bytes: self.max_bytes })
    }
}

impl Toy {
    /// After a change. Nobody listening is no error.
    pub(crate) fn wake_followers(&self, run: RunId) {
        let _ = self.changes.send(run);
    }

    /// After a change that keepers care about, which also wakes followers.
    pub(crate) fn wake_keepers(&self, run: RunId) {
        let _ = self.wakes.send(run);
        self.wake_followers(run);
    }
}
