//! The connections to one database.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ManageConnection, NopErrorHandler, Pool, PooledConnection};
use lucihub_models_core::{Result, StoreError};
use tokio::sync::Semaphore;

use super::connect::Connector;
use super::errors;
use super::link::Link;
use super::options::PostgresOptions;
use super::settle;
use crate::cold::Engine;
use crate::conn::Conn;
use crate::error::Error;

/// A connection that rested longer than this is asked whether it still stands: a server may have restarted meanwhile.
const TRUSTED: Duration = Duration::from_secs(1);

/// PostgreSQL as the database below [`Cold`](crate::Cold).
pub struct Postgres {
    connector: Connector,
    pool: Pool<Links>,
    permits: Arc<Semaphore>,
    wait: Duration,
    patience: Duration,
}

/// What the pool makes its connections with.
struct Links {
    connector: Connector,
    /// When one turned out to have ended: those that have rested since before are not asked any more, for each would
    /// take a frozen server's time again.
    ended_at: Mutex<Option<Instant>>,
}

/// A connection, or why there is none. The pool itself would try until whoever waits for one gives up, and would tell
/// them the text alone; so a refusal takes the place of a connection, once.
type Made = Result<Link, Refusal>;

struct Refusal {
    error: StoreError,
    at: Instant,
}

/// A connection of the pool that is one.
struct Lent(PooledConnection<Links>);

impl ManageConnection for Links {
    type Connection = Made;
    type Error = StoreError;

    fn connect(&self) -> Result<Made> {
        Ok(self.connector.connect().map_err(|error| Refusal { error, at: Instant::now() }))
    }

    fn is_valid(&self, made: &mut Made) -> Result<()> {
        let ended = |why: String| StoreError::unavailable(self.connector.shown(), why);
        let link = match made {
            Ok(link) => link,
            // Whoever it was for had given up.
            Err(Refusal { at, .. }) if at.elapsed() > TRUSTED => return Err(ended("a refusal of long ago".into())),
            Err(_) => return Ok(()),
        };
        let ended_at = || self.ended_at.lock().unwrap_or_else(PoisonError::into_inner);
        if ended_at().is_some_and(|ended_at| link.used < ended_at) {
            return Err(ended("another connection has ended since".into()));
        }
        if link.used.elapsed() < TRUSTED || link.ping() {
            return Ok(());
        }
        *ended_at() = Some(Instant::now());
        Err(ended(link.last_words().unwrap_or_else(|| "the connection was closed".into())))
    }

    fn has_broken(&self, made: &mut Made) -> bool {
        let Ok(link) = made else { return true };
        link.used = Instant::now();
        link.amid || link.is_closed()
    }
}

impl Postgres {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, Error> {
        let connector = Connector::new(options)?;
        let connections = options.connections.max(1);
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(Some(0))
            .test_on_check_out(true)
            // Permits are waited for before; what is left is connecting, which has its own limit.
            .connection_timeout(options.wait + Duration::from_secs(1))
            .error_handler(Box::new(NopErrorHandler))
            .build_unchecked(Links { connector: connector.clone(), ended_at: Mutex::new(None) });
        Ok(Self {
            connector,
            pool,
            permits: Arc::new(Semaphore::new(connections as usize)),
            wait: options.wait,
            patience: options.statement_timeout,
        })
    }

    fn get(&self) -> Result<Lent, Error> {
        let made = self.pool.get().map_err(|_| {
            let why = format!("no connection could be made within {:?}; see whether it is overloaded", self.wait);
            StoreError::unavailable(self.connector.shown(), why)
        })?;
        match &*made {
            Ok(_) => Ok(Lent(made)),
            Err(refusal) => Err(refusal.error.clone().into()),
        }
    }

    /// Errors that name the database.
    fn sorted<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        answer.map_err(|error| errors::named(error.sorted(errors::statement), self.connector.shown()))
    }

    /// A connection with a transaction begun. One that turns out to be closed is replaced, for nothing was asked of it
    /// yet; after a restart of the server all that rested are.
    fn begin(&self, how: &str) -> Result<Lent, Error> {
        let mut left = self.pool.max_size();
        loop {
            let mut link = self.get()?;
            link.amid = true;
            match link.conn.batch_execute(how) {
                Ok(()) => return Ok(link),
                Err(_) if link.is_closed() && left > 0 => left -= 1,
                Err(error) => return self.sorted(Err(error.into())),
            }
        }
    }
}

impl Deref for Lent {
    type Target = Link;

    fn deref(&self) -> &Link {
        self.0.as_ref().unwrap_or_else(|_| refused())
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Link {
        self.0.as_mut().unwrap_or_else(|_| refused())
    }
}

#[expect(clippy::panic, reason = "a refusal is told where it comes out of the pool")]
fn refused() -> ! {
    panic!("a connection that is none")
}

impl Engine for Postgres {
    fn readers(&self) -> &Arc<Semaphore> {
        &self.permits
    }

    fn writers(&self) -> &Arc<Semaphore> {
        &self.permits
    }

    fn wait(&self) -> Duration {
        self.wait
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn look<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.sorted(work(&mut Conn::Postgres(&mut self.get()?.conn)))
    }

    fn read<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut link = self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
        let answer = work(&mut Conn::Postgres(&mut link.conn));
        // Nothing was written, so how it ends does not matter to the answer.
        link.amid = link.conn.batch_execute("ROLLBACK").is_err();
        self.sorted(answer)
    }

    fn write<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut link = self.begin("BEGIN ISOLATION LEVEL READ COMMITTED")?;
        let answer = match work(&mut Conn::Postgres(&mut link.conn)) {
            Ok(answer) => answer,
            Err(error) => {
                link.amid = link.conn.batch_execute("ROLLBACK").is_err();
                return self.sorted(Err(error));
            }
        };
        let Link { mark, conn, .. } = &mut *link;
        let marked = match mark.set(conn) {
            Ok(marked) => marked,
            Err(error) => {
                link.amid = link.conn.batch_execute("ROLLBACK").is_err();
                return self.sorted(Err(error.into()));
            }
        };
        match link.conn.batch_execute("COMMIT") {
            Ok(()) => {
                link.amid = false;
                Ok(answer)
            }
            Err(error) => {
                drop(link);
                settle::outcome(&self.connector, marked, &error).map(|()| answer)
            }
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("place", &self.connector).finish_non_exhaustive()
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connector.fmt(f)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}
