//! What every connection is set to.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{CustomizeConnection, Error as PoolError};
use diesel::{QueryResult, SqliteConnection};

/// The page size of new files, in bytes.
///
/// Measured on 3,200 cells of 65,536 samples from a cold disk: 400 summaries read
/// in 52 to 69 ms, with pages of 4,096 in 75 to 94 ms; 16,384 is no faster.
const PAGE_SIZE: u32 = 8_192;

/// Settings of each connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) busy_timeout: Duration,
}

impl Settings {
    /// Sets a connection up. The busy timeout is first, so that whatever
    /// follows waits for its locks.
    pub(super) fn apply(self, conn: &mut SqliteConnection) -> QueryResult<()> {
        conn.batch_execute(&format!("PRAGMA busy_timeout = {}", self.busy_timeout.as_millis()))?;
        // FULL: hot storage lets go of a run once it is committed here, so a
        // commit must outlast a power failure. Against NORMAL it costs 2 ms per
        // transaction, and there are few: one per change of state and checkpoint.
        //
        // No memory mapping: in a mapped file a failing disk is a signal that
        // ends the process, not an error.
        //
        // A cache of 1 MiB: the pages of an index that each list begins at. Large cells are
        // read once, and the system caches the file for all processes; 8 MiB for each
        // of nine connections would add up to more than the rest of a keeper.
        conn.batch_execute(
            "PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -1024;
             PRAGMA journal_size_limit = 67108864;",
        )
    }
}

/// Sets what is kept in the file itself: readers never wait for the writer
/// (WAL), and the page size while there is no page yet.
pub(super) fn lay_out(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(&format!(
        "PRAGMA page_size = {PAGE_SIZE}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
    ))
}

impl CustomizeConnection<SqliteConnection, PoolError> for Settings {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), PoolError> {
        self.apply(conn).map_err(PoolError::QueryError)
    }
}
