//! Hot storage in the memory of one process.
//!
//! For a laboratory that fits one process, for demonstrations, and for tests and
//! simulations: it takes its clock as a parameter and draws no random numbers,
//! so the same calls give the same answers. What it holds ends with the process.
//!
//! | file | what is there |
//! | --- | --- |
//! | `runs.rs`, `append.rs`, `logs.rs`, `samples.rs`, `attachments.rs`, `events.rs`, `devices.rs`, `watch.rs`, `scan.rs` | the ports, under core's file names |
//! | `live.rs`, `restore.rs` | a run as it is held, and how a lost one comes back |
//! | `shelf.rs`, `agenda.rs` | where runs stand, and when sealed ones and tombstones leave |
//! | `room.rs`, `weight.rs` | bytes in use, and what each thing counts |
//!
//! # Invariants
//!
//! - A lock is held for one step of one call, never across an await; samples and
//!   lines are shared by `Arc`, and copied into answers after the lock is gone.
//! - The locks of a shard come before the lock of the agenda; no others nest.
//! - Bytes are reserved before anything is written, and given back by dropping
//!   the thing that holds them, so the count cannot drift.
//! - Only sealed runs, tombstones and device leases ever end by the clock.

mod agenda;
mod append;
mod attachments;
mod devices;
mod events;
mod live;
mod logs;
mod options;
mod restore;
mod room;
mod runs;
mod samples;
mod scan;
mod shelf;
mod watch;
mod weight;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lucihub_models_core::{Clock, RunId, StoreError};

pub use options::EmbeddedOptions;

use devices::ActiveList;
use room::Room;
use shelf::Shelf;
use watch::Bells;

/// Hot storage in memory, shared by all threads of one process.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use lucihub_hot::embedded::{EmbeddedHot, EmbeddedOptions};
/// use lucihub_models_core::hot::{HotRuns, Opened};
/// use lucihub_models_core::{JobType, RunHead, SystemClock, Timestamp};
///
/// let hot = EmbeddedHot::new(EmbeddedOptions::default().with_max_bytes(64 << 20), Arc::new(SystemClock));
/// let head = RunHead::queued("0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse()?, JobType::Run, Timestamp::EPOCH);
/// assert_eq!(hot.open(&head).await?, Opened::Created);
/// assert_eq!(hot.open(&head).await?, Opened::Existing);
/// # Ok(())
/// # }
/// ```
pub struct EmbeddedHot {
    options: EmbeddedOptions,
    clock: Arc<dyn Clock>,
    room: Arc<Room>,
    shelf: Shelf,
    devices: ActiveList,
    bells: Arc<Bells>,
}

impl EmbeddedHot {
    /// An empty store.
    #[must_use]
    pub fn new(options: EmbeddedOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            room: Room::new(options.max_bytes),
            shelf: Shelf::default(),
            devices: ActiveList::default(),
            bells: Arc::default(),
            options,
            clock,
        }
    }

    /// Loses a run, as a server does that starts again without its files: the
    /// run or its tombstone is gone and nothing remembers it. Followers wake, as
    /// their connections would break. `false` if nothing was there.
    ///
    /// For tests of what must survive such a loss.
    pub fn forget(&self, run: RunId) -> bool {
        let lost = self.visit(run).take();
        self.bells.ring(run);
        lost.is_some()
    }

    /// Loses everything, devices included, as [`forget`](Self::forget) does.
    pub fn forget_all(&self) {
        for run in self.shelf.ids() {
            self.forget(run);
        }
        self.devices.clear();
    }

    /// What the caller is told when there is no room.
    fn full(&self) -> StoreError {
        let (used, max) = (self.room.used(), self.room.max());
        StoreError::Full {
            store: "embedded hot storage".to_owned(),
            why: format!("{used} of {max} bytes are in use; let the keeper archive and trim, or raise max_bytes"),
        }
    }
}

impl fmt::Debug for EmbeddedHot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedHot").field("options", &self.options).field("room", &self.room).finish_non_exhaustive()
    }
}

/// Locks a mutex. No code of ours panics while it holds one, so what a poisoned
/// one guards is whole; a foreign panic must not take every other run with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
