//! A clock that moves when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use lucihub_models_core::{Clock, Timestamp};

/// A clock that stands still until a test moves it.
///
/// ```
/// use std::time::Duration;
/// use lucihub_models_core::Clock;
/// use lucihub_testkit::ManualClock;
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().since(before), Duration::from_secs(60));
/// ```
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Microseconds from 1970 to 2026-01-05T08:00:00Z, where every clock begins.
    const START: i64 = 1_767_600_000_000_000;

    /// A clock at 2026-01-05T08:00:00Z.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicI64::new(Self::START))
    }

    /// A clock at a given time.
    #[must_use]
    pub const fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_micros()))
    }

    /// Moves it forward; at the last possible time it stays there.
    pub fn advance(&self, by: Duration) {
        let later = |micros| Some(at(micros).after(by).as_micros());
        // The closure always gives a value, so the update always happens.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
    }

    /// Sets it, also back: clocks of real machines do that.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }
}

/// Only times in range are ever stored.
fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap_or(Timestamp::MAX)
}
