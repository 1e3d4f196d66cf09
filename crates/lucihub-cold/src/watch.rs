//! How the database is.

use async_trait::async_trait;
use diesel::dsl::{count_star, max, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use lucihub_models_core::cold::{ColdHealth, ColdWatch, ModelUse};
use lucihub_models_core::{Result, RunState, Timestamp};

use crate::at_most::AtMostDsl;
use crate::cold::{Cold, Engine};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::head;
use crate::schema::runs;
use crate::types::{Free, Id, Json, Time};

#[async_trait]
impl<E: Engine> ColdWatch for Cold<E> {
    async fn health(&self) -> Result<ColdHealth> {
        self.read(health).await
    }

    async fn models(&self) -> Result<Vec<ModelUse>> {
        self.look(models).await
    }
}

fn models(conn: &mut Conn<'_>) -> Result<Vec<ModelUse>, Error> {
    let rows: Vec<(Free, Option<Free>, i64, Option<Time>)> = on_conn!(conn, c => {
        runs::table
            .group_by((runs::model_version, runs::written_by))
            .select((runs::model_version, runs::written_by, count_star(), max(runs::written_at)))
            .order((runs::model_version.asc(), runs::written_by.asc()))
            .load(c)
    })?;
    let uses = rows.into_iter().map(|(Free(version), by, runs, last)| ModelUse {
        version,
        written_by: by.map(|Free(name)| name),
        runs: u64::try_from(runs).unwrap_or(0),
        last: last.map(|Time(at)| at),
    });
    let mut uses: Vec<ModelUse> = uses.collect();
    // Databases do not agree on where NULL goes.
    uses.sort_by(|a, b| (&a.version, &a.written_by).cmp(&(&b.version, &b.written_by)));
    Ok(uses)
}

/// Tables with their indexes and what is stored beside them. A table that a migration replaces this moment counts nothing.
const POSTGRES_BYTES: &str = "SELECT COALESCE(SUM(pg_total_relation_size(oid)), 0)::bigint FROM pg_class \
                              WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
/// Free pages within the file count: they take up room, too.
const SQLITE_BYTES: &str = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";

pub(crate) fn health(conn: &mut Conn<'_>) -> Result<ColdHealth, Error> {
    let (name, version, bytes) = match conn.is_postgres() {
        true => ("PostgreSQL", "current_setting('server_version')", POSTGRES_BYTES),
        false => ("SQLite", "sqlite_version()", SQLITE_BYTES),
    };
    let about = format!("{version}, (SELECT CAST(max(version) AS text) FROM __diesel_schema_migrations), ({bytes})");
    let (version, schema, bytes): (String, Option<String>, i64) =
        on_conn!(conn, c => diesel::select(sql::<(Text, Nullable<Text>, BigInt)>(&about)).get_result(c))?;
    let (pending, oldest_ended) = waiting(conn)?;
    Ok(ColdHealth {
        engine: format!("{name} {version}"),
        schema,
        bytes: u64::try_from(bytes).ok(),
        pending,
        oldest_ended,
    })
}

/// How many runs wait for a keeper, and since when one that has ended. Along the index of the pending ones; asked for
/// ended ones, a planner might rather walk all that ever ended.
pub(crate) fn waiting(conn: &mut Conn<'_>) -> Result<(u64, Option<Timestamp>), Error> {
    let rows: Vec<(Id, Option<Time>, Free, Json)> = on_conn!(conn, c => {
        runs::table
            .select((runs::id, runs::archived_at, runs::state, runs::states))
            .filter(runs::released_at.is_null())
            .order((runs::created_at.asc(), runs::id.asc()))
            .at_most(ColdHealth::MOST)
            .load(c)
    })?;
    let mut oldest: Option<Timestamp> = None;
    for (Id(run), archived, Free(state), states) in &rows {
        if archived.is_none() && RunState::from(state.as_str()).is_terminal() {
            let states = head::states(states).map_err(|e| Error::row("runs", "states", format!("run {run}"), e))?;
            let ended = states.last().map(|end| end.at);
            oldest = [oldest, ended].into_iter().flatten().min();
        }
    }
    Ok((rows.len() as u64, oldest))
}
