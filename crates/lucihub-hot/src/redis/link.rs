//! The connections, and the one way a call takes: a script, a nonce, a deadline.
//!
//! - Every reply repeats the nonce of its call. One that does not is another call's: the client is rebuilt.
//! - The client itself follows no redirection: during a migration of slots it would mix up replies. What the server
//!   refuses for the moment is sent again here, until the deadline.
//! - A call that the client sends again after a reconnect is harmless, since every script may run twice. A refusal that
//!   comes after one is no certain answer.
//! - A client that only times out is rebuilt. Its reconnecting never ends.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fred::bytes_utils::Str;
use fred::clients::Client;
use fred::interfaces::{ClientLike, ClusterInterface, LuaInterface};
use fred::types::config::Config;
use fred::types::{ClientState, ClusterHash, CustomCommand, Key, Value};
use lucihub_models_core::{IdSource, Result, StoreError, SystemIds};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout_at};

use super::client::Owned;
use super::error::{Fault, plain};
use super::options::RedisOptions;
use super::reply::Reply;
use super::script::{Script, Scripts};
use super::url;

/// Which connection a call takes. Large reads do not hold up a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Write = 0,
    Read = 1,
}

/// The connections of one handle.
pub(super) struct Link {
    config: Config,
    /// The server, for errors: no secrets.
    server: String,
    timeout: Duration,
    runtime: Handle,
    lanes: [Slot; 2],
    pub(super) scripts: Scripts,
    nonce_stem: String,
    nonces: AtomicU64,
    /// Microseconds added to the server's clock.
    shift: AtomicI64,
}

/// A client, and how often in a row it did not answer.
struct Slot {
    client: RwLock<Owned>,
    silent: AtomicU32,
}

/// Timeouts in a row after which a client is rebuilt.
const SILENT: u32 = 2;

impl Link {
    /// Connects, or says why not when the time is up; at once where waiting does not help.
    pub(super) async fn open(options: &RedisOptions, deadline: Instant) -> Result<Arc<Self>> {
        let config = url::parse(&options.url, options.ca_file.as_deref())?;
        let server = url::shown(&options.url);
        let runtime = Handle::current();
        let mut lanes = Vec::new();
        for _ in 0..2 {
            let client = Owned::open(&config, options.timeout, &runtime, deadline, &server).await?;
            lanes.push(Slot { client: RwLock::new(client), silent: AtomicU32::new(0) });
        }
        let lanes = lanes.try_into().map_err(|_| unreachable(&server, "no client"))?;
        Ok(Arc::new(Self {
            config,
            server,
            timeout: options.timeout,
            runtime,
            lanes,
            scripts: Scripts::new(),
            // Ids of the system are good enough here: a nonce tells calls apart and decides nothing.
            nonce_stem: format!("{:08x}", SystemIds.writer_id().bits() & 0xffff_ffff),
            nonces: AtomicU64::new(0),
            shift: AtomicI64::new(0),
        }))
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.config.server.is_clustered()
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// When a call that begins now is to have ended, with all its steps.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Bounds a read that waits for another one first.
    pub(super) async fn in_time<T>(&self, read: impl Future<Output = Result<T>>) -> Result<T> {
        let answer = timeout_at(self.deadline(), read).await;
        answer.unwrap_or_else(|_| Err(unreachable(&self.server, format!("no answer in {:?}", self.timeout))))
    }

    /// A task that outlives the call that begins it.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// A further client of the same server, connecting in the background until it is dropped.
    pub(super) fn another(&self) -> Result<Owned> {
        let mut config = self.config.clone();
        config.fail_fast = false;
        Owned::connecting(&config, self.timeout, &self.runtime)
            .map_err(|e| unreachable(&self.server, plain(e.details())))
    }

    pub(super) fn client(&self, lane: Lane) -> Client {
        let owned = self.lanes[lane as usize].client.read().unwrap_or_else(PoisonError::into_inner);
        Client::clone(&owned)
    }

    /// Which client a lane has, and how often it has connected.
    fn connects(&self, lane: Lane) -> (Str, u64) {
        let owned = self.lanes[lane as usize].client.read().unwrap_or_else(PoisonError::into_inner);
        (owned.id().into(), owned.connects())
    }

    /// Which server of a cluster has a key, as far as is known; all keys of one server alike.
    pub(super) fn home(&self, key: Option<&Key>) -> String {
        let slot = key.map_or(0, Key::cluster_hash);
        let state = self.client(Lane::Write).cached_cluster_state();
        state.and_then(|state| state.get_server(slot).map(ToString::to_string)).unwrap_or_default()
    }

    /// Adds to the server's clock in every call from now on.
    #[cfg(feature = "testing")]
    pub(super) fn shift(&self, by: Duration) {
        self.shift.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// What no other call has.
    pub(super) fn nonce(&self) -> String {
        format!("{}{:x}", self.nonce_stem, self.nonces.fetch_add(1, Ordering::Relaxed))
    }

    /// What is added to the server's clock, as an argument.
    pub(super) fn clock_shift(&self) -> Value {
        self.shift.load(Ordering::SeqCst).to_string().into()
    }

    /// Makes an attempt again while the server refuses it for the moment.
    pub(super) async fn attempt<T, F>(&self, deadline: Instant, writes: bool, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, fred::error::Error>>,
    {
        let mut pause = Duration::from_millis(2);
        loop {
            let fault = match timeout_at(deadline, attempt()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => Fault::of(&error),
                Err(_) => Fault::Lost("no answer in time".to_owned()),
            };
            if !matches!(fault, Fault::Later(_)) || Instant::now() + pause >= deadline {
                return Err(fault.into_store_error(&self.server, writes));
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// Calls a script about a run or device, as the only step of a call.
    pub(super) async fn call(&self, lane: Lane, script: &Script, keys: Vec<Key>, args: Vec<Value>) -> Result<Reply> {
        self.call_by(self.deadline(), lane, script, keys, args).await
    }

    /// Calls a script about a run or device. The first two arguments are filled in here.
    pub(super) async fn call_by(
        &self,
        deadline: Instant,
        lane: Lane,
        script: &Script,
        keys: Vec<Key>,
        mut args: Vec<Value>,
    ) -> Result<Reply> {
        let nonce = self.nonce();
        args[0] = nonce.as_str().into();
        args[1] = self.clock_shift();
        let mut pause = Duration::from_millis(2);
        let mut source = false;
        let connects = script.writes.then(|| self.connects(lane));
        loop {
            let client = self.client(lane);
            let fault = match self.once(&client, script, source, &keys, &args, deadline).await {
                Ok(value) => {
                    self.lanes[lane as usize].silent.store(0, Ordering::Relaxed);
                    return self.read(lane, &client, script, &nonce, value);
                }
                Err(fault) => fault,
            };
            match fault {
                Fault::NoScript if !source => {
                    source = true;
                    continue;
                }
                // Nothing was done, or doing it twice is harmless.
                Fault::Later(_) | Fault::NoScript if Instant::now() + pause < deadline => {
                    source = false;
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(100));
                }
                Fault::Lost(_) => {
                    self.was_silent(lane, &client);
                    return Err(fault.into_store_error(&self.server, script.writes));
                }
                // The client sends again what got no answer before it connected anew. Then this is the answer to that,
                // and the first one may have been done.
                fault if connects.is_some_and(|before| before != self.connects(lane)) => {
                    return Err(Fault::Lost(fault.why()).into_store_error(&self.server, script.writes));
                }
                fault => return Err(fault.into_store_error(&self.server, script.writes)),
            }
        }
    }

    /// Reads by plain commands between two calls of a script, all in one pipeline: what the script says before and
    /// after tells what the commands saw.
    pub(super) async fn read_between(
        &self,
        deadline: Instant,
        script: &Script,
        keys: Vec<Key>,
        args: Vec<Value>,
        reads: Vec<Vec<Value>>,
    ) -> Result<(Reply, Vec<Value>, Reply)> {
        let mut pause = Duration::from_millis(2);
        loop {
            let client = self.client(Lane::Read);
            let nonces = [self.nonce(), self.nonce()];
            let [before, after] = nonces.each_ref().map(|nonce| {
                let mut args = args.clone();
                args[0] = nonce.as_str().into();
                args[1] = self.clock_shift();
                args
            });
            let fault = match self.pipelined(&client, script, &keys, before, &reads, after, deadline).await {
                Ok(mut values) => {
                    let (after, before) = (values.pop().unwrap_or(Value::Null), values.remove(0));
                    let before = self.read(Lane::Read, &client, script, &nonces[0], before)?;
                    let after = self.read(Lane::Read, &client, script, &nonces[1], after)?;
                    self.lanes[Lane::Read as usize].silent.store(0, Ordering::Relaxed);
                    return Ok((before, values, after));
                }
                Err(fault) => fault,
            };
            match fault {
                // A call by itself brings the source.
                Fault::NoScript => {
                    self.call_by(deadline, Lane::Read, script, keys.clone(), args.clone()).await?;
                }
                Fault::Later(_) if Instant::now() + pause < deadline => {
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(100));
                }
                fault => {
                    if matches!(fault, Fault::Lost(_)) {
                        self.was_silent(Lane::Read, &client);
                    }
                    return Err(fault.into_store_error(&self.server, false));
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of the call above")]
    async fn pipelined(
        &self,
        client: &Client,
        script: &Script,
        keys: &[Key],
        before: Vec<Value>,
        reads: &[Vec<Value>],
        after: Vec<Value>,
        deadline: Instant,
    ) -> Result<Vec<Value>, Fault> {
        self.connected(client, deadline).await?;
        let sent = async {
            let pipeline = client.pipeline();
            let slot = ClusterHash::Custom(keys.first().map_or(0, Key::cluster_hash));
            // The pipeline knows no scripts by name.
            let evalsha = |args: Vec<Value>| {
                let mut all: Vec<Value> = vec![script.hash.clone().into(), keys.len().to_string().into()];
                all.extend(keys.iter().cloned().map(Value::from));
                all.extend(args);
                (CustomCommand::new_static("EVALSHA", slot.clone(), false), all)
            };
            let (command, args) = evalsha(before);
            let _: () = pipeline.custom(command, args).await?;
            for read in reads {
                let command = CustomCommand::new_static("XRANGE", slot.clone(), false);
                let _: () = pipeline.custom(command, read.clone()).await?;
            }
            let (command, args) = evalsha(after);
            let _: () = pipeline.custom(command, args).await?;
            pipeline.all::<Vec<Value>>().await
        };
        match timeout_at(deadline, sent).await {
            Ok(Ok(values)) if values.len() == reads.len() + 2 => Ok(values),
            Ok(Ok(_)) => Err(Fault::Lost("a pipeline came back with another number of replies".to_owned())),
            Ok(Err(error)) => Err(Fault::of(&error)),
            Err(_) => Err(Fault::Lost(format!("no answer in {:?}", self.timeout))),
        }
    }

    /// Waits for the connection. What is never sent is never written, and the caller may know that.
    async fn connected(&self, client: &Client, deadline: Instant) -> Result<(), Fault> {
        if client.state() == ClientState::Connected {
            return Ok(());
        }
        match timeout_at(deadline, client.wait_for_connect()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Fault::Unsent(plain(error.details()))),
            Err(_) => Err(Fault::Unsent(format!("not connected for {:?}", self.timeout))),
        }
    }

    async fn once(
        &self,
        client: &Client,
        script: &Script,
        source: bool,
        keys: &[Key],
        args: &[Value],
        deadline: Instant,
    ) -> Result<Value, Fault> {
        self.connected(client, deadline).await?;
        let (keys, args) = (keys.to_vec(), args.to_vec());
        let answer = if source {
            timeout_at(deadline, client.eval(script.source.clone(), keys, args)).await
        } else {
            timeout_at(deadline, client.evalsha(script.hash.clone(), keys, args)).await
        };
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Fault::of(&error)),
            Err(_) => Err(Fault::Lost(format!("no answer in {:?}", self.timeout))),
        }
    }

    /// Takes the nonce off an answer.
    fn read(&self, lane: Lane, client: &Client, script: &Script, nonce: &str, value: Value) -> Result<Reply> {
        let Value::Array(mut parts) = value else {
            self.rebuild(lane, client);
            return Err(
                Fault::Lost("a reply of another form came".to_owned()).into_store_error(&self.server, script.writes)
            );
        };
        let echo = if parts.is_empty() { None } else { parts.remove(0).into_string() };
        if echo.as_deref() != Some(nonce) {
            self.rebuild(lane, client);
            let why = "the reply of another call came".to_owned();
            return Err(Fault::Lost(why).into_store_error(&self.server, script.writes));
        }
        Ok(Reply::new(script.name, parts))
    }

    fn was_silent(&self, lane: Lane, client: &Client) {
        if self.lanes[lane as usize].silent.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT {
            self.rebuild(lane, client);
        }
    }

    /// Puts a new client in the place of this one, unless that has been done already.
    fn rebuild(&self, lane: Lane, broken: &Client) {
        let slot = &self.lanes[lane as usize];
        let mut present = slot.client.write().unwrap_or_else(PoisonError::into_inner);
        if present.id() != broken.id() {
            return;
        }
        let Ok(client) = self.another() else { return };
        *present = client;
        slot.silent.store(0, Ordering::Relaxed);
    }
}

fn unreachable(server: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::unavailable(server, why)
}
