//! The clock of one machine: simulated time, and how far it is off.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use lucihub_models_core::{Clock, Timestamp};
use tokio::time::Instant;

/// Microseconds from 1970 to 2026-01-05T08:00:00Z, where every history begins.
const START: i64 = 1_767_600_000_000_000;

/// A clock that goes with the runtime's paused time.
#[derive(Debug)]
pub(crate) struct SimClock {
    begun: Instant,
    skew: AtomicI64,
}

impl SimClock {
    /// A clock that is right.
    pub(crate) const fn new(begun: Instant) -> Self {
        Self { begun, skew: AtomicI64::new(0) }
    }

    /// Jumps, forward or back, by seconds.
    pub(crate) fn jump(&self, seconds: i64) {
        self.skew.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// How long the history has lasted, whatever the clock shows.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let lasted = i64::try_from(self.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(START + lasted + self.skew.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
    }
}
