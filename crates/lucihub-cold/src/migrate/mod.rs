//! The schema of a database and its migrations, from `migrations/`.
//!
//! | file | what is there |
//! | --- | --- |
//! | `script.rs` | a migration: its SQL and its header, embedded by `build.rs` |
//! | `marks.rs` | our table of what was applied, beside the one of diesel's harness |
//! | `standing.rs`, `problem.rs` | how a database stands to this library, and what is wrong with it |
//! | `plan.rs`, `run.rs` | what a change would run, and running it |
//! | `catalog.rs` | what a database says about its own tables |
//! | `migrator.rs` | a database and a library, joined; locks are the engines' |
//!
//! Nothing migrates unless asked, except a database file that is new. Of several that migrate at once, one does and the
//! others find it done. On SQLite all that is asked for is one transaction; on PostgreSQL each migration is one, and one
//! that cannot be is marked dirty until it is done, and can be repeated.
//!
//! Every migration states the oldest [`GENERATION`] of this library that may still use the schema after it. So a
//! component of an older version starts on a database that was expanded for a newer one, and is refused by one that was
//! contracted, or that has tables which it would have to fill and does not know.

mod catalog;
mod marks;
mod migrator;
mod plan;
mod problem;
mod run;
mod script;
mod standing;
#[cfg(feature = "sqlite")]
#[cfg(test)]
pub(crate) mod tests;

use lucihub_models_core::{Invalid, Result};

pub use plan::{Change, MigrationPlan, PlannedStep};
pub use problem::Problem;
pub use script::Direction;
pub use standing::{MigrationState, MigrationStatus};

pub(crate) use migrator::Migrator;
#[cfg(feature = "sqlite")]
pub(crate) use standing::refuse_others;

use crate::cold::{blocking, blocking_to_write};

/// The generation of this library. It grows when the library begins to need something of the schema that older ones do
/// not keep up; a migration that takes away what a generation uses states the next one as its oldest.
///
/// | generation | since | what it keeps up |
/// | --- | --- | --- |
/// | 1 | `first` | runs, cells and devices |
/// | 2 | `search` | also tags and usage: what an older library writes would not be found, and not be counted |
pub const GENERATION: u32 = 2;

/// How messages name a database: by its file, or by host, port and name, without user and password.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// assert_eq!(lucihub_cold::migrate::shown("sqlite:lab.db")?, "SQLite file lab.db");
/// # Ok::<(), lucihub_models_core::StoreError>(())
/// ```
///
/// # Errors
/// `Invalid` for a URL of another form, which is not shown.
pub fn shown(url: &str) -> Result<String> {
    Ok(Migrator::of_url(url)?.shown())
}

/// The migrations of this library, oldest first, then those that it does not know; and what the database has of them.
/// `url` is `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`, here and below.
///
/// # Errors
/// `NotFound` for a file that is not there; `Precondition` for a database that is another program's, or that does not
/// let us in; `Invalid` for another URL, which is not shown; `Unavailable` if it does not answer.
pub async fn status(url: &str) -> Result<Vec<MigrationStatus>> {
    let migrator = Migrator::of_url(url)?;
    blocking(move || migrator.status()).await
}

/// Everything that is not as it should be; nothing if all is well. Changes nothing.
///
/// # Errors
/// As [`status`].
pub async fn check(url: &str) -> Result<Vec<Problem>> {
    let migrator = Migrator::of_url(url)?;
    blocking(move || migrator.check()).await
}

/// What a change would run. Changes nothing.
///
/// # Errors
/// As [`up`], except that a file which is not there is a new one for [`Change::Up`].
pub async fn plan(url: &str, change: Change) -> Result<MigrationPlan> {
    let migrator = Migrator::of_url(url)?;
    blocking(move || migrator.plan(change)).await
}

/// Applies what is pending, repeats what was left off amid, and returns the names of both. A file that is not there is
/// created.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use lucihub_cold::migrate::{self, MigrationState};
///
/// let folder = tempfile::tempdir()?;
/// let url = format!("sqlite:{}", folder.path().join("lab.db").display());
/// let applied = migrate::up(&url).await?;
/// assert!(!applied.is_empty() && migrate::up(&url).await?.is_empty());
/// assert!(migrate::status(&url).await?.iter().all(|migration| migration.state == MigrationState::Applied));
/// assert_eq!(migrate::check(&url).await?, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// As [`status`]; `Precondition` for a migration that fails, for a role that does not own the schema, and for a database
/// that a newer library changed beyond what this one may use; `Unavailable` while another one migrates for longer than a minute.
pub async fn up(url: &str) -> Result<Vec<String>> {
    change(url, Change::Up).await
}

/// Undoes the last `count` migrations, and returns their names, the last one first. **What stood in the tables and
/// columns that they made is lost.**
///
/// # Errors
/// As [`up`]; `Precondition` while a migration that this library does not know stands above.
pub async fn down(url: &str, count: usize) -> Result<Vec<String>> {
    change(url, Change::Down(count)).await
}

/// Undoes the last migration and applies it again; returns its name twice. **What stood in the tables and columns that
/// it made is lost.**
///
/// # Errors
/// As [`down`]; `Precondition` while migrations are pending.
pub async fn redo(url: &str) -> Result<Vec<String>> {
    change(url, Change::Redo).await
}

/// Runs a change as it was planned and looked at, and returns the names of its migrations. Others may have migrated since
/// then: if other migrations would run now, none does.
///
/// # Errors
/// As [`up`] and [`down`]; `Precondition` if the change would run something else than `plan` says.
pub async fn as_planned(url: &str, change: Change, plan: MigrationPlan) -> Result<Vec<String>> {
    let migrator = Migrator::of_url(url)?;
    blocking_to_write(move || migrator.change_as_planned(change, &plan)).await
}

async fn change(url: &str, change: Change) -> Result<Vec<String>> {
    let migrator = Migrator::of_url(url)?;
    blocking_to_write(move || migrator.change(change)).await
}

/// The URL itself is left out: it may hold a password.
fn no_such_database() -> Invalid {
    let hint = "write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE, as far as this build has them";
    Invalid::new("database URL", "no database of this build").hint(hint)
}
