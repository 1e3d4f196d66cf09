//! PostgreSQL: any number of processes on any number of machines.
//!
//! Free texts are columns of type `text`, which people and tools can read. What such a column cannot hold, a NUL, is
//! written as its symbol, U+2400; that symbol itself gets U+241B in front. So every text comes back as it was.

mod connect;
pub(crate) mod errors;
pub(crate) mod link;
mod options;
mod owner;
mod pool;
mod prepare;
mod settle;
mod tls;
mod types;
mod url;

use std::sync::Arc;

use lucihub_models_core::{Clock, Result};

pub(crate) use connect::SCHEMA;
pub use options::PostgresOptions;
pub(crate) use owner::act_as_owner;
pub use pool::Postgres;
pub(crate) use prepare::{alone, look};
pub use url::is_postgres;

use crate::cold::{Cold, blocking};
use crate::migrate::Migrator;

/// Cold storage in the schema `lucihub` of a PostgreSQL database, version 13 or newer.
pub type PostgresCold = Cold<Postgres>;

impl Cold<Postgres> {
    /// Opens a database whose schema is the present one; it is left alone unless
    /// [`PostgresOptions::with_migrate`] says otherwise.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), lucihub_models_core::StoreError> {
    /// use std::sync::Arc;
    /// use lucihub_cold::{PostgresCold, PostgresOptions};
    /// use lucihub_models_core::SystemClock;
    ///
    /// let options = PostgresOptions::url("postgres://writer:secret@localhost/lucihub")?;
    /// let cold = PostgresCold::open(options, Arc::new(SystemClock)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Precondition` for a wrong password, database or certificate, for a server that is too old, and for a
    /// schema that this version must not use, with what to do; `Invalid` for a file of certificates that cannot be read; `Unavailable` if
    /// the server does not answer.
    pub async fn open(options: PostgresOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        let (limits, writes) = (options.limits.clone(), options.writes.clone());
        let engine = blocking(move || {
            Migrator::from(&options).prepare(options.migrate)?;
            Postgres::new(&options)
        });
        Ok(Self::new(engine.await?, limits, writes, clock))
    }
}
