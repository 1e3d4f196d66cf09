//! The handle that implements the ports, over any engine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::{Clock, Invalid, Limits, Result, RunHead, StoreError, Timestamp, WriteAs};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{self, JoinError};

use crate::attachments::Sweeping;
use crate::conn::Conn;
use crate::error::Error;
use crate::head::HeadColumns;

/// A database: where its connections come from.
pub(crate) trait Engine: Send + Sync + 'static {
    /// One permit for each connection that reads.
    fn readers(&self) -> &Arc<Semaphore>;

    /// One permit for each connection that writes.
    fn writers(&self) -> &Arc<Semaphore>;

    /// How long to wait for one of them.
    fn wait(&self) -> Duration;

    /// How long the statements of one answer may take together.
    fn patience(&self) -> Duration;

    /// Runs work of a single statement that reads. Blocks.
    fn look<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error>;

    /// Runs work that reads, on one snapshot. Blocks.
    fn read<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error>;

    /// Runs work that writes, in one transaction: whole or not at all. Blocks.
    fn write<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error>;
}

/// Cold storage in a database, as an implementation of the cold ports.
///
/// Cheap to clone; clones share their connections.
pub struct Cold<E> {
    engine: Arc<E>,
    limits: Limits,
    writes: Arc<WriteAs>,
    clock: Arc<dyn Clock>,
    pub(crate) sweeping: Sweeping,
}

impl<E> Cold<E> {
    pub(crate) fn new(engine: E, limits: Limits, writes: WriteAs, clock: Arc<dyn Clock>) -> Self {
        let writes = Arc::new(writes);
        Self { engine: Arc::new(engine), limits, writes, clock, sweeping: Sweeping::default() }
    }

    /// What may be written and asked for at once.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The columns that a head decides, as this program writes them now.
    pub(crate) fn head_columns(&self, head: &RunHead) -> Result<HeadColumns, Error> {
        HeadColumns::of(head, &self.writes, self.now())
    }

    /// Refuses pages that are empty or too large.
    pub(crate) fn check_page(&self, limit: usize) -> Result<(), Invalid> {
        if (1..=self.limits.page).contains(&limit) {
            return Ok(());
        }
        Err(Invalid::new("page", format!("{limit} items")).hint(format!("use 1 to {}", self.limits.page)))
    }
}

#[expect(private_bounds, reason = "engines are this crate's alone")]
impl<E: Engine> Cold<E> {
    /// How long the statements of one answer may take together.
    pub(crate) fn patience(&self) -> Duration {
        self.engine.patience()
    }

    /// Reads by one statement, on a blocking thread: it is a snapshot by itself.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T> {
        self.look_then(work, Ok).await
    }

    /// The same, and makes something of it on the same thread, once the connection is given back. A hop to another one
    /// takes as long as decoding a small cell.
    pub(crate) async fn look_then<R, T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn<'_>) -> Result<R, Error> + Send + 'static,
        then: impl FnOnce(R) -> Result<T, Error> + Send + 'static,
    ) -> Result<T> {
        self.with(self.engine.readers(), move |engine| engine.look(work), then, given_up).await
    }

    /// Reads by several statements, on a blocking thread and on one snapshot.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T> {
        self.with(self.engine.readers(), move |engine| engine.read(work), Ok, given_up).await
    }

    /// Writes on a blocking thread, whole or not at all.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T> {
        self.with(self.engine.writers(), move |engine| engine.write(work), Ok, unknown).await
    }

    /// Callers wait for a connection before they take a thread, and keep both
    /// until the work is done even when the future is dropped.
    async fn with<R, T: Send + 'static>(
        &self,
        permits: &Arc<Semaphore>,
        work: impl FnOnce(&E) -> Result<R, Error> + Send + 'static,
        then: impl FnOnce(R) -> Result<T, Error> + Send + 'static,
        no_answer: fn(JoinError) -> StoreError,
    ) -> Result<T> {
        let permit = self.permit(permits).await?;
        let engine = self.engine.clone();
        let work = move || {
            let answer = work(&engine);
            drop(permit);
            answer.and_then(then)
        };
        task::spawn_blocking(work).await.map_err(no_answer)?.map_err(StoreError::from)
    }

    async fn permit(&self, permits: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
        let wait = self.engine.wait();
        match tokio::time::timeout(wait, permits.clone().acquire_owned()).await {
            Ok(permit) => permit.map_err(closed),
            Err(_) => Err(closed(format!("all its connections have been busy for {wait:?}; try again, or allow more"))),
        }
    }
}

/// Runs work off the async threads, for what blocks or computes long.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T> {
    task::spawn_blocking(work).await.map_err(given_up)?.map_err(StoreError::from)
}

/// The same for work that writes.
pub(crate) async fn blocking_to_write<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T> {
    task::spawn_blocking(work).await.map_err(unknown)?.map_err(StoreError::from)
}

/// Runs work on a thread that ends with it, for what takes much memory for a
/// while. An allocator keeps some of what a thread has freed; the threads of a
/// pool take turns, and would each hold on to theirs.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T> {
    let (tell, told) = oneshot::channel();
    // Nobody may be waiting any more: then nobody misses the answer.
    let thread = move || drop(tell.send(work()));
    std::thread::Builder::new().name("lucihub-cold".to_owned()).spawn(thread).map_err(closed)?;
    told.await.map_err(given_up)?.map_err(StoreError::from)
}

/// The error of work that may have written, and gave no answer.
fn unknown(why: impl fmt::Display) -> StoreError {
    StoreError::Unknown { store: "cold storage".into(), why: why.to_string() }
}

/// The error of work that wrote nothing, and gave no answer.
pub(crate) fn given_up(why: impl fmt::Display) -> StoreError {
    closed(why)
}

fn closed(error: impl fmt::Display) -> StoreError {
    StoreError::unavailable("cold storage", error)
}

impl<E> Clone for Cold<E> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            limits: self.limits.clone(),
            writes: self.writes.clone(),
            clock: self.clock.clone(),
            sweeping: self.sweeping.clone(),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Cold<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cold").field("engine", &self.engine).field("limits", &self.limits).finish_non_exhaustive()
    }
}
