//! Being woken: the server pushes, and nobody depends on it.
//!
//! One connection listens for all followers of this handle, to one sharded channel per run that is followed; scripts
//! publish to it in the same step as the change. A subscription wakes once when it stands, also when it had to be made
//! anew, so that no change falls between; `listener.rs` keeps it standing. What is pushed while the connection is down
//! is made up for by the followers' own looks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use fred::interfaces::PubsubInterface;
use futures_core::Stream;
use futures_util::StreamExt;
use lucihub_models_core::hot::{Health, HotWatch, RunWakes, Wakes};
use lucihub_models_core::{Result, RunId};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use super::RedisHot;
use super::keys::Keys;
use super::link::{Lane, Link};
use super::listener::{Command, Followed, Followers, Listener};

/// Who listens to what.
#[derive(Debug)]
pub(super) struct Watch {
    followers: Arc<Followers>,
    keepers: broadcast::Sender<RunId>,
    commands: mpsc::UnboundedSender<Command>,
    /// Runs that keepers are to be told of, on their way to the server.
    calls: mpsc::Sender<RunId>,
}

impl Watch {
    /// Begins to listen, in a task that ends with this handle. Keepers miss nothing from when this returns, unless the
    /// server answers everything but this: their walk and the looks of followers meet that.
    pub(super) async fn start(link: &Arc<Link>, keys: &Keys, deadline: Instant) -> Result<Self> {
        let (commands, orders) = mpsc::unbounded_channel();
        let (calls, called) = mpsc::channel(1_024);
        let (followers, keepers) = (Arc::<Followers>::default(), broadcast::Sender::new(1_024));
        let listener = Listener::new(link.clone(), keys.clone(), followers.clone(), keepers.clone())?;
        let (listens, ready) = oneshot::channel();
        link.spawn(listener.run(orders, listens));
        link.spawn(tell_keepers(Arc::downgrade(link), keys.wake(), called));
        let _ = timeout_at(deadline.min(link.deadline()), ready).await;
        Ok(Self { followers, keepers, commands, calls })
    }

    /// Tells keepers of a run. Under load, runs may be left out: keepers also walk.
    pub(super) fn call_keepers(&self, run: RunId) {
        let _ = self.calls.try_send(run);
    }

    fn follow(&self, run: RunId) -> watch::Receiver<u64> {
        let mut runs = self.followers.lock();
        let followed = runs.entry(run).or_insert_with(|| {
            let _ = self.commands.send(Command::Listen(run));
            Followed { count: 0, wakes: watch::Sender::new(0) }
        });
        followed.count += 1;
        followed.wakes.subscribe()
    }
}

async fn tell_keepers(link: std::sync::Weak<Link>, channel: String, mut called: mpsc::Receiver<RunId>) {
    while let Some(run) = called.recv().await {
        let Some(link) = link.upgrade() else { return };
        let client = link.client(Lane::Write);
        let told = client.spublish::<i64, _, _>(channel.as_str(), run.to_string());
        // A wake-up that is lost is made up for by the keepers' walk.
        let _ = timeout(Duration::from_secs(1), told).await;
    }
}

/// A follower's wake-ups. Dropping it stops listening.
struct Following {
    wakes: WatchStream<u64>,
    run: RunId,
    followers: Arc<Followers>,
    commands: mpsc::UnboundedSender<Command>,
}

impl Stream for Following {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.wakes.poll_next_unpin(cx).map(|wake| wake.map(drop))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut runs = self.followers.lock();
        if let Some(followed) = runs.get_mut(&self.run) {
            followed.count -= 1;
            if followed.count == 0 {
                runs.remove(&self.run);
                let _ = self.commands.send(Command::Leave(self.run));
            }
        }
    }
}

#[async_trait]
impl HotWatch for RedisHot {
    fn watch(&self, run: RunId) -> RunWakes {
        let wakes = self.watch.follow(run);
        Box::pin(Following {
            wakes: WatchStream::from_changes(wakes),
            run,
            followers: self.watch.followers.clone(),
            commands: self.watch.commands.clone(),
        })
    }

    fn wakes(&self) -> Wakes {
        Box::pin(BroadcastStream::new(self.watch.keepers.subscribe()).filter_map(|run| async move { run.ok() }))
    }

    async fn health(&self) -> Result<Health> {
        let this = self.clone();
        let health = self.healths.join((), move || async move { super::server::health(&this.link).await });
        self.link.in_time(health).await
    }
}
