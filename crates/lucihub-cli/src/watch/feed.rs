//! What comes of a run: its events, and how it stands.

use std::time::Duration;

use lucihub_models_core::{Cursor, Positions, RunId, StoreError, Timestamp};
use lucihub_store::{Event, RunStatus, Select, Source, Store};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::outage;

/// How often it asks how the run stands.
const LOOK: Duration = Duration::from_millis(250);
/// Buckets of all channels together that the screen keeps: 48 bytes each.
const BUCKETS: u64 = 200_000;

/// Something to show.
#[derive(Debug)]
pub(super) enum News {
    Event(Event),
    Look(Box<Look>),
    /// A storage that cannot be reached, and why.
    Away(String),
    Failed(Failure),
}

/// How the run stands.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) status: RunStatus,
    /// Below this, all is safe in cold storage; unknown if hot storage does not say.
    pub(super) confirmed: Option<Positions>,
    pub(super) now: Timestamp,
}

/// The tasks that follow and ask; they end with this.
#[derive(Debug)]
pub(super) struct Feed {
    news: mpsc::Receiver<News>,
    _tasks: JoinSet<()>,
}

impl Feed {
    /// Begins to follow from the beginning of the run.
    pub(super) fn start(store: &Store, run: RunId, server: Option<String>, first: &RunStatus) -> Self {
        let (send, news) = mpsc::channel(256);
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(store.clone(), run, server, most(first), send.clone()));
        tasks.spawn(ask(store.clone(), run, send));
        Self { news, _tasks: tasks }
    }

    /// Waits for what is next.
    pub(super) async fn next(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }
}

/// The most buckets of a channel.
fn most(status: &RunStatus) -> u64 {
    (BUCKETS / (status.head.channels.len() as u64).max(1)).clamp(1_024, 16_384)
}

/// Lines and buckets: states and phases stand in the head.
fn select(width: u64) -> Select {
    let mut select = Select::default().with_buckets(width);
    (select.states, select.phases) = (false, false);
    select
}

/// Follows the run in buckets that grow with it.
async fn follow(store: Store, run: RunId, server: Option<String>, most: u64, send: mpsc::Sender<News>) {
    let mut width = 1;
    let mut follower = store.follow(run, select(width));
    loop {
        let news = match outage::next(&mut follower, server.as_deref()).await {
            Ok(Some(Event::Rewound(to))) => {
                // A bucket cannot forget a part of itself: all of them come again.
                let again = Positions { samples: Vec::new(), ..to.clone() };
                follower = store.follow_from(Cursor::new(run, again), select(width));
                News::Event(Event::Rewound(to))
            }
            Ok(Some(event)) => News::Event(event),
            Ok(None) => return,
            Err(why @ StoreError::Unavailable { .. }) => {
                tokio::time::sleep(LOOK).await;
                News::Away(why.to_string())
            }
            Err(why) => News::Failed(why.into()),
        };
        if send.send(news).await.is_err() {
            return;
        }
        let reached = follower.cursor().at.samples.iter().copied().max().unwrap_or(0);
        let wanted = reached.div_ceil(most).next_power_of_two();
        if wanted > width {
            width = wanted;
            follower = store.follow_from(follower.cursor().clone(), select(width));
        }
    }
}

/// Asks again and again how the run stands, until it has ended and is archived.
async fn ask(store: Store, run: RunId, send: mpsc::Sender<News>) {
    loop {
        let news = match store.status(run).await {
            Ok(status) => {
                let confirmed = match status.source {
                    Source::Live => store.hot().get(run).await.ok().flatten().map(|hot| hot.confirmed),
                    _ => None,
                };
                News::Look(Box::new(Look { status, confirmed, now: store.now() }))
            }
            Err(why @ (StoreError::Unavailable { .. } | StoreError::Unknown { .. })) => News::Away(why.to_string()),
            Err(why) => News::Failed(why.into()),
        };
        if send.send(news).await.is_err() {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}
