//! The embedded store obeys the law of the ports.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_hot::embedded::{EmbeddedHot, EmbeddedOptions};
use lucihub_models_core::RunId;
use lucihub_models_core::hot::HotStore;
use lucihub_testkit::{HotHarness, ManualClock};

/// A store of its own for each case.
struct Harness {
    hot: Arc<EmbeddedHot>,
    clock: Arc<ManualClock>,
}

/// A new harness.
async fn embedded() -> Arc<dyn HotHarness> {
    let clock = Arc::new(ManualClock::new());
    let hot = Arc::new(EmbeddedHot::new(EmbeddedOptions::default(), clock.clone()));
    Arc::new(Harness { hot, clock })
}

#[async_trait]
impl HotHarness for Harness {
    fn store(&self) -> Arc<dyn HotStore> {
        self.hot.clone()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn lose(&self, run: RunId) -> bool {
        self.hot.forget(run);
        true
    }

    async fn small(&self, max_bytes: u64) -> Option<Arc<dyn HotStore>> {
        // Heads count too, and the suite means lines and samples.
        let options = EmbeddedOptions::default().with_max_bytes(max_bytes + 8 * 1024);
        Some(Arc::new(EmbeddedHot::new(options, self.clock.clone())))
    }
}

lucihub_testkit::hot_conformance!(conformance, embedded());
