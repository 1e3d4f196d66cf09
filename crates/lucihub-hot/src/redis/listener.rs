//! The connection that listens, and keeps its subscriptions standing.
//!
//! A server ends subscriptions without a word that reaches us: when a slot moves, or when it is no master any more. So
//! every channel is subscribed to again with each pulse, which costs nothing where it stands already. A refusal says
//! that the servers have changed places: then no subscription is sure any more, and whoever listens is woken once it
//! is made anew.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fred::interfaces::{EventInterface, PubsubInterface};
use fred::types::Message;
use futures_util::{StreamExt, stream};
use lucihub_models_core::{Result, RunId};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::client::Owned;
use super::error::Fault;
use super::keys::Keys;
use super::link::Link;

/// The runs that are followed.
#[derive(Debug, Default)]
pub(super) struct Followers {
    runs: Mutex<HashMap<RunId, Followed>>,
}

/// Those who follow one run.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) count: usize,
    /// Counts wake-ups: a slow follower finds one.
    pub(super) wakes: watch::Sender<u64>,
}

/// What the listener is to do.
#[derive(Debug)]
pub(super) enum Command {
    Listen(RunId),
    Leave(RunId),
}

impl Followers {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<RunId, Followed>> {
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

/// What became of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subscribed {
    Stands,
    /// Not for the moment: a slot moves, a server loads.
    Refused,
    /// No answer came.
    Silent,
}

/// Why listening on one client ended.
enum Ended {
    /// Nobody listens any more.
    Left,
    /// The client only times out.
    Broken,
}

/// The connection that listens.
pub(super) struct Listener {
    client: Owned,
    link: Arc<Link>,
    keys: Keys,
    followers: Arc<Followers>,
    keepers: broadcast::Sender<RunId>,
    /// Channels that are surely listened to on this client.
    standing: HashSet<String>,
    /// When all are subscribed to again.
    next: Instant,
    /// How long after a refusal that is.
    pause: Duration,
}

impl Listener {
    /// How often the connection is tried, whether or not something comes.
    const PULSE: Duration = Duration::from_secs(5);
    /// How soon after a refusal, at first.
    const SOON: Duration = Duration::from_millis(50);
    /// Subscriptions that are under way at a time: the client sends one after the other, and each has its timeout.
    const AT_ONCE: usize = 32;

    pub(super) fn new(
        link: Arc<Link>,
        keys: Keys,
        followers: Arc<Followers>,
        keepers: broadcast::Sender<RunId>,
    ) -> Result<Self> {
        let client = link.another()?;
        let next = Instant::now();
        Ok(Self { client, link, keys, followers, keepers, standing: HashSet::new(), next, pause: Self::SOON })
    }

    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Command>, listens: oneshot::Sender<()>) {
        let mut listens = Some(listens);
        while let Ended::Broken = self.hear(&mut orders, &mut listens).await {
            if let Ok(client) = self.link.another() {
                self.client = client;
            }
            sleep(Self::SOON).await;
        }
    }

    async fn hear(
        &mut self,
        orders: &mut mpsc::UnboundedReceiver<Command>,
        listens: &mut Option<oneshot::Sender<()>>,
    ) -> Ended {
        let (mut messages, mut reconnects) = (self.client.message_rx(), self.client.reconnect_rx());
        self.standing.clear();
        self.next = Instant::now();
        loop {
            let answered = tokio::select! {
                order = orders.recv() => match order {
                    None => return Ended::Left,
                    Some(Command::Listen(run)) => self.listen(run).await,
                    Some(Command::Leave(run)) => self.leave(run).await,
                },
                message = messages.recv() => match message {
                    Ok(message) => {
                        self.heard(&message);
                        true
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.followers.wake_all();
                        true
                    }
                    Err(broadcast::error::RecvError::Closed) => false,
                },
                Ok(_) = reconnects.recv() => {
                    self.standing.clear();
                    self.renew().await
                }
                () = sleep_until(self.next) => {
                    let answered = self.renew().await;
                    listens.take().map(|listens| listens.send(()));
                    answered
                }
            };
            if orders.is_closed() && orders.is_empty() {
                return Ended::Left;
            }
            if !answered {
                return Ended::Broken;
            }
        }
    }

    /// Subscribes to everything, and wakes whom that is new to. `false` if no answer came.
    async fn renew(&mut self) -> bool {
        let mut runs: HashMap<String, RunId> = HashMap::new();
        runs.extend(self.followers.lock().keys().map(|run| (self.keys.run(*run).wake(), *run)));
        let channels: Vec<String> =
            [self.keys.pulse(), self.keys.wake()].into_iter().chain(runs.keys().cloned()).collect();
        let this = &*self;
        let answers: Vec<(String, Subscribed)> = stream::iter(channels)
            .map(|channel| async move { (channel.clone(), this.subscribe(channel).await) })
            .buffer_unordered(Self::AT_ONCE)
            .collect()
            .await;
        let refused = answers.iter().any(|(_, subscribed)| *subscribed != Subscribed::Stands);
        if refused {
            self.standing.clear();
        }
        for (channel, _) in answers.iter().filter(|(_, subscribed)| *subscribed == Subscribed::Stands) {
            if !self.standing.contains(channel)
                && let Some(run) = runs.get(channel)
            {
                self.followers.wake(*run);
            }
        }
        if refused {
            self.again_soon();
        } else {
            self.standing = answers.iter().map(|(channel, _)| channel.clone()).collect();
            (self.pause, self.next) = (Self::SOON, Instant::now() + Self::PULSE);
        }
        answers.iter().all(|(_, subscribed)| *subscribed != Subscribed::Silent)
    }

    fn again_soon(&mut self) {
        self.next = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(Self::PULSE);
    }

    async fn listen(&mut self, run: RunId) -> bool {
        // It may have been left again meanwhile.
        if !self.followers.lock().contains_key(&run) {
            return true;
        }
        let channel = self.keys.run(run).wake();
        match self.subscribe(channel.clone()).await {
            Subscribed::Stands => {
                self.standing.insert(channel);
                self.followers.wake(run);
                true
            }
            Subscribed::Refused => {
                self.standing.clear();
                self.again_soon();
                true
            }
            Subscribed::Silent => false,
        }
    }

    async fn leave(&mut self, run: RunId) -> bool {
        // It may be followed again meanwhile.
        if self.followers.lock().contains_key(&run) {
            return true;
        }
        let channel = self.keys.run(run).wake();
        self.standing.remove(&channel);
        if let Ok(Err(error)) = timeout(self.link.timeout(), self.client.sunsubscribe(channel)).await
            && matches!(Fault::of(&error), Fault::Later(_))
        {
            self.standing.clear();
            self.again_soon();
        }
        true
    }

    async fn subscribe(&self, channel: String) -> Subscribed {
        match timeout(self.link.timeout(), self.client.ssubscribe(channel)).await {
            Ok(Ok(())) => Subscribed::Stands,
            Ok(Err(error)) => match Fault::of(&error) {
                Fault::Lost(_) | Fault::Unsent(_) => Subscribed::Silent,
                _ => Subscribed::Refused,
            },
            Err(_) => Subscribed::Silent,
        }
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
