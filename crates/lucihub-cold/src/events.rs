//! Store events of runs: one document per run, read by its key alone.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::upsert::excluded;
use lucihub_models_core::cold::ColdEvents;
use lucihub_models_core::{Result, RunId, StoreEvent};

use crate::cold::{Cold, Engine};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::runs;
use crate::schema::{run_events, runs as runs_table};
use crate::types::{Id, Json};

#[async_trait]
impl<E: Engine> ColdEvents for Cold<E> {
    async fn add_events(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        StoreEvent::check_all(events, self.limits())?;
        let more = events.to_vec();
        self.write(move |conn| {
            // Of several that add at once, each sees what the one before it has written.
            runs::hold(conn, run)?;
            let there: bool = on_conn!(conn, c => {
                diesel::select(diesel::dsl::exists(runs_table::table.find(Id(run)))).get_result(c)
            })?;
            if !there {
                return Ok(false);
            }
            let before = stored(conn, run)?;
            let merged = StoreEvent::merged(before.clone(), more);
            if merged != before {
                let document = Json(StoreEvent::list_to_json(&merged));
                on_conn!(conn, c => {
                    diesel::insert_into(run_events::table)
                        .values((run_events::run.eq(Id(run)), run_events::document.eq(document)))
                        .on_conflict(run_events::run)
                        .do_update()
                        .set(run_events::document.eq(excluded(run_events::document)))
                        .execute(c)
                })?;
            }
            Ok(true)
        })
        .await
    }

    async fn events(&self, run: RunId) -> Result<Vec<StoreEvent>> {
        self.look(move |conn| stored(conn, run)).await
    }
}

/// The events of a run, as its document has them.
fn stored(conn: &mut Conn<'_>, run: RunId) -> Result<Vec<StoreEvent>, Error> {
    let document: Option<Json> = on_conn!(conn, c => {
        run_events::table.find(Id(run)).select(run_events::document).get_result(c).optional()
    })?;
    let Some(Json(text)) = document else { return Ok(Vec::new()) };
    StoreEvent::list_from_json(&text).map_err(|why| Error::row("run_events", "document", format!("run {run}"), why))
}
