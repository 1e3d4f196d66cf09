//! The connections to one file: one that writes, and readers beside it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::{ConnectionManager, NopErrorHandler, Pool, PooledConnection};
use diesel::{Connection, SqliteConnection};
use lucihub_models_core::{Result, StoreError};
use tokio::sync::Semaphore;

use super::connect::Settings;
use super::errors;
use super::options::SqliteOptions;
use crate::cold::Engine;
use crate::conn::Conn;
use crate::error::Error;

/// How long the statements of one answer may take together: what PostgreSQL gives one by default.
const PATIENCE: Duration = Duration::from_secs(30);

type Manager = ConnectionManager<SqliteConnection>;

/// SQLite as the database below [`Cold`](crate::Cold).
pub struct Sqlite {
    name: String,
    writer: Pool<Manager>,
    readers: Pool<Manager>,
    may_write: Arc<Semaphore>,
    may_read: Arc<Semaphore>,
    wait: Duration,
}

impl Sqlite {
    pub(super) fn new(options: &SqliteOptions) -> Result<Self> {
        let name = options.name()?;
        let readers = options.readers.max(1);
        let pool = |size: u32| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(0))
                // A connection to a file does not die by itself.
                .test_on_check_out(false)
                .idle_timeout(None)
                .max_lifetime(None)
                // Permits are waited for before; what is left is opening the file.
                .connection_timeout(options.busy_timeout + Duration::from_secs(1))
                .connection_customizer(Box::new(Settings { busy_timeout: options.busy_timeout }))
                // The error comes back from `get`.
                .error_handler(Box::new(NopErrorHandler))
                .build_unchecked(Manager::new(name.clone()))
        };
        Ok(Self {
            writer: pool(1),
            readers: pool(readers),
            may_write: Arc::new(Semaphore::new(1)),
            may_read: Arc::new(Semaphore::new(readers as usize)),
            wait: options.wait,
            name,
        })
    }

    fn get(&self, pool: &Pool<Manager>) -> Result<PooledConnection<Manager>, Error> {
        pool.get().map_err(|e| StoreError::unavailable(format!("SQLite file {}", self.name), e).into())
    }
}

impl Engine for Sqlite {
    fn readers(&self) -> &Arc<Semaphore> {
        &self.may_read
    }

    fn writers(&self) -> &Arc<Semaphore> {
        &self.may_write
    }

    fn wait(&self) -> Duration {
        self.wait
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn look<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error> {
        work(&mut Conn::Sqlite(&mut *self.get(&self.readers)?)).map_err(|e| e.sorted(errors::statement))
    }

    fn read<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let answer = self.get(&self.readers)?.transaction(|conn| work(&mut Conn::Sqlite(conn)));
        answer.map_err(|e| e.sorted(errors::statement))
    }

    fn write<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error> {
        // Immediate: a transaction that begins as a reader and then writes is
        // refused when another one wrote in between, whatever the timeout.
        let answer = self.get(&self.writer)?.immediate_transaction(|conn| work(&mut Conn::Sqlite(conn)));
        answer.map_err(|e| e.sorted(errors::statement))
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("file", &self.name).finish_non_exhaustive()
    }
}
