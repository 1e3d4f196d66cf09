//! How to open a PostgreSQL database.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lucihub_models_core::{Invalid, Limits, WriteAs};

use super::url::Place;

/// Which database to open, and how.
///
/// ```
/// use lucihub_cold::PostgresOptions;
/// let options = PostgresOptions::url("postgres://writer@db.lab/lucihub?sslmode=verify-full")?.with_connections(20);
/// assert_eq!(options.connections, 20);
/// assert!(!options.migrate);
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresOptions {
    pub(crate) place: Place,
    /// How many connections there are at most, at least 1.
    pub connections: u32,
    /// How large things may be.
    pub limits: Limits,
    /// In which version heads are written, and under which name.
    pub writes: WriteAs,
    /// How long to wait for a connection while all of them are busy, and for the server to take a new one.
    pub wait: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long the server keeps a transaction whose client does nothing.
    pub idle_in_transaction_timeout: Duration,
    /// Certificates of the authorities to be trusted, in PEM; default: those of the URL's `sslrootcert`, or else the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether to bring the database to the present schema.
    pub migrate: bool,
}

impl PostgresOptions {
    /// The database of a URL, `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?NAME=VALUE&...]`, with 10 connections.
    ///
    /// | in the URL | means |
    /// | --- | --- |
    /// | `sslmode=verify-full` | TLS, and the certificate names the host; the default for hosts that are not this machine |
    /// | `sslmode=disable` | no TLS; the default for this machine |
    /// | `sslrootcert=FILE` | the authorities to be trusted, in PEM; else the system's |
    /// | `application_name=NAME` | who this is, to people who look at the server; `lucihub` if absent |
    /// | `host=/FOLDER` | the folder of a Unix socket; write `postgres:///DATABASE?host=/FOLDER` |
    ///
    /// Others are those of [libpq](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS) that
    /// `tokio-postgres` knows. The modes in between, such as `require`, do not look at who answers, and are refused.
    ///
    /// # Errors
    /// [`Invalid`] for a URL of another form. No error shows the URL, which may hold a password.
    pub fn url(url: &str) -> Result<Self, Invalid> {
        Ok(Self {
            place: Place::parse(url)?,
            connections: 10,
            limits: Limits::default(),
            writes: WriteAs::default(),
            wait: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(60),
            ca_file: None,
            migrate: false,
        })
    }

    /// Sets how many connections there are at most.
    #[must_use]
    pub const fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// Sets in which version heads are written, and under which name.
    #[must_use]
    pub fn with_writes(mut self, writes: WriteAs) -> Self {
        self.writes = writes;
        self
    }

    /// Sets how large things may be.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long to wait for a connection.
    #[must_use]
    pub const fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sets how long one statement may take.
    #[must_use]
    pub const fn with_statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Sets how long a statement may wait for a lock.
    #[must_use]
    pub const fn with_lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Sets how long the server keeps a transaction whose client does nothing.
    #[must_use]
    pub const fn with_idle_in_transaction_timeout(mut self, timeout: Duration) -> Self {
        self.idle_in_transaction_timeout = timeout;
        self
    }

    /// Trusts the authorities of a PEM file, instead of the system's.
    #[must_use]
    pub fn with_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// Brings the database to the present schema when it is opened.
    #[must_use]
    pub const fn with_migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// How errors name the database: without user and password.
    pub(crate) fn shown(&self) -> String {
        self.place.to_string()
    }
}

/// Without the password.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("place", &self.place)
            .field("connections", &self.connections)
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
}
