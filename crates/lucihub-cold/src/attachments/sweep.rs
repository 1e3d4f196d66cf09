//! Sweeping up what nobody sees: uploads that were given up, replaced or deleted.

use std::time::Duration;

use diesel::dsl::min;
use diesel::prelude::*;
use lucihub_models_core::Timestamp;

use crate::cold::{Cold, Engine};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::{attachment_chunks, attachments};
use crate::types::{Id, Time};

/// How long an upload may take. After that it counts as given up.
pub(super) const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Chunks that one transaction deletes: a few MiB, so that others wait no longer than for any write.
const CHUNKS: i64 = 8;
/// Transactions of one sweep: what the largest attachment has left, and as much again of what others left.
const STEPS: usize = 40;

#[expect(private_bounds, reason = "engines are this crate's alone")]
impl<E: Engine> Cold<E> {
    /// Sweeps a bounded share. It is no part of what the caller asked for, so a failure is left to the next one.
    pub(super) async fn sweep(&self) {
        let now = self.now();
        for _ in 0..STEPS {
            let due = self.look(move |conn| Ok(due(conn, now)?.is_some())).await;
            let swept = matches!(due, Ok(true)) && self.write(move |conn| sweep_some(conn, now)).await.is_ok();
            if !swept {
                return;
            }
        }
    }
}

/// An upload to be swept.
fn due(conn: &mut Conn<'_>, now: Timestamp) -> QueryResult<Option<Id>> {
    on_conn!(conn, c => {
        attachments::table
            .filter(attachments::sweep_at.le(Time(now)))
            .order(attachments::sweep_at.asc())
            .select(attachments::id)
            .first(c)
            .optional()
    })
}

/// The same, and nobody else sweeps it meanwhile.
fn hold_due(conn: &mut Conn<'_>, now: Timestamp) -> QueryResult<Option<Id>> {
    match conn {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(_) => due(conn, now),
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => attachments::table
            .filter(attachments::sweep_at.le(Time(now)))
            .order(attachments::sweep_at.asc())
            .select(attachments::id)
            .for_update()
            .skip_locked()
            .first(*c)
            .optional(),
    }
}

/// Deletes some chunks of an upload, or the row that has none any more.
fn sweep_some(conn: &mut Conn<'_>, now: Timestamp) -> Result<(), Error> {
    let Some(id) = hold_due(conn, now)? else { return Ok(()) };
    let of_it = attachment_chunks::table.filter(attachment_chunks::attachment.eq(id));
    let first: Option<i64> = on_conn!(conn, c => of_it.select(min(attachment_chunks::chunk)).first(c))?;
    match first {
        Some(first) => {
            let some = of_it.filter(attachment_chunks::chunk.lt(first.saturating_add(CHUNKS)));
            on_conn!(conn, c => diesel::delete(some).execute(c))?
        }
        None => on_conn!(conn, c => diesel::delete(attachments::table.find(id)).execute(c))?,
    };
    Ok(())
}
