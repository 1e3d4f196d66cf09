//! A client of both storages: a process of its own, with a clock, a way to the stores, and an end.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lucihub_models_core::{Result, RunId, StoreError};
use lucihub_store::Store;
use lucihub_testkit::{Dice, SeededIds};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::clock::SimClock;
use super::cold::SimCold;
use super::hot::SimHot;
use super::world::World;

/// Which storage is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Hot,
    Cold,
}

/// What a call would change: a lost answer leaves a writer in doubt, and a reader with nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
}

/// A process. Once it is dead none of its calls comes back, so nothing of it goes on.
pub(crate) struct Client {
    pub(crate) no: u16,
    pub(crate) world: Arc<World>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) dice: Dice,
    /// The call at which it is killed, unless faults have stopped by then.
    ends: u64,
    calls: AtomicU64,
    dead: AtomicBool,
    died: Notify,
}

impl Client {
    /// Starts a process that is killed at a call.
    pub(crate) fn start(world: &Arc<World>, name: String, ends: u64) -> Arc<Self> {
        let no = world.enter(name);
        Arc::new(Self {
            no,
            world: world.clone(),
            clock: world.clock_of(no),
            dice: Dice::new(world.plan.seed ^ (u64::from(no) << 48)),
            ends,
            calls: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            died: Notify::new(),
        })
    }

    /// Its handle on both storages.
    pub(crate) fn store(self: &Arc<Self>) -> Store {
        let (hot, cold) = (Arc::new(SimHot::new(self.clone())), Arc::new(SimCold::new(self.clone())));
        let ids = Arc::new(SeededIds::new(self.dice.roll()));
        Store::builder(hot, cold).clock(self.clock.clone()).ids(ids).build()
    }

    /// Lives until the work is done, or the client is killed: `None`.
    pub(crate) async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.died.notified() => None,
            done = work => Some(done),
        }
    }

    /// Ends it, here and now.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_one();
    }

    /// A pause of up to so many milliseconds.
    pub(crate) async fn pause(&self, most: u64) {
        sleep(Duration::from_millis(1 + self.dice.below(most))).await;
    }

    /// Calls a store: slowly, in vain, without an answer, or well.
    pub(crate) async fn call<T: Send>(
        &self,
        (side, kind, name): (Side, Kind, &'static str),
        run: Option<RunId>,
        operation: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let weather = &self.world.weather;
        let fate = weather.draw(&self.dice);
        let killed = number >= self.ends && !weather.is_calm();
        if killed && self.dice.one_in(2) {
            self.kill();
        }
        self.travel(fate.there).await;
        if fate.fails || weather.is_cut(side, self.no) {
            self.world.step(self.no, name, run, "cut", number);
            weather.count(if fate.fails { "failed" } else { "down" });
            self.travel(fate.back).await;
            return Err(StoreError::unavailable(name, "the simulation cut it"));
        }
        let result = operation.await;
        self.world.step(self.no, name, run, word(&result), number);
        if killed {
            self.kill();
        }
        self.travel(fate.back).await;
        if !fate.loses && !weather.is_cut(side, self.no) {
            return result;
        }
        weather.count("lost_answer");
        self.world.step(self.no, name, run, "answer lost", number);
        Err(match kind {
            Kind::Read => StoreError::unavailable(name, "the simulation lost the answer"),
            Kind::Write => StoreError::Unknown { store: name.into(), why: "the simulation lost the answer".into() },
        })
    }

    /// One way between client and store, which a client that is stopped does not go on with.
    async fn travel(&self, millis: u64) {
        if millis > 0 {
            sleep(Duration::from_millis(millis)).await;
        }
        while let Some(rest) = self.world.weather.stopped_for(self.no) {
            sleep(rest).await;
        }
        if self.dead.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

fn word<T>(result: &Result<T>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(StoreError::NotFound { .. }) => "not found",
        Err(StoreError::Precondition { .. }) => "precondition",
        Err(StoreError::Full { .. }) => "full",
        Err(_) => "error",
    }
}
