//! What an adapter's author gives the suite: a store, and power over its world.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::HotStore;
use lucihub_models_core::{Limits, RunId};

/// A hot store under test. The expression that the suite is given makes a new
/// one for each case.
#[async_trait]
pub trait HotHarness: Send + Sync {
    /// The store. Every call gives the same one.
    fn store(&self) -> Arc<dyn HotStore>;

    /// Moves the store's clock forward: leases, tombstones and expiries that end
    /// within that time have ended when this returns. No case waits for real time.
    async fn advance(&self, by: Duration);

    /// Makes the store forget a run, as a server does that restarts without its
    /// data: no tombstone stays. `false` if this adapter cannot; cases about
    /// lost runs then check nothing.
    async fn lose(&self, run: RunId) -> bool;

    /// Another, empty store of the same kind with room for about this many bytes
    /// of lines and samples; `None` if this adapter has no such limit of its own,
    /// and cases about full stores then check nothing.
    async fn small(&self, max_bytes: u64) -> Option<Arc<dyn HotStore>>;

    /// The limits that the store was made with.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// A number mixed into every id of a case. Harnesses that share one server
    /// give different ones, so that their runs and devices do not meet.
    fn seed(&self) -> u64 {
        0
    }
}
