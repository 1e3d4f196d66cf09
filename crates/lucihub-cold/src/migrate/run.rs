//! Running migrations: each in a transaction with its marks, or between two marks.

use std::error::Error as StdError;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_migrations::MigrationHarness;
use lucihub_models_core::StoreError;

use super::marks;
use super::plan::{Plan, Step};
use super::script::{Direction, Harnessed, Script};
use crate::conn::{Conn, on_conn};
use crate::error::Error;

/// Runs what a plan says, and answers with the names of the migrations; under a lock of the caller's.
pub(crate) fn run(conn: &mut Conn<'_>, plan: &Plan, what: &str) -> Result<Vec<String>, Error> {
    if !plan.preparation.is_empty() || !plan.unmarked.is_empty() {
        transaction(conn, |conn| {
            plan.preparation.iter().try_for_each(|statement| execute(conn, statement))?;
            plan.unmarked.iter().try_for_each(|script| marks::done(conn, script))
        })?;
    }
    for step in &plan.steps {
        if step.script.in_transaction {
            transaction(conn, |conn| apply(conn, step, what))?;
        } else {
            apply_by_statements(conn, step, what)?;
        }
    }
    Ok(plan.steps.iter().map(|step| step.script.name.to_owned()).collect())
}

/// Applies a migration and marks it, inside a transaction.
fn apply(conn: &mut Conn<'_>, step: &Step, what: &str) -> Result<(), Error> {
    record(conn, step, false).map_err(|error| failed(step, error, what))?;
    mark(conn, step)
}

/// Applies a migration outside a transaction. It is dirty until it is done: then it can be repeated, and nobody uses
/// what is half made.
fn apply_by_statements(conn: &mut Conn<'_>, step: &Step, what: &str) -> Result<(), Error> {
    transaction(conn, |conn| marks::dirty(conn, step.script))?;
    // What works beside writers waits for all of them, and nobody waits for it.
    #[cfg(feature = "postgres")]
    if matches!(conn, Conn::Postgres(_)) {
        execute(conn, "SET lock_timeout = 0")?;
    }
    let statements = step.repair.iter().cloned().chain(step.script.statements(step.direction));
    for statement in statements {
        execute(conn, &statement).map_err(|error| match error {
            Error::Database(error) => failed(step, error.into(), what),
            other => other,
        })?;
    }
    #[cfg(feature = "postgres")]
    if matches!(conn, Conn::Postgres(_)) {
        execute(conn, "RESET lock_timeout")?;
    }
    transaction(conn, |conn| {
        record(conn, step, true).map_err(|error| failed(step, error, what))?;
        mark(conn, step)
    })
}

/// Has diesel's harness run a migration, unless that was done, and write its version.
fn record(conn: &mut Conn<'_>, step: &Step, ran: bool) -> diesel::migration::Result<()> {
    let migration = Harnessed { script: step.script, ran };
    match step.direction {
        // Repeated: its version is there, and the harness would write it twice.
        Direction::Up if step.recorded && ran => Ok(()),
        Direction::Up if step.recorded => Ok(on_conn!(conn, c => c.batch_execute(step.script.up))?),
        Direction::Up => on_conn!(conn, c => c.run_migration(&migration)).map(drop),
        Direction::Down => on_conn!(conn, c => c.revert_migration(&migration)).map(drop),
    }
}

fn mark(conn: &mut Conn<'_>, step: &Step) -> Result<(), Error> {
    match step.direction {
        Direction::Up => marks::done(conn, step.script),
        Direction::Down => marks::remove(conn, step.script),
    }
}

fn execute(conn: &mut Conn<'_>, statements: &str) -> Result<(), Error> {
    Ok(on_conn!(conn, c => c.batch_execute(statements))?)
}

fn transaction<T>(conn: &mut Conn<'_>, work: impl FnOnce(&mut Conn<'_>) -> Result<T, Error>) -> Result<T, Error> {
    match conn {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(conn) => conn.transaction(|conn| work(&mut Conn::Sqlite(conn))),
        #[cfg(feature = "postgres")]
        Conn::Postgres(conn) => conn.transaction(|conn| work(&mut Conn::Postgres(conn))),
    }
}

/// Why a migration stopped, by its name; what that means for the database, and what to do.
fn failed(step: &Step, error: Box<dyn StdError + Send + Sync>, what: &str) -> Error {
    let (kind, message) = match error.downcast::<DieselError>().map(|error| *error) {
        Ok(DieselError::DatabaseError(kind, info)) => (Some(kind), info.message().to_owned()),
        Ok(other) => (None, other.to_string()),
        Err(other) => (None, other.to_string()),
    };
    let Script { name, in_transaction, .. } = step.script;
    let left =
        if *in_transaction { "nothing of it was kept" } else { "it is marked dirty; `lucihub migrate up` repeats it" };
    let has = |text: &str| message.contains(text);
    let locked = has("lock timeout") || has("deadlock") || has("is locked");
    let advice = if locked {
        "; others are at its tables: wait until they are done or stop the components, then run this again"
    } else {
        ""
    };
    let why = format!("migration {name} ({}) failed: {message}; {left}{advice}", step.direction);
    if has("No space left") || has("disk is full") || has("disk full") {
        return StoreError::Full { store: what.to_owned(), why }.into();
    }
    // Others are in its way; or it was interrupted.
    let passes = locked || has("canceling statement") || has("terminating connection") || has("connection closed");
    if passes || matches!(kind, Some(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::SerializationFailure)) {
        return StoreError::unavailable(what, why).into();
    }
    StoreError::precondition(what, why).into()
}
