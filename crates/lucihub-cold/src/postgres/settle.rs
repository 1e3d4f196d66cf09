//! What became of a COMMIT whose answer was lost.
//!
//! The server remembers the outcome of its transactions by their numbers, also through a restart. So a lost answer is
//! no riddle: a new connection asks for the outcome.

use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Nullable, Text};
use lucihub_models_core::StoreError;

use super::connect::Connector;
use super::link::PgConn;
use crate::error::Error;

/// How long to ask, which a restart of the server fits into.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(50);

/// The number of the open transaction; `None` while it has written nothing.
pub(super) fn number(conn: &mut PgConn) -> QueryResult<Option<String>> {
    diesel::select(sql::<Nullable<Text>>("CAST(pg_current_xact_id_if_assigned() AS text)")).get_result(conn)
}

/// Whether a transaction was committed: `Ok` if so, `Unavailable` if nothing was written, `Unknown` where that cannot
/// be told. `error` is what its COMMIT gave.
pub(super) fn outcome(connector: &Connector, transaction: Option<String>, error: &DieselError) -> Result<(), Error> {
    let Some(transaction) = transaction else { return Ok(()) };
    let begun = Instant::now();
    loop {
        match connector.connect().map_err(|e| e.to_string()).and_then(|mut link| status(&mut link.conn, &transaction)) {
            Ok(Some(status)) if status == "committed" => return Ok(()),
            Ok(Some(status)) if status == "aborted" => {
                return Err(StoreError::unavailable(connector.shown(), format!("nothing was written: {error}")).into());
            }
            // Still at it, or not up again.
            Ok(Some(_)) | Err(_) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            _ => return Err(StoreError::Unknown { store: connector.shown().into(), why: error.to_string() }.into()),
        }
    }
}

fn status(conn: &mut PgConn, transaction: &str) -> Result<Option<String>, String> {
    let status = sql::<Nullable<Text>>("pg_xact_status(CAST(").bind::<Text, _>(transaction).sql(" AS xid8))");
    diesel::select(status).get_result(conn).map_err(|e| e.to_string())
}
