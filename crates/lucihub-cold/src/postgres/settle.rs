//! What became of a COMMIT whose answer was lost.
//!
//! Each transaction that writes says so in its connection's row of `commits`, before its COMMIT. So a lost answer is no
//! riddle: a new connection looks at that row, and waits for whoever may still be at it. The server's own number of a
//! transaction would not do: one whose first words never reached the disk is given again after a crash.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::BigInt;
use diesel::upsert::excluded;
use lucihub_models_core::{IdSource, RunId, StoreError, SystemIds};

use super::connect::Connector;
use super::link::PgConn;
use crate::error::Error;
use crate::schema::commits;
use crate::types::{DbTime, DbUuid, Id};

/// How long to ask, which a restart of the server fits into.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(50);

#[diesel::declare_sql_function]
extern "SQL" {
    /// The server's time at the beginning of the transaction.
    #[sql_name = "now"]
    fn server_time() -> DbTime;
    /// The number of the transaction, once it has written something.
    fn pg_current_xact_id_if_assigned() -> Nullable<Text>;
}

/// The transactions of one connection, counted.
#[derive(Debug)]
pub(super) struct Mark {
    link: RunId,
    number: i64,
}

/// A transaction that its connection has said in `commits`, as it was about to end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marked {
    link: RunId,
    number: i64,
}

impl Mark {
    pub(super) fn new() -> Self {
        Self { link: SystemIds.run_id(), number: 0 }
    }

    /// Says in the open transaction that it is about to end, which costs one round trip. `None`: it has written nothing,
    /// so how it ends does not matter.
    pub(super) fn set(&mut self, conn: &mut PgConn) -> QueryResult<Option<Marked>> {
        if self.number == 0 {
            conn.batch_execute(SWEEP)?;
        }
        let number = self.number + 1;
        let row = diesel::select((Id(self.link).into_sql::<DbUuid>(), number.into_sql::<BigInt>(), server_time()))
            .filter(pg_current_xact_id_if_assigned().is_not_null());
        let rows = diesel::insert_into(commits::table)
            .values(row)
            .into_columns((commits::link, commits::number, commits::at))
            .on_conflict(commits::link)
            .do_update()
            .set((commits::number.eq(excluded(commits::number)), commits::at.eq(excluded(commits::at))))
            .execute(conn)?;
        self.number = number;
        Ok((rows > 0).then_some(Marked { link: self.link, number }))
    }
}

/// Removes the rows of connections that ended a day ago. Those that another connection is at are left to it.
const SWEEP: &str = "DELETE FROM commits WHERE link IN (
    SELECT link FROM commits WHERE at < now() - interval '1 day' FOR UPDATE SKIP LOCKED)";

/// Whether a transaction was committed: `Ok` if so, `Unavailable` if nothing was written, `Unknown` where that cannot
/// be told. `error` is what its COMMIT gave; its connection is closed already.
pub(super) fn outcome(connector: &Connector, marked: Option<Marked>, error: &DieselError) -> Result<(), Error> {
    let Some(Marked { link, number }) = marked else { return Ok(()) };
    let begun = Instant::now();
    loop {
        match connector.connect().map_err(|e| e.to_string()).and_then(|mut asking| last(&mut asking.conn, link)) {
            Ok(last) if last >= number => return Ok(()),
            Ok(_) => {
                return Err(StoreError::unavailable(connector.shown(), format!("nothing was written: {error}")).into());
            }
            // Not up again, or the transaction is still at it.
            Err(_) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            Err(why) => {
                let why = format!("{error}; then it could not be asked what became of that: {why}");
                return Err(StoreError::Unknown { store: connector.shown().into(), why }.into());
            }
        }
    }
}

/// The last transaction of a connection that was committed; 0 if none was. Writes to the row, for whoever writes waits
/// for a transaction that has written there and not ended yet.
fn last(asking: &mut PgConn, link: RunId) -> Result<i64, String> {
    let asked = diesel::insert_into(commits::table)
        .values((commits::link.eq(Id(link)), commits::number.eq(0), commits::at.eq(server_time())))
        .on_conflict(commits::link)
        .do_update()
        .set(commits::at.eq(excluded(commits::at)))
        .returning(commits::number);
    let answer = asking.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").and_then(|()| asked.get_result(asking));
    // Its locks have told; whether it stays does not matter.
    answer.map_err(|e| e.to_string())
}
