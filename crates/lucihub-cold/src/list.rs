//! Pages of runs: each is a walk along one index from the place where it begins.
//!
//! A filter is served by the index of one of its fields, one short walk for each
//! wanted value, and the walks are merged. The other fields are compared inside
//! that index. So a page costs the same wherever it lies, and no list is sorted.

use std::cmp::Ordering;

use diesel::prelude::*;
use lucihub_models_core::cold::PendingRun;
use lucihub_models_core::{DeviceId, JobType, Order, PageCursor, PageRequest, RunFilter, RunHead, RunPage, RunSummary};

use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::head;
use crate::keyset::{Keyset, Unindexed};
use crate::schema::runs;
use crate::types::{Free, Id, Json, Time};

/// A field with more values than this leaves the walk to another one.
const MOST_WALKS: usize = 16;

/// What a list shows: narrow columns.
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs)]
struct ListRow {
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

/// A field that runs are filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Device,
    Owner,
    State,
    JobType,
    DeviceType,
}

/// The wanted values of a field, each once.
type Wanted = (Field, Vec<Free>);

/// One page. The filter asks for something that can be.
pub(crate) fn page(conn: &mut Conn<'_>, filter: &RunFilter, page: &PageRequest) -> Result<RunPage, Error> {
    let mut others = wanted(filter);
    // One more than the page has, to know whether there is a next one.
    let most = page.limit.saturating_add(1);
    let mut rows = match choose(&others) {
        None => walk(conn, None, &others, page, most)?,
        Some(chosen) => {
            let (field, values) = others.swap_remove(chosen);
            let mut all = Vec::new();
            for value in values {
                all.extend(walk(conn, Some((field, &value)), &others, page, most)?);
            }
            all
        }
    };
    rows.sort_unstable_by(|a, b| a.place(b, page.order));
    let more = rows.len() > page.limit;
    rows.truncate(page.limit);
    let runs = rows.into_iter().map(ListRow::into_summary).collect::<Result<Vec<_>, _>>()?;
    let last = runs.last().map(|run| PageCursor { created_at: run.created_at, id: run.id });
    Ok(RunPage { next: last.filter(|_| more), runs })
}

/// Whether a page needs a single statement.
pub(crate) fn is_one_walk(filter: &RunFilter) -> bool {
    let wanted = wanted(filter);
    choose(&wanted).is_none_or(|chosen| wanted[chosen].1.len() == 1)
}

/// Runs that are not released, oldest first.
pub(crate) fn pending(conn: &mut Conn<'_>, after: Option<PendingRun>, limit: usize) -> Result<Vec<PendingRun>, Error> {
    let rows: Vec<(Id, Time, i64)> = on_conn!(conn, c => {
        let mut query = runs::table
            .select((runs::id, runs::created_at, runs::state_count))
            .filter(runs::released_at.is_null())
            .order((runs::created_at.asc(), runs::id.asc()))
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(Keyset::after(Order::Oldest, after.created_at, after.id));
        }
        query.load(c)
    })?;
    let run = |(Id(id), Time(created_at), states): (Id, Time, i64)| {
        let states = u64::try_from(states).map_err(|e| Error::row("runs", "state_count", format!("run {id}"), e))?;
        Ok(PendingRun { id, created_at, states })
    };
    rows.into_iter().map(run).collect()
}

fn wanted(filter: &RunFilter) -> Vec<Wanted> {
    fn words<T>(list: Option<&Vec<T>>, word: impl Fn(&T) -> &str) -> Option<Vec<Free>> {
        let mut words: Vec<Free> = list?.iter().map(|item| word(item).into()).collect();
        words.sort_unstable();
        words.dedup();
        Some(words)
    }
    // In the order of the indexes: rare values first.
    [
        (Field::Device, words(filter.devices.as_ref(), DeviceId::as_str)),
        (Field::Owner, words(filter.owners.as_ref(), String::as_str)),
        (Field::State, words(filter.states.as_ref(), |state| state.as_str())),
        (Field::JobType, words(filter.job_types.as_ref(), JobType::as_str)),
        (Field::DeviceType, words(filter.device_types.as_ref(), |kind| kind.as_str())),
    ]
    .into_iter()
    .filter_map(|(field, words)| words.map(|words| (field, words)))
    .collect()
}

/// The field whose index is walked.
fn choose(wanted: &[Wanted]) -> Option<usize> {
    wanted
        .iter()
        .position(|(_, values)| values.len() <= MOST_WALKS)
        .or_else(|| (0..wanted.len()).min_by_key(|n| wanted[*n].1.len()))
}

fn walk(
    conn: &mut Conn<'_>,
    along: Option<(Field, &Free)>,
    others: &[Wanted],
    page: &PageRequest,
    most: usize,
) -> Result<Vec<ListRow>, Error> {
    let rows = on_conn!(conn, c => {
        let mut query = runs::table
            .select(ListRow::as_select())
            .limit(i64::try_from(most).unwrap_or(i64::MAX))
            .into_boxed();
        query = match along {
            None => query,
            Some((Field::Device, value)) => query.filter(runs::device.eq(value)),
            Some((Field::Owner, value)) => query.filter(runs::owner.eq(value)),
            Some((Field::State, value)) => query.filter(runs::state.eq(value)),
            Some((Field::JobType, value)) => query.filter(runs::job_type.eq(value)),
            Some((Field::DeviceType, value)) => query.filter(runs::device_type.eq(value)),
        };
        for (field, values) in others {
            // With nothing appended a column is no longer one that an index
            // begins with: which index is walked is decided here, not guessed
            // by a planner that would rather sort.
            query = match field {
                Field::Device => query.filter(Unindexed(runs::device).eq_any(values)),
                Field::Owner => query.filter(Unindexed(runs::owner).eq_any(values)),
                Field::State => query.filter(Unindexed(runs::state).eq_any(values)),
                Field::JobType => query.filter(Unindexed(runs::job_type).eq_any(values)),
                Field::DeviceType => query.filter(Unindexed(runs::device_type).eq_any(values)),
            };
        }
        if let Some(after) = page.after {
            query = query.filter(Keyset::after(page.order, after.created_at, after.id));
        }
        query = match page.order {
            Order::Newest => query.order((runs::created_at.desc(), runs::id.desc())),
            Order::Oldest => query.order((runs::created_at.asc(), runs::id.asc())),
        };
        query.load(c)
    })?;
    Ok(rows)
}

impl ListRow {
    fn place(&self, other: &Self, order: Order) -> Ordering {
        let oldest = (self.created_at, self.id.0).cmp(&(other.created_at, other.id.0));
        match order {
            Order::Oldest => oldest,
            Order::Newest => oldest.reverse(),
        }
    }

    fn into_summary(self) -> Result<RunSummary, Error> {
        let Id(id) = self.id;
        let row = || format!("run {id}");
        let head = RunHead::queued(id, JobType::from(&*self.job_type.0), self.created_at.0);
        let mut summary = RunSummary::of(&head, self.archived_at.map(|Time(at)| at));
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
