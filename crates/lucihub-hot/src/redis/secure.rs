//! Waiting for replicas and disk.
//!
//! `WAIT` and `WAITAOF` speak of what their own connection wrote. So a connection of its own, which names itself, first
//! writes a little to the run, which also tells whether the run still has the batch; then waits; then asks for its name.
//! Replication and file are ordered: who has the little write has all that was applied before. A connection that was
//! made anew in between has lost the name, and nothing is confirmed.

use std::sync::Arc;
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, LuaInterface};
use fred::types::{ClusterHash, CustomCommand, Key, Value};
use lucihub_models_core::hot::{Durability, Secured};
use lucihub_models_core::{Result, StoreError, WriterMark};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::error::Fault;
use super::keys::RunKeys;
use super::link::{Lane, Link, close};
use super::snapshot::mark_text;

/// How long one wait lasts at most: who wants more asks again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The connection that waits, made when it is first needed.
pub(super) struct Securing {
    link: Arc<Link>,
    client: Mutex<Option<Client>>,
}

impl Securing {
    pub(super) const fn new(link: Arc<Link>) -> Self {
        Self { link, client: Mutex::const_new(None) }
    }

    /// The law of [`HotAppend::secure`](lucihub_models_core::hot::HotAppend::secure).
    pub(super) async fn secure(
        &self,
        keys: &RunKeys,
        mark: WriterMark,
        seq: u64,
        durability: Durability,
    ) -> Result<Secured> {
        let write = durability != Durability::Applied;
        let mut args = super::args();
        args.extend([mark_text(mark).into(), seq.to_string().into(), if write { "1" } else { "0" }.into()]);
        if !write {
            let mut reply = self.link.call(Lane::Write, &self.link.scripts.secure, keys.fixed(0), args).await?;
            return if reply.text()? == "has" { Ok(Secured::Secured) } else { Ok(Secured::Missing) };
        }
        let mut place = self.client.lock().await;
        let client = match place.take() {
            Some(client) => client,
            None => self.link.another()?,
        };
        // Twice a call's time: the wait is bounded by half of one, and the rest are four short commands.
        match timeout(self.link.timeout() * 2, self.wait(&client, keys, args, durability)).await {
            Ok(answer) => {
                *place = Some(client);
                answer
            }
            Err(_) => {
                close(client);
                Err(self.doubt("no answer in time".to_owned()))
            }
        }
    }

    async fn wait(&self, client: &Client, keys: &RunKeys, args: Vec<Value>, durability: Durability) -> Result<Secured> {
        let keys = keys.fixed(0);
        let slot = keys.first().map_or(0, Key::cluster_hash);
        let command = |name, blocking| CustomCommand::new_static(name, ClusterHash::Custom(slot), blocking);
        let name = self.link.nonce();
        client.wait_for_connect().await.map_err(|e| self.failed(&e))?;
        let named = vec![Value::from("SETNAME"), name.as_str().into()];
        client.custom::<Value, _>(command("CLIENT", false), named).await.map_err(|e| self.failed(&e))?;

        let mut args = args;
        args[0] = name.as_str().into();
        args[1] = self.link.clock_shift();
        // By its source, so that no script need be known there; it is rare.
        let source = self.link.scripts.secure.source.clone();
        let reply: Vec<String> = client.eval(source, keys, args).await.map_err(|e| self.failed(&e))?;
        if reply.get(1).map(String::as_str) != Some("has") {
            return Ok(Secured::Missing);
        }
        let patience = (self.link.timeout() / 2).min(PATIENCE).as_millis().to_string();
        let (what, wanted, got) = match durability {
            Durability::Replicated(wanted) => {
                let args = vec![wanted.to_string(), patience];
                let got: u32 = client.custom(command("WAIT", true), args).await.map_err(|e| self.failed(&e))?;
                ("replicas", wanted, got)
            }
            _ => {
                let args = vec!["1".to_owned(), "0".to_owned(), patience];
                let got: Vec<u32> =
                    client.custom(command("WAITAOF", true), args).await.map_err(|e| self.no_file(&e))?;
                ("disks", 1, got.first().copied().unwrap_or(0))
            }
        };
        if got < wanted {
            return Err(self.doubt(format!("{got} of {wanted} {what} have it so far")));
        }
        let asked = vec![Value::from("GETNAME")];
        let now: Option<String> = client.custom(command("CLIENT", false), asked).await.map_err(|e| self.failed(&e))?;
        if now.as_deref() != Some(&*name) {
            return Err(self.doubt("the connection was made anew while it waited".to_owned()));
        }
        Ok(Secured::Secured)
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

impl Drop for Securing {
    fn drop(&mut self) {
        if let Some(client) = self.client.get_mut().take() {
            close(client);
        }
    }
}
