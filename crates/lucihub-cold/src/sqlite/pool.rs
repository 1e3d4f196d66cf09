//! The connections to one file: one that writes, and readers beside it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::{ConnectionManager, NopErrorHandler, Pool, PooledConnection};
use diesel::result::Error as DieselError;
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
        let answer = whole(&mut *self.get(&self.readers)?, &Begin::Read, |conn| work(&mut Conn::Sqlite(conn)));
        answer.map_err(|e| e.sorted(errors::statement))
    }

    fn write<T>(&self, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let answer = whole(&mut *self.get(&self.writer)?, &Begin::Write, |conn| work(&mut Conn::Sqlite(conn)));
        answer.map_err(|e| e.sorted(errors::statement))
    }
}

/// What a transaction begins as.
pub(super) enum Begin {
    Read,
    /// Immediate: a transaction that begins as a reader and then writes is refused when another one wrote in between,
    /// whatever the timeout.
    Write,
}

/// Runs work in a transaction, and gives its own error back. What SQLite fails for want of room or of a sound disk it rolls
/// back by itself; rolling back once more fails then, and the query builder would tell of that alone.
pub(super) fn whole<T>(
    conn: &mut SqliteConnection,
    begin: &Begin,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut failed = None;
    let work = |conn: &mut SqliteConnection| {
        work(conn).map_err(|error| {
            failed = Some(error);
            Error::from(DieselError::RollbackTransaction)
        })
    };
    let answer = match begin {
        Begin::Read => conn.transaction(work),
        Begin::Write => conn.immediate_transaction(work),
    };
    failed.map_or(answer, Err)
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("file", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;

    #[test]
    fn a_disk_that_is_full_in_the_midst_of_a_transaction_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Sqlite::new(&SqliteOptions::file(folder.path().join("x.db"))).unwrap();
        let run = |sql: &str| {
            engine.write(|conn| match conn {
                Conn::Sqlite(conn) => Ok(conn.batch_execute(sql)?),
                #[cfg(feature = "postgres")]
                Conn::Postgres(_) => unreachable!("it is SQLite"),
            })
        };
        run("CREATE TABLE t (x)").unwrap();
        // More than the cache of the writer, so that pages leave it before the commit.
        let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000) \
                    INSERT INTO t SELECT randomblob(4096) FROM n";
        let error: StoreError = run(&format!("PRAGMA max_page_count = 1000; {fill}")).unwrap_err().into();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        run("PRAGMA max_page_count = 100000; INSERT INTO t VALUES (1)").unwrap();
    }
}
