//! Pages of runs: each is a walk along one index from the place where it begins.
//!
//! A filter is served by the index of one of its fields, one short walk for each wanted value, and the walks are merged.
//! The other fields are compared inside that index. So a page costs the same wherever it lies, and no list is sorted.
//!
//! | file | what is there |
//! | --- | --- |
//! | `wanted.rs` | which index a filter walks |
//! | `conditions.rs` | what is asked of a row, as SQL |
//! | `walk.rs` | walks along a column |
//! | `tags.rs` | labels and relations: written with the run, walked like a column |
//! | `merge.rs` | several walks as one |
//! | `count.rs` | totals |
//! | `timed.rs` | the time that a search has for all its statements |

mod conditions;
mod count;
mod merge;
pub(crate) mod tags;
mod timed;
mod walk;
mod wanted;

use std::time::Duration;

use diesel::prelude::*;
use lucihub_models_core::cold::PendingRun;
use lucihub_models_core::{DeviceId, JobType, Order, PageCursor, PageRequest, RunFilter, RunPage, RunSummary};

use self::conditions::{All, Bound, Condition};
use self::merge::Placed;
use self::timed::Timed;
use self::wanted::Wanted;
use crate::at_most::AtMostDsl;
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::head;
use crate::schema::runs;
use crate::types::{Free, Id, Json, Time};

/// What a list shows: narrow columns.
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs)]
pub(super) struct ListRow {
    id: Id,
    created_at: Time,
    job_type: Free,
    device: Option<Free>,
    device_type: Option<Free>,
    owner: Option<Free>,
    channels: i64,
    archived_at: Option<Time>,
    error: Option<Free>,
    labels: Json,
    states: Json,
}

/// A page that is asked for. The filter asks for something that can be.
pub(crate) struct Search {
    filter: RunFilter,
    page: PageRequest,
    wanted: Wanted,
}

impl Search {
    pub(crate) fn new(filter: &RunFilter, page: &PageRequest) -> Self {
        Self { filter: filter.clone(), page: *page, wanted: Wanted::of(filter) }
    }

    /// Whether it is a single statement.
    pub(crate) fn is_one_statement(&self) -> bool {
        self.page.offset == 0 && !self.page.total && self.wanted.is_one_walk()
    }

    /// The page, if all its statements together take no longer than this.
    pub(crate) fn run(&self, conn: &mut Conn<'_>, patience: Duration) -> Result<RunPage, Error> {
        let Self { filter, page, wanted } = self;
        let timed = &mut Timed::new(conn, patience);
        let total = if page.total { Some(count::total(timed, &Wanted::counted(filter))?) } else { None };
        // One more than the page has, to know whether there is a next one.
        let most = page.limit.saturating_add(1);
        let mut rows = walk::rows(timed, wanted, page, most)?;
        let more = rows.len() > page.limit;
        rows.truncate(page.limit);
        let runs = rows.into_iter().map(ListRow::into_summary).collect::<Result<Vec<_>, _>>()?;
        let last = runs.last().map(|run| PageCursor::new(filter, page.order, run.created_at, run.id));
        Ok(RunPage { next: last.filter(|_| more), runs, total })
    }
}

/// Runs that are not released, oldest first.
pub(crate) fn pending(conn: &mut Conn<'_>, after: Option<PendingRun>, limit: usize) -> Result<Vec<PendingRun>, Error> {
    let after: Vec<Condition> =
        after.map(|run| Condition::At(Bound::after(Order::Oldest, run.created_at, run.id))).into_iter().collect();
    let rows: Vec<(Id, Time, i64)> = on_conn!(conn, c => {
        runs::table
            .select((runs::id, runs::created_at, runs::state_count))
            .filter(runs::released_at.is_null())
            .filter(All(&after))
            .order((runs::created_at.asc(), runs::id.asc()))
            .at_most(limit)
            .load(c)
    })?;
    // A count that is none must not keep keepers from all the others: whoever reads the run itself is told.
    let run = |(Id(id), Time(created_at), states): (Id, Time, i64)| {
        let states = u64::try_from(states).unwrap_or(0);
        PendingRun { id, created_at, states }
    };
    Ok(rows.into_iter().map(run).collect())
}

impl Placed for ListRow {
    fn key(&self) -> (Time, Id) {
        (self.created_at, self.id)
    }
}

impl ListRow {
    fn into_summary(self) -> Result<RunSummary, Error> {
        let Id(id) = self.id;
        let row = || format!("run {id}");
        let mut summary = RunSummary::new(id, JobType::from(&*self.job_type.0), self.created_at.0);
        summary.archived_at = self.archived_at.map(|Time(at)| at);
        summary.states = head::states(&self.states).map_err(|e| Error::row("runs", "states", row(), e))?;
        let device = self.device.map(|Free(id)| DeviceId::try_from(id)).transpose();
        summary.device = device.map_err(|e| Error::row("runs", "device", row(), e))?;
        summary.device_type = self.device_type.map(|Free(kind)| (&*kind).into());
        summary.owner = self.owner.map(|Free(text)| text);
        summary.labels = head::parse(&self.labels).map_err(|e| Error::row("runs", "labels", row(), e))?;
        summary.error = self.error.map(|Free(text)| text);
        summary.channels = u32::try_from(self.channels).map_err(|e| Error::row("runs", "channels", row(), e))?;
        Ok(summary)
    }
}
