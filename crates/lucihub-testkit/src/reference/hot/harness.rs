//! The harness of the reference store, with a clock by hand.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::HotStore;
use lucihub_models_core::{Limits, RunId};

use super::ReferenceHot;
use crate::clock::ManualClock;
use crate::faults::{FaultPlan, FaultyHot};
use crate::harness::HotHarness;

struct ReferenceHarness {
    clock: Arc<ManualClock>,
    reference: Arc<ReferenceHot>,
    store: Arc<dyn HotStore>,
}

/// A harness around a new, empty reference store.
pub async fn harness() -> Arc<dyn HotHarness> {
    let clock = Arc::new(ManualClock::new());
    let reference = Arc::new(ReferenceHot::new(Arc::clone(&clock) as _, Limits::default()));
    Arc::new(ReferenceHarness { clock, store: Arc::clone(&reference) as _, reference })
}

/// The same, with a fault wrapper around the store.
pub async fn faulty_harness(plan: FaultPlan) -> Arc<dyn HotHarness> {
    let clock = Arc::new(ManualClock::new());
    let reference = Arc::new(ReferenceHot::new(Arc::clone(&clock) as _, Limits::default()));
    let store = Arc::new(FaultyHot::new(Arc::clone(&reference), plan));
    Arc::new(ReferenceHarness { clock, store, reference })
}

#[async_trait]
impl HotHarness for ReferenceHarness {
    fn store(&self) -> Arc<dyn HotStore> {
        Arc::clone(&self.store)
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn lose(&self, run: RunId) -> bool {
        self.reference.lose(run)
    }

    async fn small(&self, max_bytes: u64) -> Option<Arc<dyn HotStore>> {
        let small = ReferenceHot::new(Arc::clone(&self.clock) as _, Limits::default());
        Some(Arc::new(small.with_max_bytes(max_bytes)))
    }
}
