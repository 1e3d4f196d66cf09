//! Before a database is used: its server is new enough, and nobody else is at its schema.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};
use lucihub_models_core::{Result, StoreError};

use super::connect::Connector;
use super::errors;
use super::link::{Link, PgConn};
use super::options::PostgresOptions;
use crate::conn::Conn;
use crate::error::Error;

/// The oldest server that can tell what became of a transaction.
const OLDEST: i32 = 130_000;

/// The lock of whoever migrates: any number will do that nobody else takes.
const LOCK: i64 = 0x006c_7563_6968_7562;

/// How long a statement of a migration may take: an index of a large table takes hours.
const STATEMENT: Duration = Duration::from_hours(24);

/// Looks at a database. Blocks.
pub(crate) fn look<T>(
    options: &PostgresOptions,
    work: impl FnOnce(&mut Conn<'_>, &str) -> Result<T, Error>,
) -> Result<T, Error> {
    sorted(options, |what| {
        let mut link = connect(options, what)?;
        work(&mut Conn::Postgres(&mut link.conn), what)
    })
}

/// Works on the schema of a database while nobody else does. Blocks.
pub(crate) fn alone<T>(
    options: &PostgresOptions,
    work: impl FnOnce(&mut Conn<'_>, &str) -> Result<T, Error>,
) -> Result<T, Error> {
    sorted(options, |what| {
        let mut link = connect(options, what)?;
        // Not by the options: those of the URL would win.
        link.conn.batch_execute(&format!("SET statement_timeout = {}", STATEMENT.as_millis()))?;
        link.set_patience(STATEMENT.saturating_add(Duration::from_secs(5)));
        lock(&mut link.conn, what)?;
        let done = work(&mut Conn::Postgres(&mut link.conn), what);
        let unlocked = diesel::select(sql::<Bool>(&format!("pg_advisory_unlock({LOCK})")));
        let unlocked: QueryResult<bool> = unlocked.get_result(&mut link.conn);
        // The lock ends with the connection too; why the work failed says more.
        done.and_then(|done| Ok(unlocked.map(|_| done)?))
    })
}

/// Errors that name the database.
fn sorted<T>(options: &PostgresOptions, work: impl FnOnce(&str) -> Result<T, Error>) -> Result<T, Error> {
    let what = options.shown();
    work(&what).map_err(|error| errors::named(error.sorted(errors::statement), &what))
}

/// Connects to a server that is new enough.
fn connect(options: &PostgresOptions, what: &str) -> Result<Link, Error> {
    let mut link = Connector::new(options)?.connect()?;
    let version = sql::<Integer>("CAST(current_setting('server_version_num') AS integer)");
    let version: i32 = diesel::select(version).get_result(&mut link.conn)?;
    if version < OLDEST {
        let why = format!("its server is version {}, and 13 is the oldest that will do; upgrade it", version / 10_000);
        return Err(StoreError::precondition(what, why).into());
    }
    Ok(link)
}

/// Waits by asking again: whoever waits inside a statement holds a snapshot, for which an index that is made without
/// blocking writers would wait in turn.
fn lock(conn: &mut PgConn, what: &str) -> Result<(), Error> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let begun = Instant::now();
    loop {
        if diesel::select(sql::<Bool>(&format!("pg_try_advisory_lock({LOCK})"))).get_result(conn)? {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            let why = format!("somebody else has migrated it for {PATIENCE:?}; wait for them, then run it again");
            return Err(StoreError::unavailable(what, why).into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
