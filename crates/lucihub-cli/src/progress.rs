//! How far something is that takes its time.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

/// A bar on standard error that comes after a second, on a terminal alone.
#[derive(Debug)]
pub(crate) struct Progress {
    begun: Instant,
    expected: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn of(expected: u64) -> Self {
        Self { begun: Instant::now(), expected, bar: None }
    }

    /// So many are done.
    pub(crate) fn at(&mut self, done: u64) {
        const QUIET: Duration = Duration::from_secs(1);
        if self.bar.is_none() && self.begun.elapsed() >= QUIET {
            self.bar = Some(ProgressBar::new(self.expected));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// Prints something above the bar.
    pub(crate) fn above<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
