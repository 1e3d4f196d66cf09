//! The connections to one database.

use std::fmt;
use std::sync::Arc;
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
}

/// What the pool makes its connections with.
#[derive(Debug)]
struct Links(Connector);

impl ManageConnection for Links {
    type Connection = Link;
    type Error = StoreError;

    fn connect(&self) -> Result<Link> {
        self.0.connect()
    }

    fn is_valid(&self, link: &mut Link) -> Result<()> {
        if link.used.elapsed() < TRUSTED || link.ping() {
            return Ok(());
        }
        let why = link.last_words().unwrap_or_else(|| "the connection was closed".into());
        Err(StoreError::unavailable(self.0.shown(), why))
    }

    fn has_broken(&self, link: &mut Link) -> bool {
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
            // The error comes back from `get`.
            .error_handler(Box::new(NopErrorHandler))
            .build_unchecked(Links(connector.clone()));
        Ok(Self { connector, pool, permits: Arc::new(Semaphore::new(connections as usize)), wait: options.wait })
    }

    fn get(&self) -> Result<PooledConnection<Links>, Error> {
        self.pool.get().map_err(|error| {
            // The pool puts words of its own before those of the connector, which names the place already.
            let (text, shown) = (error.to_string(), self.connector.shown());
            let why = text.strip_prefix("timed out waiting for connection: ").unwrap_or(&text);
            let why = why.strip_prefix(&format!("{shown} is unavailable: ")).unwrap_or(why);
            StoreError::unavailable(shown, why).into()
        })
    }

    /// Errors that name the database.
    fn sorted<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        answer.map_err(|error| errors::named(error.sorted(errors::statement), self.connector.shown()))
    }

    /// A connection with a transaction begun. One that turns out to be closed is replaced, for nothing was asked of it
    /// yet; after a restart of the server all that rested are.
    fn begin(&self, how: &str) -> Result<PooledConnection<Links>, Error> {
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
        let mut link = self.begin("BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE")?;
        let answer = match work(&mut Conn::Postgres(&mut link.conn)) {
            Ok(answer) => answer,
            Err(error) => {
                link.amid = link.conn.batch_execute("ROLLBACK").is_err();
                return self.sorted(Err(error));
            }
        };
        let transaction = self.sorted(settle::number(&mut link.conn).map_err(Error::from))?;
        match link.conn.batch_execute("COMMIT") {
            Ok(()) => {
                link.amid = false;
                Ok(answer)
            }
            Err(error) => {
                drop(link);
                settle::outcome(&self.connector, transaction, &error).map(|()| answer)
            }
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("place", &self.connector).finish_non_exhaustive()
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}
