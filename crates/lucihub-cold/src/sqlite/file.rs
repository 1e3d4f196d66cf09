//! Before a file is used: it is there, it is ours, and nobody else is at its schema.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Integer};
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use lucihub_models_core::{Result, StoreError};

use super::connect::{Settings, lay_out};
use super::errors;
use super::options::SqliteOptions;
use super::pool::{Begin, whole};
use crate::conn::Conn;
use crate::error::Error;
use crate::migrate;

/// Looks at a file that is there, on one snapshot. Blocks.
pub(crate) fn look<T>(
    options: &SqliteOptions,
    work: impl FnOnce(&mut Conn<'_>, &str) -> Result<T, Error>,
) -> Result<T, Error> {
    let what = display(options);
    if !options.path.exists() {
        return Err(StoreError::not_found(what).into());
    }
    let found = whole(&mut establish(options)?, &Begin::Read, |conn| work(&mut Conn::Sqlite(conn), &what));
    found.map_err(|e| named(e, options))
}

/// Works on the schema of a file, which is made if it is not there, in one transaction: of several that start at once,
/// one migrates and the others find it done. Blocks.
pub(crate) fn alone<T>(
    options: &SqliteOptions,
    work: impl FnOnce(&mut Conn<'_>, &str) -> Result<T, Error>,
) -> Result<T, Error> {
    let what = display(options);
    let conn = &mut open(options)?;
    let done = (|| {
        // A table is changed beyond adding columns by making it anew, and dropping a table deletes its rows one by
        // one: with foreign keys in force, dropping the old table of runs would delete all their cells.
        conn.batch_execute("PRAGMA foreign_keys = OFF")?;
        let checked = |conn: &mut SqliteConnection| {
            let before = schema_version(conn)?;
            let answer = work(&mut Conn::Sqlite(conn), &what)?;
            if schema_version(conn)? != before {
                check_foreign_keys(conn, &what)?;
            }
            Ok(answer)
        };
        whole(conn, &Begin::Write, checked)
    })();
    done.map_err(|e| named(e, options))
}

/// Works on a database that is in memory and new, as if it were a file.
pub(crate) fn imagine<T>(work: impl FnOnce(&mut Conn<'_>, &str) -> Result<T, Error>) -> Result<T, Error> {
    let mut conn = SqliteConnection::establish(":memory:").map_err(|e| StoreError::unavailable(errors::STORE, e))?;
    work(&mut Conn::Sqlite(&mut conn), errors::STORE)
}

/// A number that grows with each change of the schema.
fn schema_version(conn: &mut SqliteConnection) -> Result<i32, Error> {
    let version = sql::<Integer>("(SELECT schema_version FROM pragma_schema_version)");
    Ok(diesel::select(version).get_result(conn)?)
}

/// Refuses rows whose parent is gone.
fn check_foreign_keys(conn: &mut SqliteConnection, what: &str) -> Result<(), Error> {
    let orphans = sql::<BigInt>("(SELECT count(*) FROM (SELECT 1 FROM pragma_foreign_key_check LIMIT 1))");
    if diesel::select(orphans).get_result::<i64>(conn)? == 0 {
        return Ok(());
    }
    let why = "the migration would leave rows behind whose run is gone; nothing of it was kept";
    Err(StoreError::precondition(what, why).into())
}

/// Opens a file to change it: one of ours, or a new one.
fn open(options: &SqliteOptions) -> Result<SqliteConnection, Error> {
    let mut conn = establish(options)?;
    // Another program's file is refused before anything of it is changed. One transaction: a file that someone
    // else migrates between two looks would have tables, and no migrations yet.
    let ours = conn.transaction(|conn| migrate::refuse_others(&mut Conn::Sqlite(conn), &display(options)));
    ours.map_err(|e| named(e, options))?;
    retry_while_locked(options.busy_timeout, || Ok(lay_out(&mut conn)?)).map_err(|e| named(e, options))?;
    Ok(conn)
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
pub(crate) fn display(options: &SqliteOptions) -> String {
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
