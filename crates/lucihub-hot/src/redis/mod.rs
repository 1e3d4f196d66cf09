//! Hot storage on Redis or Valkey, shared by any number of processes.
//!
//! | file | what is there |
//! | --- | --- |
//! | `runs.rs`, `append.rs`, `logs.rs`, `samples.rs`, `attachments.rs`, `events.rs`, `devices.rs`, `watch.rs`, `scan.rs` | the ports, under core's file names |
//! | `keys.rs` | every key, its type, its lifetime |
//! | `scripts/`, `script.rs` | the steps that the server makes, whole or not at all |
//! | `restore.rs`, `secure.rs` | how a lost run comes back, and how replicas and disk are waited for |
//! | `block.rs`, `head.rs`, `snapshot.rs`, `reply.rs` | what is stored and answered, written and read |
//! | `cache.rs`, `entities.rs`, `flights.rs`, `range.rs` | what is remembered, what is shared, how streams are read |
//! | `listener.rs` | the connection that hears what servers push |
//! | `link.rs`, `client.rs`, `url.rs`, `server.rs`, `error.rs` | connections, and what may go wrong with them |
//!
//! # Invariants
//!
//! - What is decided is decided in one script, and a script is one step: it writes nothing before every check has
//!   passed. A call may take several (a cancel, a batch that was planned on an older run), within one deadline.
//! - A batch is planned by core's code on the run as the writer left it; the script writes it only if the run is still
//!   that. What it writes last are the marks: positions, then number and digest.
//! - Every script may run twice: a lost answer is asked for again.
//! - Time is the server's. No key of a run that is not sealed expires.
//! - Nothing of the client library leaves this folder.

mod append;
mod attachments;
mod block;
mod cache;
mod client;
mod devices;
mod entities;
mod error;
mod events;
mod flights;
#[cfg(test)]
mod fuzz;
mod head;
mod keys;
mod link;
mod listener;
mod logs;
mod options;
mod range;
mod reply;
mod restore;
mod runs;
mod samples;
mod scan;
mod script;
mod secure;
mod server;
mod snapshot;
mod url;
mod watch;

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "testing")]
use std::time::Duration;

use fred::types::Value;
use lucihub_models_core::hot::{Health, HotRun, LineSlice};
use lucihub_models_core::{Result, RunId, Series};
use tokio::time::Instant;

pub use options::RedisOptions;

use cache::Cache;
use entities::Entities;
use flights::Flights;
use keys::Keys;
use link::Link;
use range::PartSize;
use secure::Securing;
use watch::Watch;

/// Hot storage on a Redis or Valkey server. Cloning it is cheap and shares the connections.
///
/// | URL | server |
/// | --- | --- |
/// | `redis://USER:PASSWORD@HOST:PORT/DB` | one; user, password and database may be left out |
/// | `rediss://...` | the same over TLS |
/// | `redis+unix:///PATH` | one on this machine, by its socket |
/// | `redis-cluster://HOST:PORT?node=HOST:PORT` | a cluster, by some of its nodes; `rediss-cluster` over TLS |
/// | `redis-sentinel://HOST:PORT?sentinelServiceName=NAME&node=HOST:PORT` | whichever server Sentinel names; `rediss-sentinel` over TLS |
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use lucihub_hot::redis::{RedisHot, RedisOptions};
/// use lucihub_models_core::hot::HotDevices;
///
/// let hot = RedisHot::open(RedisOptions::new("redis://127.0.0.1:6379")).await?;
/// for device in hot.active().await? {
///     println!("{} since {}", device.seen.id, device.since);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisHot {
    options: Arc<RedisOptions>,
    keys: Keys,
    link: Arc<Link>,
    cache: Arc<Cache>,
    entities: Arc<Entities>,
    parts: Arc<PartSize>,
    watch: Arc<Watch>,
    secured: Arc<Securing>,
    gets: Flights<RunId, Option<HotRun>>,
    line_reads: Flights<(RunId, u64, u64), Option<LineSlice>>,
    sample_reads: Flights<(RunId, u32, u64, u64), Option<Series>>,
    healths: Flights<(), Health>,
}

impl RedisHot {
    /// Connects to a server.
    ///
    /// # Errors
    /// `Invalid` for a URL of another form or a timeout that is too short; `Unavailable` if the server cannot be reached in time; `Precondition` for what
    /// waiting does not change: a server that refuses the login or a right, whose certificate is not trusted, that is no
    /// cluster, is too old, throws data away when it is full, or holds keys of another layout.
    pub async fn open(options: RedisOptions) -> Result<Self> {
        let keys = Keys::new(&options.prefix)?;
        let options = options.checked()?;
        let deadline = Instant::now() + options.connect_timeout;
        let link = Link::open(&options, deadline).await?;
        server::check(&link, &options, deadline).await?;
        server::check_layout(&link, &keys, deadline).await?;
        let watch = Watch::start(&link, &keys, deadline).await?;
        Ok(Self {
            keys,
            secured: Arc::new(Securing::new(link.clone())),
            cache: Arc::new(Cache::new()),
            entities: Arc::new(Entities::new()),
            parts: Arc::new(PartSize::new()),
            link,
            watch: Arc::new(watch),
            gets: Flights::default(),
            line_reads: Flights::default(),
            sample_reads: Flights::default(),
            healths: Flights::default(),
            options: Arc::new(options),
        })
    }

    /// Adds to the server's clock, as this handle sees it, from now on: leases, tombstones and expiries that end within
    /// that time have ended for it.
    ///
    /// For tests of what ends by the clock.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn advance_clock(&self, by: Duration) {
        self.link.shift(by);
    }
}

impl fmt::Debug for RedisHot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisHot").field("options", &self.options).finish_non_exhaustive()
    }
}

/// The first arguments of every script, which the connection fills in.
fn args() -> Vec<Value> {
    vec![Value::Null; 2]
}
