//! SQLite: one file, one writer and many readers.

mod connect;
pub(crate) mod errors;
pub(crate) mod file;
mod options;
mod pool;
mod types;

use std::sync::Arc;

use lucihub_models_core::{Clock, Result};

pub use options::SqliteOptions;
pub use pool::Sqlite;

use crate::cold::{Cold, blocking};
use crate::migrate::Migrator;

/// Cold storage in one SQLite file.
///
/// Any number of processes may open the same file on one machine. Not on a
/// network file system: SQLite's locks and shared memory do not work there.
pub type SqliteCold = Cold<Sqlite>;

impl Cold<Sqlite> {
    /// Opens a file. One that is not there, or is empty, is created with the
    /// present schema; one that holds an older schema is left alone unless
    /// [`SqliteOptions::with_migrate`] says otherwise.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use std::sync::Arc;
    /// use lucihub_cold::{SqliteCold, SqliteOptions};
    /// use lucihub_models_core::{JobType, RunHead, SystemClock, Timestamp, cold::ColdRuns};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let options = SqliteOptions::file(folder.path().join("lab.db"));
    /// let cold = SqliteCold::open(options, Arc::new(SystemClock)).await?;
    /// let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse()?;
    /// cold.create(&RunHead::queued(id, JobType::Run, Timestamp::EPOCH)).await?;
    /// assert!(cold.get(id).await?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `NotFound` for a folder that is not there; `Precondition` for a file that
    /// is not a database, is another program's, or holds a schema that this
    /// version must not use, with what to do; `Unavailable` if it cannot be opened or is
    /// locked for longer than the busy timeout.
    pub async fn open(options: SqliteOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        let (limits, writes) = (options.limits.clone(), options.writes.clone());
        let engine = blocking(move || {
            Migrator::from(&options).prepare(options.migrate)?;
            Ok(Sqlite::new(&options)?)
        });
        Ok(Self::new(engine.await?, limits, writes, clock))
    }
}
