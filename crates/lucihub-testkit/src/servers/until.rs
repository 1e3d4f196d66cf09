//! Waiting for a condition, with a limit.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that is a matter of milliseconds on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(10);

/// Asks `ready` again and again until it is `Ok`; after `limit`, returns what it said last.
pub(crate) fn until<T, E: Display>(limit: Duration, mut ready: impl FnMut() -> Result<T, E>) -> Result<T, String> {
    let start = Instant::now();
    loop {
        match ready() {
            Ok(value) => return Ok(value),
            Err(why) if start.elapsed() > limit => return Err(format!("not within {limit:?}: {why}")),
            Err(_) => thread::sleep(PAUSE),
        }
    }
}
