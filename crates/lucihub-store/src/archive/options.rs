//! How a keeper behaves.

use std::time::Duration;

/// How a keeper behaves.
///
/// ```
/// use lucihub_store::KeeperOptions;
/// use std::time::Duration;
/// let options = KeeperOptions::default().with_grace(Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeeperOptions {
    /// The time between two walks, should a wake-up be lost. Default 1 s.
    pub walk: Duration,
    /// How long samples and lines of a live run may be unconfirmed: a walk writes
    /// a checkpoint unless the next one is soon enough. Default 2 s.
    pub checkpoint_age: Duration,
    /// Bytes of unconfirmed samples and lines at which a checkpoint is written
    /// earlier. Default 8 MiB.
    pub checkpoint_bytes: u64,
    /// Bytes of cells that one transaction writes; as many are read meanwhile, and up to eight cells more, of the log one.
    /// Default 4 MiB.
    pub transaction_bytes: u64,
    /// Bytes that growing cells, encoded ahead of their checkpoint, may take in memory. What does not find room is encoded
    /// with its checkpoint; parts that are under way may go past it. 0 switches it off. Default 32 MiB: the samples of a
    /// channel take some 50 KiB as an ADC reads them, and 448 KiB at most, and each gap a few bytes more.
    pub ahead_bytes: u64,
    /// How long confirmed samples and lines stay in hot storage while the run is
    /// live. Default 60 s.
    pub trim_age: Duration,
    /// The share of hot storage in use, 0 to 1, at which confirmed content
    /// leaves at once. Default 0.5.
    pub trim_fill: f64,
    /// How long an archived run stays in hot storage. Default 1 h.
    pub grace: Duration,
    /// How long a keeper has seen a lease run out, with hot storage answering all
    /// the while, before its worker counts as dead: a worker that could not reach
    /// hot storage either needs the time to renew it. Default 10 s.
    pub patience: Duration,
    /// How long a run that hot storage has lost waits for its writer to put it
    /// back. Default 60 s: one lease.
    pub lost_patience: Duration,
    /// Runs attended to at once, by a walk and for wake-ups each. Default 4.
    pub at_once: usize,
}

impl Default for KeeperOptions {
    fn default() -> Self {
        Self {
            walk: Duration::from_secs(1),
            checkpoint_age: Duration::from_secs(2),
            checkpoint_bytes: 8 * 1024 * 1024,
            transaction_bytes: 4 * 1024 * 1024,
            ahead_bytes: 32 * 1024 * 1024,
            trim_age: Duration::from_secs(60),
            trim_fill: 0.5,
            grace: Duration::from_secs(3600),
            patience: Duration::from_secs(10),
            lost_patience: Duration::from_secs(60),
            at_once: 4,
        }
    }
}

impl KeeperOptions {
    /// Sets when checkpoints are written: after so long, or at so many bytes.
    #[must_use]
    pub const fn with_checkpoint(mut self, age: Duration, bytes: u64) -> Self {
        self.checkpoint_age = age;
        self.checkpoint_bytes = bytes;
        self
    }

    /// Sets the bytes of cells that one transaction writes.
    #[must_use]
    pub const fn with_transaction_bytes(mut self, bytes: u64) -> Self {
        self.transaction_bytes = bytes;
        self
    }

    /// Sets the bytes that growing cells may take in memory.
    #[must_use]
    pub const fn with_ahead_bytes(mut self, bytes: u64) -> Self {
        self.ahead_bytes = bytes;
        self
    }

    /// Sets how long confirmed content of a live run stays in hot storage.
    #[must_use]
    pub const fn with_trim_age(mut self, age: Duration) -> Self {
        self.trim_age = age;
        self
    }

    /// Sets how long an archived run stays in hot storage.
    #[must_use]
    pub const fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets the time between two walks.
    #[must_use]
    pub const fn with_walk(mut self, walk: Duration) -> Self {
        self.walk = walk;
        self
    }

    /// Sets how long a worker whose lease has run out is waited for.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets how long a lost run waits for its writer.
    #[must_use]
    pub const fn with_lost_patience(mut self, patience: Duration) -> Self {
        self.lost_patience = patience;
        self
    }
}
