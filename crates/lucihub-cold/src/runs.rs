//! Runs: the durable fact, and what people change.

use async_trait::async_trait;
use diesel::prelude::*;
use lucihub_models_core::cold::{Archived, ColdRun, ColdRuns, ColdUsage, Created, PendingRun, Quota, RunUpdate, Usage};
use lucihub_models_core::{
    Digest, Invalid, Limits, PageRequest, Positions, Result, RunFilter, RunHead, RunId, RunPage, RunPrefix, StoreError,
    check_labels,
};

use crate::at_most::AtMostDsl;
use crate::cold::{Cold, Engine};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::head::{self, StoredHead};
use crate::schema::runs;
use crate::search::{self, Search, tags, tags::Tag};
use crate::types::{Free, Id, Json, Time};
use crate::usage;

/// How often a run is inserted that others delete and create in the same moments.
const TRIES: usize = 3;

/// A whole row, for `get`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs)]
struct RunRow {
    archived_at: Option<Time>,
    digest: Option<Vec<u8>>,
    error: Option<Free>,
    labels: Json,
    positions: Json,
    head: Json,
    input: Option<Json>,
    output: Option<Json>,
}

/// What `update` writes; `None` leaves a column as it is.
#[derive(AsChangeset)]
#[diesel(table_name = runs)]
struct UpdateColumns {
    labels: Option<Json>,
    output: Option<Json>,
    error: Option<Free>,
}

#[async_trait]
impl<E: Engine> ColdRuns for Cold<E> {
    async fn create(&self, head: &RunHead) -> Result<Created> {
        self.create_counted(head, None).await
    }

    async fn get(&self, run: RunId) -> Result<Option<ColdRun>> {
        self.look(move |conn| {
            let row: Option<RunRow> = on_conn!(conn, c => {
                runs::table.find(Id(run)).select(RunRow::as_select()).get_result(c).optional()
            })?;
            row.map(|row| row.into_run(run)).transpose()
        })
        .await
    }

    async fn update(&self, run: RunId, update: &RunUpdate) -> Result<()> {
        check_update(update, self.limits())?;
        let RunUpdate { labels, output, error } = update.clone();
        let new_labels = labels.clone();
        let columns = UpdateColumns {
            labels: labels.as_ref().map(head::labels).transpose()?,
            output: output.map(|json| Json(json.as_str().to_owned())),
            error: error.map(Free),
        };
        self.write(move |conn| {
            hold(conn, run)?;
            let archived = archived_at(conn, run)?.is_some();
            if !archived && (columns.output.is_some() || columns.error.is_some()) {
                let why = "its worker writes output and error until it is archived; wait for that";
                return Err(StoreError::precondition(format!("run {run}"), why).into());
            }
            if columns.labels.is_none() && columns.output.is_none() && columns.error.is_none() {
                return Ok(());
            }
            on_conn!(conn, c => diesel::update(runs::table.find(Id(run))).set(columns).execute(c))?;
            if let Some(labels) = new_labels {
                let created_at: Time =
                    on_conn!(conn, c => runs::table.find(Id(run)).select(runs::created_at).get_result(c))?;
                tags::replace_labels(conn, run, &Tag::of_labels(run, created_at.0, &labels))?;
            }
            Ok(())
        })
        .await
    }

    async fn list(&self, filter: &RunFilter, page: &PageRequest) -> Result<RunPage> {
        page.check(filter, self.limits())?;
        if filter.matches_nothing() {
            return Ok(RunPage { total: page.total.then_some(0), ..RunPage::default() });
        }
        let search = Search::new(filter, page);
        let patience = self.patience();
        if search.is_one_statement() {
            return self.look(move |conn| search.run(conn, patience)).await;
        }
        self.read(move |conn| search.run(conn, patience)).await
    }

    async fn ids(&self, prefix: &RunPrefix, limit: usize) -> Result<Vec<RunId>> {
        let (first, last) = prefix.range().into_inner();
        let ids: Vec<Id> = self
            .look(move |conn| {
                Ok(on_conn!(conn, c => runs::table
                    .select(runs::id)
                    .filter(runs::id.ge(Id(first)))
                    .filter(runs::id.le(Id(last)))
                    .order(runs::id.asc())
                    .at_most(limit)
                    .load(c))?)
            })
            .await?;
        Ok(ids.into_iter().map(|Id(id)| id).collect())
    }

    async fn pending(&self, after: Option<PendingRun>, limit: usize) -> Result<Vec<PendingRun>> {
        self.look(move |conn| search::pending(conn, after, limit)).await
    }

    async fn delete(&self, run: RunId) -> Result<bool> {
        // Cells go with their run: their tables say ON DELETE CASCADE.
        self.write(move |conn| Ok(on_conn!(conn, c => diesel::delete(runs::table.find(Id(run))).execute(c))? > 0)).await
    }
}

#[async_trait]
impl<E: Engine> ColdUsage for Cold<E> {
    async fn create_within(&self, head: &RunHead, quota: &Quota) -> Result<Created> {
        if head.owner.is_none() {
            return Err(Invalid::new("owner", "a quota is somebody's")
                .hint("give the run an owner, or no quota")
                .into());
        }
        self.create_counted(head, Some(*quota)).await
    }

    async fn usage(&self, owner: &str) -> Result<Vec<Usage>> {
        let (owner, now) = (owner.to_owned(), self.now());
        self.look(move |conn| usage::of(conn, &owner, now)).await
    }
}

#[expect(private_bounds, reason = "engines are this crate's alone")]
impl<E: Engine> Cold<E> {
    async fn create_counted(&self, head: &RunHead, quota: Option<Quota>) -> Result<Created> {
        head.check_new(self.limits())?;
        let run = head.id;
        let created = head::created_digest(head)?;
        let columns = self.head_columns(head)?;
        let labels = head::labels(&head.labels)?;
        let positions = head::json("positions", &Positions::default())?;
        let input = head.input.as_ref().map(head::text);
        let tags = Tag::of(run, head.created_at, &head.labels, &head.related_to);
        let (head, now) = (head.clone(), self.now());
        self.write(move |conn| {
            let row = (
                runs::id.eq(Id(run)),
                runs::created_digest.eq(created.as_bytes().as_slice()),
                runs::labels.eq(labels),
                runs::positions.eq(positions),
                runs::input.eq(input),
                columns,
            );
            for _ in 0..TRIES {
                let inserted = on_conn!(conn, c => {
                    diesel::insert_into(runs::table).values(&row).on_conflict_do_nothing().execute(c)
                })?;
                if inserted == 1 {
                    tags::write(conn, &tags)?;
                    usage::count(conn, &head, quota.as_ref(), now)?;
                    return Ok(Created::Created);
                }
                let before: Option<Vec<u8>> = on_conn!(conn, c => {
                    runs::table.find(Id(run)).select(runs::created_digest).get_result(c).optional()
                })?;
                match before {
                    Some(before) if before == created.as_bytes() => return Ok(Created::Existing),
                    Some(_) => return Err(StoreError::AlreadyExists { what: format!("run {run}") }.into()),
                    // Somebody has deleted it between the two statements, so it may be created.
                    None => {}
                }
            }
            let why = format!("run {run} was deleted by others {TRIES} times while it was being created; try again");
            Err(StoreError::unavailable("cold storage", why).into())
        })
        .await
    }
}

/// Keeps others from changing a run until this transaction ends, so that what it looks at stays so. In SQLite there is
/// one transaction that writes at a time anyway.
pub(crate) fn hold(conn: &mut Conn<'_>, run: RunId) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(_) => {
            let _ = run;
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => runs::table.find(Id(run)).select(runs::id).for_no_key_update().execute(*c).map(drop),
    }
}

/// When a run was archived.
///
/// # Errors
/// `NotFound` if there is no such run.
pub(crate) fn archived_at(conn: &mut Conn<'_>, run: RunId) -> Result<Option<Time>, Error> {
    let row: Option<Option<Time>> =
        on_conn!(conn, c => runs::table.find(Id(run)).select(runs::archived_at).get_result(c).optional())?;
    row.ok_or_else(|| not_found(run))
}

pub(crate) fn not_found(run: RunId) -> Error {
    StoreError::not_found(format!("run {run}")).into()
}

/// Positions, from their column.
pub(crate) fn positions(run: RunId, json: &Json) -> Result<Positions, Error> {
    head::parse(json).map_err(|e| Error::row("runs", "positions", format!("run {run}"), e))
}

/// A digest, from its column.
pub(crate) fn digest(run: RunId, bytes: &[u8]) -> Result<Digest, Error> {
    let bytes = bytes.try_into().map_err(|_| {
        Error::row("runs", "digest", format!("run {run}"), format!("{} bytes instead of 32", bytes.len()))
    })?;
    Ok(Digest::from_bytes(bytes))
}

impl RunRow {
    fn into_run(self, run: RunId) -> Result<ColdRun, Error> {
        let archived = match (self.archived_at, self.digest) {
            (Some(Time(at)), Some(bytes)) => Some(Archived { at, digest: digest(run, &bytes)? }),
            _ => None,
        };
        let mut positions = positions(run, &self.positions)?;
        let stored = StoredHead {
            head: self.head,
            labels: self.labels,
            error: self.error,
            input: self.input,
            output: self.output,
        };
        let head = stored.read(|| format!("run {run}"))?;
        if head.id != run {
            return Err(Error::row("runs", "head", format!("run {run}"), format!("it is that of run {}", head.id)));
        }
        if archived.is_none() {
            // The mirror has these; only lines and samples are behind it.
            positions.states = head.states.len() as u64;
            positions.phases = head.phases.len() as u64;
        }
        Ok(ColdRun { head, positions, archived })
    }
}

fn check_update(update: &RunUpdate, limits: &Limits) -> Result<(), Invalid> {
    if let Some(labels) = &update.labels {
        check_labels(labels, limits)?;
    }
    if let Some(output) = &update.output {
        output.check("output", limits)?;
    }
    match &update.error {
        Some(error) if error.len() > limits.text_bytes => Err(Invalid::new("error", format!("{} bytes", error.len()))
            .hint(format!("the limit is {} bytes", limits.text_bytes))),
        _ => Ok(()),
    }
}
