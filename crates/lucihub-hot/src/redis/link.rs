//! The connections, and the one way a call takes: a script, a nonce, a deadline.
//!
//! - Every reply repeats the nonce of its call. One that does not is another call's: the client is rebuilt.
//! - The client itself follows no redirection: during a migration of slots it would mix up replies. What the server
//!   refuses for the moment is sent again here, until the deadline.
//! - A call that the client sends again after a reconnect is harmless, since every script may run twice.
//! - A client that only times out is rebuilt. Its reconnecting never ends.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, LuaInterface};
use fred::types::config::{Config, ReconnectPolicy, UnresponsiveConfig};
use fred::types::{Builder, ClientState, ClusterHash, CustomCommand, Key, Value};
use lucihub_models_core::{IdSource, Result, StoreError, SystemIds};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::error::{Fault, plain, unanswered, unopened};
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
    lanes: [Slot; 2],
    pub(super) scripts: Scripts,
    nonce_stem: String,
    nonces: AtomicU64,
    /// Microseconds added to the server's clock.
    shift: AtomicI64,
}

/// A client, and how often in a row it did not answer.
struct Slot {
    client: RwLock<Client>,
    silent: AtomicU32,
}

/// Timeouts in a row after which a client is rebuilt.
const SILENT: u32 = 2;

impl Link {
    /// Connects, or says within the given time why not.
    pub(super) async fn open(options: &RedisOptions) -> Result<Arc<Self>> {
        let config = url::parse(&options.url, options.ca_file.as_deref())?;
        let server = url::shown(&options.url);
        let mut clients = Vec::new();
        for _ in 0..2 {
            let client = build(&config, options.timeout).map_err(|e| unreachable(&server, plain(e.details())))?;
            match timeout(options.connect_timeout, client.init()).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(unopened(&server, &error)),
                Err(_) => return Err(unanswered(&server, &format!("no answer in {:?}", options.connect_timeout))),
            }
            clients.push(Slot { client: RwLock::new(client), silent: AtomicU32::new(0) });
        }
        let lanes = clients.try_into().map_err(|_| unreachable(&server, "no client"))?;
        Ok(Arc::new(Self {
            config,
            server,
            timeout: options.timeout,
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

    /// A further client of the same server, connecting in the background for ever.
    pub(super) fn another(&self) -> Result<Client> {
        let mut config = self.config.clone();
        config.fail_fast = false;
        let client = build(&config, self.timeout).map_err(|e| unreachable(&self.server, plain(e.details())))?;
        client.connect();
        Ok(client)
    }

    pub(super) fn client(&self, lane: Lane) -> Client {
        self.lanes[lane as usize].client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds to the server's clock in every call from now on.
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

    /// Calls a script about a run or device. The first two arguments are filled in here.
    pub(super) async fn call(
        &self,
        lane: Lane,
        script: &Script,
        keys: Vec<Key>,
        mut args: Vec<Value>,
    ) -> Result<Reply> {
        let nonce = self.nonce();
        args[0] = nonce.as_str().into();
        args[1] = self.clock_shift();
        let deadline = Instant::now() + self.timeout;
        let mut pause = Duration::from_millis(2);
        let mut source = false;
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
                fault => return Err(fault.into_store_error(&self.server, script.writes)),
            }
        }
    }

    /// Reads by plain commands between two calls of a script, all in one pipeline: what the script says before and after
    /// tells what the commands saw.
    pub(super) async fn read_between(
        &self,
        script: &Script,
        keys: Vec<Key>,
        args: Vec<Value>,
        reads: Vec<Vec<Value>>,
    ) -> Result<(Reply, Vec<Value>, Reply)> {
        let deadline = Instant::now() + self.timeout;
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
                Fault::NoScript => drop(self.call(Lane::Read, script, keys.clone(), args.clone()).await?),
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
        let old = std::mem::replace(&mut *present, client);
        drop(present);
        slot.silent.store(0, Ordering::Relaxed);
        close(old);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for slot in &self.lanes {
            close(slot.client.read().unwrap_or_else(PoisonError::into_inner).clone());
        }
    }
}

/// Ends a client in the background: one whose server is frozen would take its time.
pub(super) fn close(client: Client) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move {
            let _ = timeout(Duration::from_secs(5), client.quit()).await;
        });
    }
}

fn unreachable(server: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::unavailable(server, why)
}

fn build(config: &Config, patience: Duration) -> Result<Client, fred::error::Error> {
    /// Commands that may wait in a client: beyond it, callers are told at once.
    const WAITING: usize = 20_000;
    let mut builder = Builder::from_config(config.clone());
    builder
        .with_performance_config(|c| {
            c.default_command_timeout = patience;
            c.broadcast_channel_capacity = 4_096;
        })
        .with_connection_config(|c| {
            c.connection_timeout = patience;
            c.internal_command_timeout = patience;
            c.max_command_attempts = 3;
            // With redirections, replies came to the wrong calls while slots moved.
            c.max_redirections = 0;
            c.max_command_buffer_len = WAITING;
            c.reconnect_on_auth_error = true;
            c.unresponsive = UnresponsiveConfig { max_timeout: Some(patience), interval: patience / 4 };
            c.tcp.nodelay = Some(true);
        })
        .set_policy(ReconnectPolicy::new_exponential(0, 10, 1_000, 2));
    builder.build()
}
