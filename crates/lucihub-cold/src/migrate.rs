//! The schema of a database and its migrations, from `migrations/`.
//!
//! Nothing migrates unless asked, except a database that is new. All pending
//! migrations run in one transaction, so that a failing one leaves the database
//! as it was and several starters at once do it once.

use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationName, MigrationSource};
use lucihub_models_core::{Invalid, Result, StoreError};

use crate::cold::blocking;
use crate::error::Error;

/// The table in which the harness keeps what was applied.
pub(crate) const APPLIED: &str = "__diesel_schema_migrations";

/// A migration, and whether a database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its name: the time of its writing, and what it is about.
    pub name: String,
    /// Whether it was applied.
    pub applied: bool,
}

/// What to do with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Say what is applied.
    Status,
    /// Refuse a schema that is not the present one.
    Check,
    /// Apply what is pending.
    Up,
}

/// The migrations of this library, oldest first, and which of them the database
/// has. `url` is `sqlite:PATH`.
///
/// # Errors
/// `NotFound` for a file that is not there; `Precondition` for a file that is
/// not ours, or that a newer library migrated.
pub async fn status(url: &str) -> Result<Vec<MigrationStatus>> {
    on_database(url, Action::Status).await
}

/// Applies what is pending and returns the names of all that were; a file that
/// is not there is created. `url` is `sqlite:PATH`.
///
/// # Errors
/// As [`status`]; `Unavailable` while another process writes.
pub async fn up(url: &str) -> Result<Vec<String>> {
    let before = on_database(url, Action::Up).await?;
    Ok(before.into_iter().filter(|migration| !migration.applied).map(|migration| migration.name).collect())
}

/// Refuses a database whose schema is not that of this library, as opening it
/// does. `url` is `sqlite:PATH`.
///
/// # Errors
/// As [`status`]; `Precondition` for a schema that is older.
pub async fn check(url: &str) -> Result<()> {
    on_database(url, Action::Check).await.map(drop)
}

async fn on_database(url: &str, action: Action) -> Result<Vec<MigrationStatus>> {
    #[cfg(feature = "postgres")]
    if crate::postgres::is_postgres(url) {
        let options = crate::postgres::PostgresOptions::url(url)?;
        return blocking(move || crate::postgres::migrate(&options, action)).await;
    }
    #[cfg(feature = "sqlite")]
    if url.starts_with("sqlite:") {
        let options = crate::sqlite::SqliteOptions::url(url)?;
        return blocking(move || crate::sqlite::file::migrate(&options, action)).await;
    }
    let _ = action;
    // The URL itself is left out: it may hold a password.
    let hint = "write sqlite:PATH or postgres://USER@HOST/DATABASE, as far as this build has them";
    Err(Invalid::new("database URL", "no database of this build").hint(hint).into())
}

pub(crate) type Version = diesel::migration::MigrationVersion<'static>;

/// The migrations of this library, and which of them were applied.
pub(crate) fn compare<DB: Backend>(
    known: &impl MigrationSource<DB>,
    applied: &[Version],
    what: &str,
) -> Result<Vec<MigrationStatus>, Error> {
    let known = known.migrations().map_err(|e| broken(what, e))?;
    if let Some(newer) = applied.iter().find(|version| !known.iter().any(|m| m.name().version() == **version)) {
        let why = format!(
            "it has migration {newer}, which this version of the library does not know; upgrade this component"
        );
        return Err(StoreError::precondition(what, why).into());
    }
    let names = known.iter().map(Migration::name);
    let status =
        |m: &dyn MigrationName| MigrationStatus { name: m.to_string(), applied: applied.contains(&m.version()) };
    Ok(names.map(status).collect())
}

/// Whether there is something to do.
pub(crate) fn decide(status: &[MigrationStatus], action: Action, what: &str) -> Result<bool, Error> {
    let pending = status.iter().filter(|migration| !migration.applied).count();
    if action == Action::Check && pending > 0 {
        let why = format!("its schema lacks {pending} of {} migrations; run `lucihub migrate up`", status.len());
        return Err(StoreError::precondition(what, why).into());
    }
    Ok(action == Action::Up && pending > 0)
}

/// The harness wraps the database's error; what it was is in its text.
pub(crate) fn broken(what: &str, error: impl std::fmt::Display) -> Error {
    StoreError::unavailable(what, error).into()
}
