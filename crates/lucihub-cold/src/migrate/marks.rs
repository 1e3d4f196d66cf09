//! Our table of migrations, beside diesel's: what was applied, from which text, and who may still use the schema.

use diesel::prelude::*;
use lucihub_models_core::Timestamp;

use super::script::Script;
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::types::Time;

/// Its name.
pub(crate) const MARKS: &str = "lucihub_migrations";

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::types::DbTime;

    lucihub_migrations (version) {
        version -> Text,
        name -> Text,
        digest -> Text,
        oldest_generation -> BigInt,
        state -> Text,
        applied_at -> DbTime,
    }
}

/// The state of a migration that is being applied or undone outside a transaction, or was left off amid.
const DIRTY: &str = "dirty";
const DONE: &str = "done";

/// A row.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) digest: String,
    pub(crate) oldest: i64,
    pub(crate) dirty: bool,
    pub(crate) applied_at: Timestamp,
}

/// The statement that makes the table. The clock is the database's: its operators read this column.
pub(crate) const fn creation(conn: &Conn<'_>) -> &'static str {
    match conn {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(_) => {
            "CREATE TABLE lucihub_migrations (
    version TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    oldest_generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('dirty', 'done')),
    applied_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;
"
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(_) => {
            "CREATE TABLE lucihub_migrations (
    version text COLLATE \"C\" NOT NULL PRIMARY KEY,
    name text COLLATE \"C\" NOT NULL,
    digest text COLLATE \"C\" NOT NULL,
    oldest_generation bigint NOT NULL,
    state text COLLATE \"C\" NOT NULL CHECK (state IN ('dirty', 'done')),
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"
        }
    }
}

/// All rows, by version.
pub(crate) fn read(conn: &mut Conn<'_>) -> Result<Vec<Mark>, Error> {
    type Row = (String, String, String, i64, String, Time);
    let query = lucihub_migrations::table.order(lucihub_migrations::version);
    let rows: Vec<Row> = on_conn!(conn, c => query.load(c))?;
    let mark = |(version, name, digest, oldest, state, applied_at): Row| Mark {
        version,
        name,
        digest,
        oldest,
        dirty: state != DONE,
        applied_at: applied_at.0,
    };
    Ok(rows.into_iter().map(mark).collect())
}

/// Marks a migration as applied.
pub(crate) fn done(conn: &mut Conn<'_>, script: &Script) -> Result<(), Error> {
    write(conn, script, DONE)
}

/// Marks a migration as under way.
pub(crate) fn dirty(conn: &mut Conn<'_>, script: &Script) -> Result<(), Error> {
    write(conn, script, DIRTY)
}

/// Takes the mark of a migration away.
pub(crate) fn remove(conn: &mut Conn<'_>, script: &Script) -> Result<(), Error> {
    let mine = lucihub_migrations::table.find(script.version());
    on_conn!(conn, c => diesel::delete(mine).execute(c))?;
    Ok(())
}

fn write(conn: &mut Conn<'_>, script: &Script, state: &str) -> Result<(), Error> {
    remove(conn, script)?;
    let values = (
        lucihub_migrations::version.eq(script.version()),
        lucihub_migrations::name.eq(script.name),
        lucihub_migrations::digest.eq(script.digest()),
        lucihub_migrations::oldest_generation.eq(i64::from(script.oldest)),
        lucihub_migrations::state.eq(state.to_owned()),
    );
    on_conn!(conn, c => diesel::insert_into(lucihub_migrations::table).values(values).execute(c))?;
    Ok(())
}
