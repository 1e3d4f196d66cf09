//! What the suite needs of an adapter's author: a store, its clock, and how it loses a run.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::HotStore;
use lucihub_models_core::{Limits, RunId};
use lucihub_testkit::{HotHarness, ManualClock};
use toy_adapter::Toy;

struct Harness {
    clock: Arc<ManualClock>,
    toy: Arc<Toy>,
}

#[async_trait]
impl HotHarness for Harness {
    fn store(&self) -> Arc<dyn HotStore> {
        self.toy.clone()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn lose(&self, run: RunId) -> bool {
        self.toy.forget(run);
        true
    }

    async fn small(&self, max_bytes: u64) -> Option<Arc<dyn HotStore>> {
        Some(Arc::new(Toy::new(self.clock.clone(), Limits::default(), Some(max_bytes))))
    }
}

/// A new store, for each case.
pub(crate) async fn harness() -> Arc<dyn HotHarness> {
    let clock = Arc::new(ManualClock::new());
    let toy = Arc::new(Toy::new(clock.clone(), Limits::default(), None));
    Arc::new(Harness { clock, toy })
}
