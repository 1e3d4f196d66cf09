//! Before a database is used: its server is new enough, and its schema is the present one.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use lucihub_models_core::{Result, StoreError};

use super::connect::{Connector, SCHEMA};
use super::errors;
use super::link::PgConn;
use super::options::PostgresOptions;
use crate::error::Error;
use crate::migrate::{self, Action, MigrationStatus};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The oldest server that can tell what became of a transaction.
const OLDEST: i32 = 130_000;

/// The lock of whoever migrates: any number will do that nobody else takes.
const LOCK: i64 = 0x006c_7563_6968_7562;

/// Makes a database ready: its schema is the present one, or is brought there where that is wanted. Blocks.
pub(super) fn prepare(options: &PostgresOptions) -> Result<(), Error> {
    migrate(options, if options.migrate { Action::Up } else { Action::Check }).map(drop)
}

/// Runs migrations or looks at them. Blocks.
pub(crate) fn migrate(options: &PostgresOptions, action: Action) -> Result<Vec<MigrationStatus>, Error> {
    let done = migrate_unsorted(options, action);
    done.map_err(|error| errors::named(error.sorted(errors::statement), &options.shown()))
}

fn migrate_unsorted(options: &PostgresOptions, action: Action) -> Result<Vec<MigrationStatus>, Error> {
    let connector = Connector::new(options)?;
    let mut link = connector.connect()?;
    let (conn, what) = (&mut link.conn, connector.shown());
    let version: i32 =
        diesel::select(sql::<Integer>("CAST(current_setting('server_version_num') AS integer)")).get_result(conn)?;
    if version < OLDEST {
        let why = format!("its server is version {}, and 13 is the oldest that will do; upgrade it", version / 10_000);
        return Err(StoreError::precondition(what, why).into());
    }
    if action != Action::Up {
        return run(conn, action, what);
    }
    lock(conn, what)?;
    let done = run(conn, action, what);
    diesel::select(sql::<Bool>(&format!("pg_advisory_unlock({LOCK})"))).get_result::<bool>(conn)?;
    done
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

fn run(conn: &mut PgConn, action: Action, what: &str) -> Result<Vec<MigrationStatus>, Error> {
    if action == Action::Up {
        let schema: Option<String> =
            diesel::select(sql::<Nullable<Text>>(&format!("CAST(to_regnamespace('{SCHEMA}') AS text)")))
                .get_result(conn)?;
        if schema.is_none() {
            conn.batch_execute(&format!("CREATE SCHEMA {SCHEMA}"))?;
        }
    }
    let table = format!("{SCHEMA}.{}", migrate::APPLIED);
    let there: Option<String> =
        diesel::select(sql::<Nullable<Text>>(&format!("CAST(to_regclass('{table}') AS text)"))).get_result(conn)?;
    let applied =
        if there.is_some() { conn.applied_migrations().map_err(|e| migrate::broken(what, e))? } else { Vec::new() };
    let status = migrate::compare::<diesel::pg::Pg>(&MIGRATIONS, &applied, what)?;
    if migrate::decide(&status, action, what)? {
        conn.run_pending_migrations(MIGRATIONS).map_err(|e| migrate::broken(what, e))?;
    }
    Ok(status)
}
