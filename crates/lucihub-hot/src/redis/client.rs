//! One client of the server, which ends with whoever holds it.

use std::future::poll_fn;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::{ClientLike, EventInterface};
use fred::types::config::{Config, ReconnectPolicy, UnresponsiveConfig};
use fred::types::{Builder, ConnectHandle};
use lucihub_models_core::StoreError;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::error::{Fault, unanswered, unopened};

/// A client that ends when this is dropped. The client library runs each in a task of its own, which would go on
/// connecting for ever; so a call that is given up, and an opening that fails, hold one of these.
pub(super) struct Owned {
    client: Client,
    task: Option<ConnectHandle>,
    runtime: Handle,
    /// How often it has connected.
    connects: Arc<AtomicU64>,
}

impl Owned {
    /// A client that is connected, or why there is none when the time is up; at once where waiting does not help. What
    /// the server refuses for the moment is tried again.
    pub(super) async fn open(
        config: &Config,
        patience: Duration,
        runtime: &Handle,
        deadline: Instant,
        server: &str,
    ) -> Result<Self, StoreError> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            let error = match timeout_at(deadline, Self::connected(config, patience, runtime)).await {
                Ok(Ok(client)) => return Ok(client),
                Ok(Err(error)) => error,
                Err(_) => return Err(unanswered(server, &format!("no answer in {:?}", start.elapsed()))),
            };
            if !matches!(Fault::of(&error), Fault::Later(_)) || Instant::now() + pause >= deadline {
                return Err(unopened(server, &error));
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    /// A client that is connected. One that is given up meanwhile ends.
    async fn connected(config: &Config, patience: Duration, runtime: &Handle) -> Result<Self, Error> {
        let mut this = Self::new(config, patience, runtime)?;
        let client = this.client.clone();
        let mut connected = pin!(client.wait_for_connect());
        // It must listen before anything can be said; and the task must be known to whoever gives up.
        let early = poll_fn(|cx| Poll::Ready(connected.as_mut().poll(cx))).await;
        this.task = Some(client.connect());
        match early {
            Poll::Ready(connected) => connected?,
            Poll::Pending => connected.await?,
        }
        Ok(this)
    }

    /// A client that begins to connect.
    pub(super) fn connecting(config: &Config, patience: Duration, runtime: &Handle) -> Result<Self, Error> {
        // Its task belongs to this runtime, wherever this is called.
        let _inside = runtime.enter();
        let mut this = Self::new(config, patience, runtime)?;
        this.task = Some(this.client.connect());
        Ok(this)
    }

    fn new(config: &Config, patience: Duration, runtime: &Handle) -> Result<Self, Error> {
        let client = build(config, patience)?;
        let connects = Arc::<AtomicU64>::default();
        let count = connects.clone();
        // Ends with the client.
        client.on_reconnect(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            async { Ok(()) }
        });
        Ok(Self { client, task: None, runtime: runtime.clone(), connects })
    }

    /// How often it has connected so far.
    pub(super) fn connects(&self) -> u64 {
        self.connects.load(Ordering::SeqCst)
    }
}

impl Deref for Owned {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let (client, task) = (self.client.clone(), self.task.take());
        // In the background: one whose server is frozen would take its time.
        self.runtime.spawn(async move {
            let _ = timeout(Duration::from_secs(5), client.quit()).await;
            if let Some(task) = task {
                task.abort();
            }
        });
    }
}

fn build(config: &Config, patience: Duration) -> Result<Client, Error> {
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
