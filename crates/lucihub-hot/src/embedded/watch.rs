//! Waking followers and keepers.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::StreamExt;
use lucihub_models_core::hot::{Health, HotWatch, RunWakes, Wakes};
use lucihub_models_core::{Result, RunId};
use tokio::sync::{broadcast, watch};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use super::shelf::{SHARDS, shard_of};
use super::{EmbeddedHot, lock};

/// Wake-ups that a slow keeper may be behind by; older ones are left out.
const KEEPER_BACKLOG: usize = 1024;

/// The bells of one shard.
type Shard = HashMap<RunId, watch::Sender<()>>;

/// One bell per followed run, whether or not the run exists. The streams hold
/// them weakly, so they end with the store.
pub(super) struct Bells {
    runs: Box<[Mutex<Shard>]>,
    keepers: broadcast::Sender<RunId>,
}

impl Default for Bells {
    fn default() -> Self {
        Self { runs: (0..SHARDS).map(|_| Mutex::default()).collect(), keepers: broadcast::Sender::new(KEEPER_BACKLOG) }
    }
}

impl Bells {
    /// Wakes the followers of a run. Call it after the change can be read.
    pub(super) fn ring(&self, run: RunId) {
        if let Some(bell) = lock(&self.runs[shard_of(run)]).get(&run) {
            bell.send_replace(());
        }
    }

    /// Wakes the followers of a run, and the keepers.
    pub(super) fn ring_keepers(&self, run: RunId) {
        self.ring(run);
        // An error says that no keeper listens, which is no fault.
        let _ = self.keepers.send(run);
    }

    fn follow(self: &Arc<Self>, run: RunId) -> Following {
        let wakes = lock(&self.runs[shard_of(run)]).entry(run).or_default().subscribe();
        Following { run, bells: Arc::downgrade(self), wakes: Some(WatchStream::from_changes(wakes)) }
    }

    /// Takes the bell away that nobody listens to any more.
    fn leave(&self, run: RunId) {
        let mut bells = lock(&self.runs[shard_of(run)]);
        if bells.get(&run).is_some_and(watch::Sender::is_closed) {
            bells.remove(&run);
        }
    }
}

impl fmt::Debug for Bells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bells").field("keepers", &self.keepers.receiver_count()).finish_non_exhaustive()
    }
}

/// The wake-ups of one follower.
struct Following {
    run: RunId,
    bells: Weak<Bells>,
    wakes: Option<WatchStream<()>>,
}

impl Stream for Following {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        self.wakes.as_mut().map_or(Poll::Ready(None), |wakes| Pin::new(wakes).poll_next(context))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // First, so that the bell can tell that it has no listener.
        self.wakes = None;
        if let Some(bells) = self.bells.upgrade() {
            bells.leave(self.run);
        }
    }
}

#[async_trait]
impl HotWatch for EmbeddedHot {
    fn watch(&self, run: RunId) -> RunWakes {
        Box::pin(self.bells.follow(run))
    }

    fn wakes(&self) -> Wakes {
        let all = BroadcastStream::new(self.bells.keepers.subscribe());
        Box::pin(all.filter_map(|wake| std::future::ready(wake.ok())))
    }

    async fn health(&self) -> Result<Health> {
        self.sweep();
        self.devices.sweep(self.clock.now());
        let engine = "the memory of this process".to_owned();
        Ok(Health { engine, used_bytes: self.room.used(), max_bytes: Some(self.room.max()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bells_leave_with_their_last_follower() {
        let bells = Arc::new(Bells::default());
        let run: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
        let hung = |bells: &Bells| lock(&bells.runs[shard_of(run)]).len();
        let (a, b) = (bells.follow(run), bells.follow(run));
        drop(a);
        assert_eq!(hung(&bells), 1);
        drop(b);
        assert_eq!(hung(&bells), 0);
    }
}
