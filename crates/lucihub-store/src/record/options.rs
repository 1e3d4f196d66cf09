//! How a recorder behaves.

use std::time::Duration;

use lucihub_models_core::WriterId;

/// What happens to samples that come while the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFull {
    /// The caller waits.
    #[default]
    Wait,
    /// They become a gap with cause `overflow`: for callers that cannot wait,
    /// such as one that reads datagrams.
    Gap,
}

/// How a recorder behaves. The defaults suit a worker on a device.
///
/// ```
/// use lucihub_store::RecordOptions;
/// use std::time::Duration;
/// let options = RecordOptions::default().with_lease(Duration::from_secs(20));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordOptions {
    /// How long a lease lasts; it is renewed every quarter of it. Default 60 s.
    pub lease: Duration,
    /// Bytes at which a batch is sent. Default 256 KiB.
    pub batch_bytes: usize,
    /// How long content may wait for its batch to fill. Default 20 ms.
    pub batch_age: Duration,
    /// Bytes that may wait to be acknowledged before `on_full` applies. Default 8 MiB.
    pub queue_bytes: usize,
    /// What happens to samples that come while the queue is full. Default: wait.
    pub on_full: OnFull,
    /// Bytes of acknowledged but unconfirmed batches to keep. Default 64 MiB.
    pub replay_bytes: usize,
    /// How long to keep them. Default 60 s.
    pub replay_age: Duration,
    /// Samples per channel that may wait for earlier ones. Default 8,192.
    pub reorder_samples: usize,
    /// The writer id of an earlier life of this worker, to go on without waiting
    /// for its lease to run out. Default: a new one.
    pub writer: Option<WriterId>,
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            batch_bytes: 256 * 1024,
            batch_age: Duration::from_millis(20),
            queue_bytes: 8 * 1024 * 1024,
            on_full: OnFull::Wait,
            replay_bytes: 64 * 1024 * 1024,
            replay_age: Duration::from_secs(60),
            reorder_samples: 8_192,
            writer: None,
        }
    }
}

impl RecordOptions {
    /// Sets how long a lease lasts.
    #[must_use]
    pub const fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets when a batch is sent: at so many bytes, or after so long.
    #[must_use]
    pub const fn with_batch(mut self, bytes: usize, age: Duration) -> Self {
        self.batch_bytes = bytes;
        self.batch_age = age;
        self
    }

    /// Sets how many bytes may wait, and what happens to samples beyond.
    #[must_use]
    pub const fn with_queue(mut self, bytes: usize, on_full: OnFull) -> Self {
        self.queue_bytes = bytes;
        self.on_full = on_full;
        self
    }

    /// Sets how much of what is acknowledged but unconfirmed is kept, and how long.
    #[must_use]
    pub const fn with_replay(mut self, bytes: usize, age: Duration) -> Self {
        self.replay_bytes = bytes;
        self.replay_age = age;
        self
    }

    /// Sets how many samples per channel may wait for earlier ones.
    #[must_use]
    pub const fn with_reorder(mut self, samples: usize) -> Self {
        self.reorder_samples = samples;
        self
    }

    /// Goes on as this writer.
    #[must_use]
    pub const fn with_writer(mut self, writer: WriterId) -> Self {
        self.writer = Some(writer);
        self
    }
}
