//! The schema of a database and its migrations, from `migrations/`.
//!
//! Nothing migrates unless asked, except a database that is new. All pending
//! migrations run in one transaction, so that a failing one leaves the database
//! as it was and several starters at once do it once.

use diesel::SqliteConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use lucihub_models_core::{Result, StoreError};

use crate::cold::blocking;
use crate::error::Error;
use crate::sqlite::{SqliteOptions, file};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The table in which the harness keeps what was applied.
const APPLIED: &str = "__diesel_schema_migrations";

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
    on_file(url, Action::Status).await
}

/// Applies what is pending and returns the names of all that were; a file that
/// is not there is created. `url` is `sqlite:PATH`.
///
/// # Errors
/// As [`status`]; `Unavailable` while another process writes.
pub async fn up(url: &str) -> Result<Vec<String>> {
    let before = on_file(url, Action::Up).await?;
    Ok(before.into_iter().filter(|migration| !migration.applied).map(|migration| migration.name).collect())
}

/// Refuses a database whose schema is not that of this library, as opening it
/// does. `url` is `sqlite:PATH`.
///
/// # Errors
/// As [`status`]; `Precondition` for a schema that is older.
pub async fn check(url: &str) -> Result<()> {
    on_file(url, Action::Check).await.map(drop)
}

async fn on_file(url: &str, action: Action) -> Result<Vec<MigrationStatus>> {
    let options = SqliteOptions::url(url)?;
    blocking(move || file::migrate(&options, action)).await
}

/// Does it, inside a transaction of the caller, and answers with what was
/// applied before.
pub(crate) fn run(conn: &mut SqliteConnection, action: Action, what: &str) -> Result<Vec<MigrationStatus>, Error> {
    let known = MigrationSource::<Sqlite>::migrations(&MIGRATIONS).map_err(|e| broken(what, e))?;
    let applied = applied(conn, what)?;
    if let Some(newer) = applied.iter().find(|version| !known.iter().any(|m| m.name().version() == **version)) {
        let why = format!(
            "it has migration {newer}, which this version of the library does not know; upgrade this component"
        );
        return Err(StoreError::precondition(what, why).into());
    }
    let status: Vec<MigrationStatus> = known
        .iter()
        .map(|m| MigrationStatus { name: m.name().to_string(), applied: applied.contains(&m.name().version()) })
        .collect();
    let pending = status.iter().filter(|migration| !migration.applied).count();
    match action {
        Action::Check if pending > 0 => {
            let why = format!("its schema lacks {pending} of {} migrations; run `lucihub migrate up`", status.len());
            Err(StoreError::precondition(what, why).into())
        }
        Action::Up if pending > 0 => {
            conn.run_pending_migrations(MIGRATIONS).map_err(|e| broken(what, e))?;
            Ok(status)
        }
        Action::Check | Action::Up | Action::Status => Ok(status),
    }
}

type Version = diesel::migration::MigrationVersion<'static>;

fn applied(conn: &mut SqliteConnection, what: &str) -> Result<Vec<Version>, Error> {
    // Asking the harness would create its table, also where it has no place.
    if file::has_table(conn, APPLIED)? {
        return conn.applied_migrations().map_err(|e| broken(what, e));
    }
    if !file::is_empty(conn)? {
        let why = "it is a database of another program; name another file";
        return Err(StoreError::precondition(what, why).into());
    }
    Ok(Vec::new())
}

/// The harness wraps the database's error; what it was is in its text.
fn broken(what: &str, error: impl std::fmt::Display) -> Error {
    StoreError::unavailable(what, error).into()
}
