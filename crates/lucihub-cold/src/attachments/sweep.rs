//! Sweeping up what nobody sees: uploads that were given up, replaced or deleted.

use std::sync::Arc;
use std::time::Duration;

use diesel::dsl::min;
use diesel::prelude::*;
use lucihub_models_core::Timestamp;
use tokio::sync::{Mutex, Semaphore};

use crate::at_most::AtMostDsl;
use crate::cold::{Cold, Engine};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::{attachment_chunks, attachments};
use crate::types::{Id, Time};

/// How long an upload may wait for its next chunk. After that it counts as given up. The clocks of all who use a database
/// are to agree better than that.
pub(super) const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// Chunks that one transaction deletes: a few MiB, so that others wait no longer than for any write.
const CHUNKS: i64 = 8;

/// Who sweeps in the background: one task, and one more that waits for its turn. What comes while that one waits it will
/// find, so nobody else needs to.
#[derive(Debug, Clone)]
pub(crate) struct Sweeping {
    places: Arc<Semaphore>,
    turn: Arc<Mutex<()>>,
}

impl Default for Sweeping {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(2)), turn: Arc::default() }
    }
}

#[expect(private_bounds, reason = "engines are this crate's alone")]
impl<E: Engine> Cold<E> {
    /// Sweeps one step, and leaves the rest to the background.
    pub(super) async fn sweep(&self) {
        if !self.sweep_step().await {
            return;
        }
        if let Ok(place) = self.sweeping.places.clone().try_acquire_owned() {
            let cold = self.clone();
            tokio::spawn(async move {
                cold.sweep_all().await;
                drop(place);
            });
        }
    }

    /// Sweeps until nothing is due, in steps between which others write.
    pub(super) async fn sweep_all(&self) {
        let _mine = self.sweeping.turn.lock().await;
        while self.sweep_step().await {}
    }

    /// Whether there was something to sweep. It is no part of what anybody asked for, so a failure is left to the next.
    async fn sweep_step(&self) -> bool {
        let now = self.now();
        let due = self.look(move |conn| Ok(due(conn, now)?.is_some())).await;
        matches!(due, Ok(true)) && matches!(self.write(move |conn| sweep_some(conn, now)).await, Ok(true))
    }
}

/// An upload to be swept.
fn due(conn: &mut Conn<'_>, now: Timestamp) -> QueryResult<Option<Id>> {
    on_conn!(conn, c => {
        attachments::table
            .filter(attachments::sweep_at.le(Time(now)))
            .order(attachments::sweep_at.asc())
            .select(attachments::id)
            .at_most(1)
            .get_result(c)
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

/// Deletes some chunks of an upload, or the row that has none any more; `false` if others hold all that is due.
fn sweep_some(conn: &mut Conn<'_>, now: Timestamp) -> Result<bool, Error> {
    let Some(id) = hold_due(conn, now)? else { return Ok(false) };
    let of_it = attachment_chunks::table.filter(attachment_chunks::attachment.eq(id));
    let first: Option<i64> = on_conn!(conn, c => of_it.select(min(attachment_chunks::chunk)).get_result(c))?;
    match first {
        Some(first) => {
            let some = of_it.filter(attachment_chunks::chunk.lt(first.saturating_add(CHUNKS)));
            on_conn!(conn, c => diesel::delete(some).execute(c))?
        }
        None => on_conn!(conn, c => diesel::delete(attachments::table.find(id)).execute(c))?,
    };
    Ok(true)
}
