//! Waiting for replicas and disk.
//!
//! `WAIT` and `WAITAOF` speak of what their own connection wrote. So a connection of its own, which names itself, first
//! writes a little to the run, which also tells whether the run still has the batch; then waits; then asks for its
//! name. Replication and file are ordered: who has the little write has all that was applied before. A connection that
//! was made anew in between has lost the name, and nothing is confirmed.
//!
//! All who ask for the same level before a wait is sent share it: one *wave*. A wave runs by itself, so whoever stops
//! waiting holds up nobody; and everyone has an answer, or none, when the time of a call is up.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fred::interfaces::ClientLike;
use fred::types::{ClusterHash, CustomCommand, Key, Value};
use lucihub_models_core::hot::{Durability, Secured};
use lucihub_models_core::{Result, StoreError, WriterMark};
use tokio::sync::oneshot;
use tokio::time::timeout_at;

use super::client::Owned;
use super::error::Fault;
use super::keys::RunKeys;
use super::link::{Lane, Link};
use super::snapshot::mark_text;

/// How long one wait lasts at most: who wants more asks again.
const PATIENCE: Duration = Duration::from_secs(1);
/// Runs of one wave at most: each is a short script.
const MOST: usize = 256;

/// What can share a wait: so many replicas, or the disk; and in a cluster the server.
type Level = (Option<u32>, String);

/// Those who wait for replicas or disk.
pub(super) struct Securing {
    link: Arc<Link>,
    /// Who waits for the next wave of each level that has one under way.
    waiting: Arc<Mutex<HashMap<Level, VecDeque<Ask>>>>,
    /// Connections that no wave uses now.
    idle: Arc<Mutex<Vec<Owned>>>,
}

/// Who asks about a batch of a run.
struct Ask {
    keys: Vec<Key>,
    args: Vec<Value>,
    tell: oneshot::Sender<Result<Secured>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Securing {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link, waiting: Arc::default(), idle: Arc::default() }
    }

    /// The law of [`HotAppend::secure`](lucihub_models_core::hot::HotAppend::secure).
    pub(super) async fn secure(
        &self,
        keys: &RunKeys,
        mark: WriterMark,
        seq: u64,
        durability: Durability,
    ) -> Result<Secured> {
        let keys = keys.fixed(0);
        let (write, replicas) = match durability {
            Durability::Applied => (false, None),
            Durability::Replicated(replicas) => (true, Some(replicas)),
            _ => (true, None),
        };
        let mut args = super::args();
        args.extend([mark_text(mark).into(), seq.to_string().into(), if write { "1" } else { "0" }.into()]);
        if !write {
            let mut reply = self.link.call(Lane::Write, &self.link.scripts.secure, keys, args).await?;
            return match &*reply.text()? {
                "has" => Ok(Secured::Secured),
                "missing" => Ok(Secured::Missing),
                other => Err(reply.bad(format!("{other:?}"))),
            };
        }
        let deadline = self.link.deadline();
        let level = (replicas, self.link.home(keys.first()));
        let (tell, told) = oneshot::channel();
        self.ask(level, Ask { keys, args, tell });
        match timeout_at(deadline, told).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(StoreError::unavailable(self.link.server(), "no answer in time")),
        }
    }

    /// Joins the next wave of a level, and begins one if none is under way.
    fn ask(&self, level: Level, ask: Ask) {
        let mut waiting = lock(&self.waiting);
        if let Some(next) = waiting.get_mut(&level) {
            next.push_back(ask);
            return;
        }
        waiting.insert(level.clone(), VecDeque::from([ask]));
        drop(waiting);
        let waves = Waves {
            link: self.link.clone(),
            waiting: self.waiting.clone(),
            idle: self.idle.clone(),
            level,
            over: false,
        };
        self.link.spawn(waves.run());
    }
}

/// The waves of one level, one after the other.
struct Waves {
    link: Arc<Link>,
    waiting: Arc<Mutex<HashMap<Level, VecDeque<Ask>>>>,
    idle: Arc<Mutex<Vec<Owned>>>,
    level: Level,
    /// Whether it is off the list.
    over: bool,
}

impl Drop for Waves {
    fn drop(&mut self) {
        // After a panic: the next who asks begins anew.
        if !self.over {
            lock(&self.waiting).remove(&self.level);
        }
    }
}

impl Waves {
    async fn run(mut self) {
        while let Some(asks) = self.next() {
            // A call's time: nobody in the wave waits longer.
            let deadline = self.link.deadline();
            let client = lock(&self.idle).pop();
            let client = match client.map_or_else(|| self.link.another(), Ok) {
                Ok(client) => client,
                Err(error) => {
                    let why = error.to_string();
                    asks.into_iter().for_each(|ask| drop(ask.tell.send(Err(self.doubt(why.clone())))));
                    continue;
                }
            };
            // One that does not answer is not used again.
            if timeout_at(deadline, self.wave(&client, asks)).await.is_ok() {
                lock(&self.idle).push(client);
            }
        }
    }

    /// Who goes with the next wave. Nobody: then the level is off the list, in the same step.
    fn next(&mut self) -> Option<Vec<Ask>> {
        let list = self.waiting.clone();
        let mut waiting = lock(&list);
        let asks = waiting.get_mut(&self.level)?;
        // Whoever has given up needs no answer.
        asks.retain(|ask| !ask.tell.is_closed());
        let wave: Vec<Ask> = asks.drain(..asks.len().min(MOST)).collect();
        if wave.is_empty() {
            waiting.remove(&self.level);
            self.over = true;
            return None;
        }
        Some(wave)
    }

    /// Writes a little to each run, waits, and tells everyone.
    async fn wave(&self, client: &Owned, asks: Vec<Ask>) {
        let Some(slot) = asks.first().and_then(|ask| ask.keys.first()).map(Key::cluster_hash) else { return };
        let name = self.link.nonce();
        let mut written = Vec::new();
        let named = self.name(client, slot, &name).await;
        for mut ask in asks {
            let wrote = match &named {
                Ok(()) => self.write(client, slot, &mut ask).await,
                Err(why) => Err(self.doubt(why.clone())),
            };
            match wrote {
                Ok(true) => written.push(ask.tell),
                Ok(false) => drop(ask.tell.send(Ok(Secured::Missing))),
                Err(error) => drop(ask.tell.send(Err(error))),
            }
        }
        if written.is_empty() {
            return;
        }
        // One error for all of them: errors are no copies of each other.
        let answer = self.wait(client, slot, &name).await;
        for tell in written {
            let _ = tell.send(match &answer {
                Ok(()) => Ok(Secured::Secured),
                Err(StoreError::Precondition { why, .. }) => {
                    Err(StoreError::precondition(self.link.server(), why.clone()))
                }
                Err(StoreError::Unavailable { why, .. }) => Err(self.doubt(why.clone())),
                Err(error) => Err(self.doubt(error.to_string())),
            });
        }
    }

    async fn name(&self, client: &Owned, slot: u16, name: &str) -> Result<(), String> {
        client.wait_for_connect().await.map_err(|e| e.details().to_owned())?;
        let named = vec![Value::from("SETNAME"), name.into()];
        let told = client.custom::<Value, _>(command("CLIENT", slot, false), named).await;
        told.map(drop).map_err(|e| e.details().to_owned())
    }

    /// Whether the run has the batch, and was written to on this connection.
    async fn write(&self, client: &Owned, slot: u16, ask: &mut Ask) -> Result<bool> {
        let nonce = self.link.nonce();
        ask.args[0] = nonce.as_str().into();
        ask.args[1] = self.link.clock_shift();
        // By its source, so that no script need be known there; and to the server of the wave, which says if the run
        // is another's.
        let mut args: Vec<Value> =
            vec![self.link.scripts.secure.source.clone().into(), ask.keys.len().to_string().into()];
        args.extend(ask.keys.iter().cloned().map(Value::from));
        args.append(&mut ask.args);
        let reply: Value = client.custom(command("EVAL", slot, false), args).await.map_err(|e| self.failed(&e))?;
        let words: Vec<String> = reply.convert().unwrap_or_default();
        match &*words.iter().map(String::as_str).collect::<Vec<_>>() {
            [echo, "has"] if *echo == nonce => Ok(true),
            [echo, "missing"] if *echo == nonce => Ok(false),
            [echo, other] if *echo == nonce => {
                Err(StoreError::corrupt("Redis's answer to secure", format!("{other:?}")))
            }
            _ => Err(self.doubt("the reply of another call came".to_owned())),
        }
    }

    async fn wait(&self, client: &Owned, slot: u16, name: &str) -> Result<()> {
        // 0 would be for ever.
        let patience = (self.link.timeout() / 2).min(PATIENCE).as_millis().max(1).to_string();
        let (what, wanted, got) = match self.level.0 {
            Some(wanted) => {
                let args = vec![wanted.to_string(), patience];
                let got: u32 = client.custom(command("WAIT", slot, true), args).await.map_err(|e| self.failed(&e))?;
                ("replicas", wanted, got)
            }
            None => {
                let args = vec!["1".to_owned(), "0".to_owned(), patience];
                let got: Vec<u32> =
                    client.custom(command("WAITAOF", slot, true), args).await.map_err(|e| self.no_file(&e))?;
                ("disks", 1, got.first().copied().unwrap_or(0))
            }
        };
        if got < wanted {
            return Err(self.doubt(format!("{got} of {wanted} {what} have it so far")));
        }
        let asked = vec![Value::from("GETNAME")];
        let now: Option<String> =
            client.custom(command("CLIENT", slot, false), asked).await.map_err(|e| self.failed(&e))?;
        if now.as_deref() != Some(name) {
            return Err(self.doubt("the connection was made anew while it waited".to_owned()));
        }
        Ok(())
    }

    fn doubt(&self, why: String) -> StoreError {
        StoreError::unavailable(self.link.server(), why)
    }

    /// Nothing that is asked for here is needed by anyone but the asker, so a lost answer is no more than a doubt.
    fn failed(&self, error: &fred::error::Error) -> StoreError {
        Fault::of(error).into_store_error(self.link.server(), false)
    }

    fn no_file(&self, error: &fred::error::Error) -> StoreError {
        let why = error.details();
        if why.contains("unknown command") {
            return StoreError::precondition(
                self.link.server(),
                "it cannot say when its disk has something; that takes WAITAOF, of Redis 7.2, or ask for Applied",
            );
        }
        if why.contains("appendonly") {
            return StoreError::precondition(
                self.link.server(),
                "it keeps no append-only file; set `appendonly yes`, or ask for Applied",
            );
        }
        self.failed(error)
    }
}

fn command(name: &'static str, slot: u16, blocking: bool) -> CustomCommand {
    CustomCommand::new_static(name, ClusterHash::Custom(slot), blocking)
}
