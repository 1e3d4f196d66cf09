//! Being woken: the server pushes, and nobody depends on it.
//!
//! One connection listens for all followers of this handle, to one sharded channel per run that is followed; scripts
//! publish to it in the same step as the change. A subscription wakes once when it stands, and every follower is woken
//! after each reconnect, so that no change falls between. What is pushed while the connection is down is made up for by
//! the followers' own looks.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use fred::clients::Client;
use fred::interfaces::{EventInterface, PubsubInterface};
use fred::types::Message;
use futures_core::Stream;
use futures_util::StreamExt;
use lucihub_models_core::hot::{Health, HotWatch, RunWakes, Wakes};
use lucihub_models_core::{Result, RunId};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use super::RedisHot;
use super::keys::Keys;
use super::link::{Lane, Link, close};

/// Who listens to what.
#[derive(Debug)]
pub(super) struct Watch {
    followers: Arc<Followers>,
    keepers: broadcast::Sender<RunId>,
    commands: mpsc::UnboundedSender<Command>,
    /// Runs that keepers are to be told of, on their way to the server.
    calls: mpsc::Sender<RunId>,
}

#[derive(Debug, Default)]
struct Followers {
    runs: Mutex<HashMap<RunId, Followed>>,
}

#[derive(Debug)]
struct Followed {
    count: usize,
    /// Counts wake-ups: a slow follower finds one.
    wakes: watch::Sender<u64>,
}

#[derive(Debug)]
enum Command {
    Listen(RunId),
    Leave(RunId),
}

impl Followers {
    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, Followed>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, run: RunId) {
        if let Some(followed) = self.lock().get(&run) {
            followed.wakes.send_modify(|count| *count += 1);
        }
    }

    fn wake_all(&self) {
        for followed in self.lock().values() {
            followed.wakes.send_modify(|count| *count += 1);
        }
    }
}

impl Watch {
    /// Begins to listen, in a task that ends with this handle. Keepers miss nothing from when this returns.
    pub(super) async fn start(link: &Arc<Link>, keys: &Keys) -> Result<Self> {
        let (commands, orders) = mpsc::unbounded_channel();
        let (calls, called) = mpsc::channel(1_024);
        let (followers, keepers) = (Arc::<Followers>::default(), broadcast::Sender::new(1_024));
        let listener = Listener {
            client: link.another()?,
            link: link.clone(),
            keys: keys.clone(),
            followers: followers.clone(),
            keepers: keepers.clone(),
        };
        let (listens, ready) = oneshot::channel();
        tokio::spawn(listener.run(orders, listens));
        tokio::spawn(tell_keepers(Arc::downgrade(link), keys.wake(), called));
        // A server that answers everything but this is met by the walk of keepers and the looks of followers.
        let _ = timeout(link.timeout(), ready).await;
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

/// The connection that listens.
struct Listener {
    client: Client,
    link: Arc<Link>,
    keys: Keys,
    followers: Arc<Followers>,
    keepers: broadcast::Sender<RunId>,
}

impl Listener {
    /// How often the connection is tried, whether or not something comes.
    const PULSE: Duration = Duration::from_secs(5);

    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Command>, listens: oneshot::Sender<()>) {
        let mut listens = Some(listens);
        let mut pulse = interval(Self::PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (mut messages, mut reconnects) = (self.client.message_rx(), self.client.reconnect_rx());
            // Whatever was pushed before is lost, so everyone looks.
            self.listen_to_all().await;
            listens.take().map(|listens| listens.send(()));
            let broken = loop {
                tokio::select! {
                    order = orders.recv() => match order {
                        None => break false,
                        Some(Command::Listen(run)) => self.listen(run).await,
                        Some(Command::Leave(run)) => self.leave(run).await,
                    },
                    message = messages.recv() => match message {
                        Ok(message) => self.heard(&message),
                        Err(broadcast::error::RecvError::Lagged(_)) => self.followers.wake_all(),
                        Err(broadcast::error::RecvError::Closed) => break true,
                    },
                    Ok(_) = reconnects.recv() => self.listen_to_all().await,
                    _ = pulse.tick() => if !self.subscribe(self.keys.pulse()).await { break true },
                }
            };
            let old = if broken {
                match self.link.another() {
                    Ok(client) => std::mem::replace(&mut self.client, client),
                    Err(_) => continue,
                }
            } else {
                close(self.client);
                return;
            };
            close(old);
        }
    }

    async fn listen_to_all(&self) {
        self.subscribe(self.keys.wake()).await;
        let runs: Vec<RunId> = self.followers.lock().keys().copied().collect();
        for run in runs {
            self.subscribe(self.keys.run(run).wake()).await;
        }
        self.followers.wake_all();
    }

    async fn listen(&self, run: RunId) {
        // It may have been left again meanwhile.
        if self.followers.lock().contains_key(&run) {
            self.subscribe(self.keys.run(run).wake()).await;
            self.followers.wake(run);
        }
    }

    async fn leave(&self, run: RunId) {
        // It may be followed again meanwhile.
        if !self.followers.lock().contains_key(&run) {
            let channel = self.keys.run(run).wake();
            let _ = timeout(self.link.timeout(), self.client.sunsubscribe(channel)).await;
        }
    }

    /// `false` if no answer came. A refusal (a slot moves, a server loads) is one: the next pulse tries again.
    async fn subscribe(&self, channel: String) -> bool {
        let deadline = Instant::now() + self.link.timeout();
        tokio::time::timeout_at(deadline, self.client.ssubscribe(channel)).await.is_ok()
    }

    fn heard(&self, message: &Message) {
        let channel = &*message.channel;
        if channel == self.keys.wake() {
            let run = message.value.as_str().and_then(|run| run.parse().ok());
            if let Some(run) = run {
                let _ = self.keepers.send(run);
            }
        } else if let Some(run) = self.keys.run_of_wake(channel) {
            self.followers.wake(run);
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
        self.healths.join((), move || async move { super::server::health(&this.link).await }).await
    }
}
