//! What a recorder tells of its run beside what it records, for people who ask later.
//!
//! Nothing waits for a note: they are sent one call at a time while the sender waits for something else, and again after a
//! while where that failed. All that this recorder told is remembered, since hot storage that loses the run loses it too.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lucihub_models_core::{Result, RunId, StoreError, StoreEvent, StoreEventKind, Timestamp};
use tokio::time::{Instant, timeout};

use crate::observe::telling;
use crate::store::Store;
use crate::wait::sleep_until;

/// The pause before notes are sent again that found no room or no answer.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the last notes are tried after the recording has ended.
const LAST: Duration = Duration::from_secs(5);

type Sent = BoxFuture<'static, (Vec<StoreEvent>, Result<bool, StoreError>)>;

/// The events of one recorder.
pub(crate) struct Notes {
    store: Store,
    run: RunId,
    worker: String,
    told: Vec<StoreEvent>,
    /// What hot storage does not have yet.
    waiting: Vec<StoreEvent>,
    sent: Option<Sent>,
    again_at: Option<Instant>,
    /// Since when hot storage has not answered.
    pub(crate) silent: Option<Since>,
    /// Since when it has had no room.
    pub(crate) full: Option<Since>,
    /// When the lease runs out, by the store's clock, where that is known.
    pub(crate) lease_until: Option<Timestamp>,
}

/// When something began: as a time for people, and by no clock, since clocks jump.
pub(crate) type Since = (Timestamp, Instant);

impl Notes {
    pub(crate) fn new(store: Store, run: RunId, worker: String) -> Self {
        Self {
            store,
            run,
            worker,
            told: Vec::new(),
            waiting: Vec::new(),
            sent: None,
            again_at: None,
            silent: None,
            full: None,
            lease_until: None,
        }
    }

    /// Now, as both are told.
    pub(crate) fn since_now(&self) -> Since {
        (self.store.now(), Instant::now())
    }

    /// Tells something that happened now.
    pub(crate) fn tell(&mut self, kind: StoreEventKind, details: &str) {
        self.tell_of(self.store.now(), kind, details);
    }

    /// Tells something that happened then.
    pub(crate) fn tell_of(&mut self, at: Timestamp, kind: StoreEventKind, details: &str) {
        let event = StoreEvent::new(self.store.ids().event_id(), at, kind).by(&self.worker).text(details);
        self.told = StoreEvent::merged(std::mem::take(&mut self.told), [event.clone()]);
        self.wait([event]);
    }

    /// Hot storage has lost all that it was told.
    pub(crate) fn tell_all_again(&mut self) {
        let told = self.told.clone();
        self.wait(told);
    }

    fn wait(&mut self, events: impl IntoIterator<Item = StoreEvent>) {
        self.waiting = StoreEvent::merged(std::mem::take(&mut self.waiting), events);
    }

    /// Sends what waits, for as long as it is polled. It never ends, and may be dropped at any time.
    pub(super) async fn send(&mut self) {
        while self.step().await {}
        std::future::pending::<()>().await;
    }

    /// Sends the last ones.
    pub(super) async fn send_last(&mut self) {
        self.again_at = None;
        // Nobody waits for them, and there may be no storage any more.
        let _ = timeout(LAST, async { while self.step().await {} }).await;
    }

    /// One call. `false` if nothing is left.
    async fn step(&mut self) -> bool {
        if let Some(sent) = &mut self.sent {
            let (events, answer) = sent.await;
            self.sent = None;
            if let Err(error) = answer {
                telling::not_noted(self.run, &error);
                if error.is_transient() {
                    self.wait(events);
                    self.again_at = Some(Instant::now() + AGAIN);
                }
            }
            return true;
        }
        if self.waiting.is_empty() {
            return false;
        }
        if self.again_at.is_some() {
            sleep_until(self.again_at).await;
            self.again_at = None;
        }
        let (hot, run, events) = (self.store.hot().clone(), self.run, std::mem::take(&mut self.waiting));
        self.sent = Some(Box::pin(async move {
            let answer = hot.note(run, &events).await;
            (events, answer)
        }));
        true
    }
}
