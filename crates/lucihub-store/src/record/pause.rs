//! The pause between two attempts.

use std::time::Duration;

/// A growing pause between attempts: 1 ms, doubling to a quarter of a second.
#[derive(Debug, Default)]
pub(super) struct Pause {
    attempts: u32,
}

impl Pause {
    pub(super) const fn reset(&mut self) {
        self.attempts = 0;
    }

    /// How many attempts have failed in a row.
    pub(super) const fn attempts(&self) -> u32 {
        self.attempts
    }

    pub(super) async fn wait(&mut self) {
        let pause = Duration::from_millis(1 << self.attempts.min(8));
        self.attempts = self.attempts.saturating_add(1);
        tokio::time::sleep(pause).await;
    }
}
