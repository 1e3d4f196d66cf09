//! Before a file is used: it is there, it is ours, and its schema is the present one.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Bool};
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use lucihub_models_core::{Result, StoreError};

use super::connect::{Settings, lay_out};
use super::errors;
use super::options::SqliteOptions;
use crate::error::Error;
use crate::migrate::{self, Action, MigrationStatus};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Makes a file ready: creates a new one, and brings its schema to the present
/// one where that is wanted. Blocks.
pub(super) fn prepare(options: &SqliteOptions) -> Result<(), Error> {
    let conn = &mut open(options)?;
    // One transaction for all of it: of several that start at once, one
    // migrates and the others find it done.
    let ready = conn.immediate_transaction(|conn| {
        let action = if options.migrate || is_empty(conn)? { Action::Up } else { Action::Check };
        run(conn, action, &display(options)).map(drop)
    });
    ready.map_err(|e| named(e, options))
}

/// Runs migrations or looks at them; a file that is not there is created only
/// to migrate it. Blocks.
pub(crate) fn migrate(options: &SqliteOptions, action: Action) -> Result<Vec<MigrationStatus>, Error> {
    let what = display(options);
    if action == Action::Up {
        let done = open(options)?.immediate_transaction(|conn| run(conn, action, &what));
        return done.map_err(|e| named(e, options));
    }
    if !options.path.exists() {
        return Err(StoreError::not_found(what).into());
    }
    let found = establish(options)?.transaction(|conn| run(conn, action, &what));
    found.map_err(|e| named(e, options))
}

/// Opens a file to use it: one of ours, or a new one.
fn open(options: &SqliteOptions) -> Result<SqliteConnection, Error> {
    let mut conn = establish(options)?;
    // Another program's file is refused before anything of it is changed. One transaction: a file that someone
    // else migrates between two looks would have tables, and no migrations yet.
    let status = conn.transaction(|conn| run(conn, Action::Status, &display(options)));
    status.map_err(|e| named(e, options))?;
    retry_while_locked(options.busy_timeout, || Ok(lay_out(&mut conn)?)).map_err(|e| named(e, options))?;
    Ok(conn)
}

/// Runs migrations or looks at them, inside a transaction of the caller, and answers with what was applied before.
pub(crate) fn run(conn: &mut SqliteConnection, action: Action, what: &str) -> Result<Vec<MigrationStatus>, Error> {
    let status = migrate::compare::<diesel::sqlite::Sqlite>(&MIGRATIONS, &applied(conn, what)?, what)?;
    if migrate::decide(&status, action, what)? {
        conn.run_pending_migrations(MIGRATIONS).map_err(|e| migrate::broken(what, e))?;
    }
    Ok(status)
}

fn applied(conn: &mut SqliteConnection, what: &str) -> Result<Vec<migrate::Version>, Error> {
    // Asking the harness would create its table, also where it has no place.
    if has_table(conn, migrate::APPLIED)? {
        return conn.applied_migrations().map_err(|e| migrate::broken(what, e));
    }
    if !is_empty(conn)? {
        let why = "it is a database of another program; name another file";
        return Err(StoreError::precondition(what, why).into());
    }
    Ok(Vec::new())
}

/// Puts the file's name into an error of the database.
fn named(error: Error, options: &SqliteOptions) -> Error {
    Error::Store(match StoreError::from(error.sorted(errors::statement)) {
        StoreError::Precondition { what, why } if what == errors::STORE => {
            StoreError::precondition(display(options), why)
        }
        StoreError::Unavailable { store, why } if store == errors::STORE => {
            StoreError::unavailable(display(options), why)
        }
        StoreError::Full { store, why } if store == errors::STORE => StoreError::Full { store: display(options), why },
        other => other,
    })
}

/// How errors name the file.
fn display(options: &SqliteOptions) -> String {
    format!("SQLite file {}", options.path.display())
}

/// Opens a file as it is. SQLite touches it with the first statement, not here.
fn establish(options: &SqliteOptions) -> Result<SqliteConnection, Error> {
    let name = options.name()?;
    let folder = Path::new(&name).parent().unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(StoreError::not_found(format!("folder {} of the {}", folder.display(), display(options))).into());
    }
    let mut conn = SqliteConnection::establish(&name).map_err(|e| StoreError::unavailable(display(options), e))?;
    let settings = Settings { busy_timeout: options.busy_timeout };
    settings.apply(&mut conn).map_err(|e| named(e.into(), options))?;
    Ok(conn)
}

/// Whether nothing was ever written to the file.
fn is_empty(conn: &mut SqliteConnection) -> Result<bool, Error> {
    let tables = diesel::select(sql::<BigInt>("(SELECT count(*) FROM sqlite_schema)")).get_result::<i64>(conn)?;
    Ok(tables == 0)
}

/// Whether a table is there.
fn has_table(conn: &mut SqliteConnection, name: &'static str) -> Result<bool, Error> {
    let there = sql::<Bool>("EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ");
    Ok(diesel::select(there.bind::<diesel::sql_types::Text, _>(name).sql(")")).get_result(conn)?)
}

/// Switching a file to WAL does not wait for its lock the way that statements do.
fn retry_while_locked(limit: Duration, mut step: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    let begun = Instant::now();
    loop {
        match step() {
            Err(Error::Database(DieselError::DatabaseError(_, info)))
                if info.message().contains("is locked") && begun.elapsed() < limit =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}
