//! Waiting until what was pushed is where it shall be.

use std::time::Duration;

use lucihub_models_core::hot::{Durability, Secured};
use tokio::time::{Instant, sleep};

use super::error::RecordError;
use super::recorder::Recorder;

impl Recorder {
    /// Waits until all that was pushed is in hot storage. Samples that wait for
    /// earlier ones go on waiting: only [`finish`](Self::finish) gives those up.
    ///
    /// # Errors
    /// `Failed` when recording cannot go on.
    pub async fn flush(&self) -> Result<(), RecordError> {
        let target = {
            let mut p = self.shared.lock();
            p.close_open();
            p.closed
        };
        self.shared.work.notify_one();
        self.wait_until(|p| p.acknowledged >= target).await
    }

    /// Waits until all that was pushed is in hot storage and as safe there as
    /// asked: on so many replicas, or on the disk of the server. Should the store
    /// lose it meanwhile, it is sent again.
    ///
    /// ```no_run
    /// # async fn f(recorder: &lucihub_store::Recorder) -> Result<(), lucihub_store::RecordError> {
    /// use lucihub_models_core::hot::Durability;
    /// recorder.log("calibrated").await?;
    /// recorder.flush_as(Durability::Replicated(1)).await?; // survives a failover now
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Store` with `Precondition` for a level that this hot storage cannot give,
    /// and with `Unavailable` if it did not come about within the time of a
    /// lease; all is in hot storage then. `Failed` when recording cannot go on; with
    /// `Closed` after [`finish`](Self::finish), if the store does not have the end
    /// any more: it lost it, or the run was archived and has left.
    pub async fn flush_as(&self, durability: Durability) -> Result<(), RecordError> {
        const PAUSE: Duration = Duration::from_millis(50);
        let deadline = Instant::now() + self.options.lease;
        self.flush().await?;
        loop {
            let seq = self.shared.lock().acknowledged_seq;
            match self.store.hot().secure(self.run, self.mark, seq, durability).await {
                Ok(Secured::Secured) => return Ok(()),
                Ok(Secured::Missing) => {
                    // The answer to a batch without content tells the sender what the store lost.
                    self.shared.lock().close_empty();
                    self.flush().await?;
                }
                Err(error) if error.is_transient() && Instant::now() < deadline => sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
