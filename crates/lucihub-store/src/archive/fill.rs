//! How full hot storage is, not asked for anew by each look at a run.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lucihub_models_core::Result;
use lucihub_models_core::hot::HotStore;
use tokio::time::Instant;

/// How long an answer counts. A walk asks anew in any case.
const FRESH: Duration = Duration::from_millis(100);

/// The share of hot storage in use, and when that was asked for.
#[derive(Debug, Default)]
pub(super) struct Fill(Mutex<Option<(Instant, f64)>>);

impl Fill {
    /// The share, 0 to 1.
    pub(super) async fn get(&self, hot: &dyn HotStore) -> Result<f64> {
        let known = *self.lock();
        if let Some((_, fill)) = known.filter(|(asked, _)| asked.elapsed() < FRESH) {
            return Ok(fill);
        }
        let fill = hot.health().await?.fill();
        *self.lock() = Some((Instant::now(), fill));
        Ok(fill)
    }

    /// Asks anew the next time.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    /// A panic while it was held leaves it usable: it is one value.
    fn lock(&self) -> MutexGuard<'_, Option<(Instant, f64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
