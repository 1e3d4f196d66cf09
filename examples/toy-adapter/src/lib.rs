//! A toy adapter of the hot ports: everything behind one lock, to prove the recipe in `lucihub-models-core`.
//!
//! | file | what is there |
//! | --- | --- |
//! | `lib.rs` | [`Toy`]: the lock, the clock, and what has run out |
//! | `run.rs` | one run: a `HotRun` as core describes it, with its lines and pieces of samples |
//! | `runs.rs`, `append.rs`, `logs.rs`, `samples.rs`, `attachments.rs`, `events.rs`, `devices.rs`, `watch.rs`, `scan.rs` | the ports, named as in core |
//!
//! It forgets everything when it is dropped. For use, take `lucihub-hot`.

mod append;
mod attachments;
mod devices;
mod events;
mod logs;
mod run;
mod runs;
mod samples;
mod scan;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use lucihub_models_core::hot::ActiveDevice;
use lucihub_models_core::{Clock, DeviceId, Limits, RunId, Timestamp};
use tokio::sync::broadcast;

use self::run::Run;

/// Hot storage in one process, behind one lock.
///
/// ```
/// use std::sync::Arc;
/// use lucihub_models_core::hot::HotStore;
/// use lucihub_models_core::{Limits, SystemClock};
/// use toy_adapter::Toy;
/// let store: Arc<dyn HotStore> = Arc::new(Toy::new(Arc::new(SystemClock), Limits::default(), None));
/// ```
pub struct Toy {
    clock: Arc<dyn Clock>,
    limits: Limits,
    max_bytes: Option<u64>,
    state: Mutex<State>,
    changes: broadcast::Sender<RunId>,
    wakes: broadcast::Sender<RunId>,
}

impl fmt::Debug for Toy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Toy").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// All that is behind the lock.
#[derive(Default)]
struct State {
    runs: BTreeMap<RunId, Run>,
    /// Deleted runs, and until when they are refused.
    tombstones: BTreeMap<RunId, Timestamp>,
    devices: BTreeMap<DeviceId, ActiveDevice>,
}

impl State {
    /// Bytes of lines, samples and attachments in all runs.
    fn used_bytes(&self) -> u64 {
        self.runs.values().map(|run| run.bytes).sum()
    }

    /// Leases of runs end by comparison; all else that ends leaves here.
    fn drop_ended(&mut self, now: Timestamp) {
        let lives = |until: &Option<Timestamp>| until.is_none_or(|until| until > now);
        self.runs.retain(|_, run| lives(&run.expires));
        self.tombstones.retain(|_, until| *until > now);
        self.devices.retain(|_, device| lives(&device.until));
    }
}

impl Toy {
    /// How many wake-ups wait for a follower before the oldest are merged.
    const WAKES: usize = 64;

    /// An empty store. `max_bytes` bounds lines and samples; `None` does not.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, limits: Limits, max_bytes: Option<u64>) -> Self {
        Self {
            clock,
            limits,
            max_bytes,
            state: Mutex::default(),
            changes: broadcast::Sender::new(Self::WAKES),
            wakes: broadcast::Sender::new(Self::WAKES),
        }
    }

    /// Forgets a run, tombstone included, as a server does that restarts empty.
    pub fn forget(&self, run: RunId) {
        self.locked(|state, _| {
            state.runs.remove(&run);
            state.tombstones.remove(&run);
        });
    }

    /// The time is read under the lock, so that it never runs backwards between two changes.
    fn locked<T>(&self, act: impl FnOnce(&mut State, Timestamp) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        state.drop_ended(now);
        act(&mut state, now)
    }
}
