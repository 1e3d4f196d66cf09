//! A hot store of plain maps behind one mutex.
//!
//! It is written from the ports' doc comments alone and shares no code with the
//! real adapters: not even [`Plan`](lucihub_models_core::Plan). So it is an
//! oracle: where it and an adapter differ, one of them breaks the law.

mod append;
mod attachments;
mod check;
mod devices;
pub(crate) mod events;
mod harness;
mod reads;
mod run;
mod runs;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lucihub_models_core::hot::{ActiveDevice, Seal};
use lucihub_models_core::{Clock, DeviceId, Limits, RunId, Timestamp};
use tokio::sync::broadcast;

pub use harness::{faulty_harness, harness};
use run::Kept;

/// A hot store of plain maps: naive, slow, and right.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use lucihub_models_core::{Limits, hot::{HotRuns, Opened}};
/// use lucihub_testkit::{ManualClock, models::run_head, reference::hot::ReferenceHot};
/// let store = ReferenceHot::new(Arc::new(ManualClock::new()), Limits::default());
/// assert_eq!(store.open(&run_head(1)).await.unwrap(), Opened::Created);
/// assert_eq!(store.open(&run_head(1)).await.unwrap(), Opened::Existing);
/// # });
/// ```
pub struct ReferenceHot {
    clock: Arc<dyn Clock>,
    limits: Limits,
    max_bytes: Option<u64>,
    inner: Mutex<Inner>,
    changes: broadcast::Sender<RunId>,
    attention: broadcast::Sender<RunId>,
}

#[derive(Default)]
struct Inner {
    runs: HashMap<RunId, Kept>,
    tombstones: HashMap<RunId, Timestamp>,
    devices: BTreeMap<DeviceId, ActiveDevice>,
}

impl ReferenceHot {
    /// How many wake-ups may wait before a slow follower gets one for many.
    const WAKES: usize = 1_024;

    /// An empty store without a limit on its bytes.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, limits: Limits) -> Self {
        Self {
            clock,
            limits,
            max_bytes: None,
            inner: Mutex::default(),
            changes: broadcast::channel(Self::WAKES).0,
            attention: broadcast::channel(Self::WAKES).0,
        }
    }

    /// Limits its bytes, as [`Batch::size`](lucihub_models_core::Batch::size) counts lines and samples.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Forgets a run without a trace, as a server does that restarts empty.
    /// `false` if there was none.
    pub fn lose(&self, run: RunId) -> bool {
        self.lock().runs.remove(&run).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What is expired is gone before anyone looks.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        inner.runs.retain(|_, kept| kept.expires.is_none_or(|at| at > now));
        inner.tombstones.retain(|_, until| *until > now);
        inner.devices.retain(|_, device| device.until.is_none_or(|until| until > now));
        inner
    }

    /// Wakes followers. Nobody listening is no error.
    fn changed(&self, run: RunId) {
        let _listeners = self.changes.send(run);
    }

    /// Wakes followers and keepers.
    fn needs_attention(&self, run: RunId) {
        self.changed(run);
        let _listeners = self.attention.send(run);
    }
}

impl Inner {
    /// Why an absent run stays away, if it was deleted.
    fn tombstone(&self, run: RunId) -> Option<Seal> {
        self.tombstones.contains_key(&run).then_some(Seal::Deleted)
    }

    fn used(&self) -> u64 {
        self.runs.values().map(Kept::bytes).sum()
    }
}

impl fmt::Debug for ReferenceHot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceHot").field("limits", &self.limits).finish_non_exhaustive()
    }
}
