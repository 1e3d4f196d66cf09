//! Tags: what runs are found by besides their columns. Written with the run, walked like a column.

use std::collections::BTreeMap;

use diesel::prelude::*;
use lucihub_models_core::{Order, Relation, RunId, Timestamp};

use super::conditions::{Bound, Within};
use super::merge::Merge;
use super::timed::Timed;
use super::wanted::Window;
use crate::at_most::AtMostDsl;
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::run_tags;
use crate::types::{Free, Id, Time};

/// A label, under its name.
pub(super) const LABEL: &str = "label";
/// A run that this one is related to, its id as text.
pub(super) const RELATED: &str = "related";

/// A row of `run_tags`.
#[derive(Debug, Insertable)]
#[diesel(table_name = run_tags)]
pub(crate) struct Tag {
    kind: Free,
    name: Free,
    value: Free,
    created_at: Time,
    run: Id,
}

impl Tag {
    /// The tags of a new run.
    pub(crate) fn of(
        run: RunId,
        created_at: Timestamp,
        labels: &BTreeMap<String, String>,
        related: &[Relation],
    ) -> Vec<Self> {
        let mut others: Vec<RunId> = related.iter().map(|relation| relation.run).collect();
        others.sort_unstable();
        others.dedup();
        let related = others.iter().map(|other| Self {
            kind: RELATED.into(),
            name: "".into(),
            value: Free(other.to_string()),
            created_at: Time(created_at),
            run: Id(run),
        });
        Self::of_labels(run, created_at, labels).into_iter().chain(related).collect()
    }

    /// The tags of a run's labels.
    pub(crate) fn of_labels(run: RunId, created_at: Timestamp, labels: &BTreeMap<String, String>) -> Vec<Self> {
        let label = |(name, value): (&String, &String)| Self {
            kind: LABEL.into(),
            name: name.as_str().into(),
            value: value.as_str().into(),
            created_at: Time(created_at),
            run: Id(run),
        };
        labels.iter().map(label).collect()
    }
}

/// Writes tags, in a transaction that the caller has begun.
pub(crate) fn write(conn: &mut Conn<'_>, tags: &[Tag]) -> Result<(), Error> {
    // A statement takes 65,535 values at most, and a tag has five.
    const AT_ONCE: usize = 1_000;
    for part in tags.chunks(AT_ONCE) {
        on_conn!(conn, c => diesel::insert_into(run_tags::table).values(part).execute(c))?;
    }
    Ok(())
}

/// Replaces the labels of a run.
pub(crate) fn replace_labels(conn: &mut Conn<'_>, run: RunId, tags: &[Tag]) -> Result<(), Error> {
    on_conn!(conn, c => {
        let labels = run_tags::table.filter(run_tags::run.eq(Id(run)).and(run_tags::kind.eq(Free::from(LABEL))));
        diesel::delete(labels).execute(c)
    })?;
    write(conn, tags)
}

/// The runs along the walks of some values, in order, each once: so many after those that are passed over.
pub(super) fn keys(
    timed: &mut Timed<'_, '_>,
    (kind, name, values): (&Free, &Free, &[Free]),
    window: Window,
    order: Order,
    (skip, take): (usize, usize),
) -> Result<Vec<(Time, Id)>, Error> {
    // Of one walk the database passes over them; of several they are merged here.
    let (skip_there, skip_here) = if values.len() == 1 { (skip, 0) } else { (0, skip) };
    let most = skip_here.saturating_add(take);
    let mut merge = Merge::new(order, most);
    for value in values {
        let bounds: Vec<Bound> = window.ending(order, merge.end()).bounds().collect();
        merge.add(on_conn!(timed.next()?, c => {
            let query = run_tags::table
                .filter(run_tags::kind.eq(kind).and(run_tags::name.eq(name)).and(run_tags::value.eq(value)))
                .filter(Within(&bounds))
                .select((run_tags::created_at, run_tags::run))
                .into_boxed();
            let query = match order {
                Order::Newest => query.order((run_tags::created_at.desc(), run_tags::run.desc())),
                Order::Oldest => query.order((run_tags::created_at.asc(), run_tags::run.asc())),
            };
            query.at_most(most).after_first(skip_there).load(c)
        })?);
    }
    let mut keys = merge.into_found();
    keys.drain(..skip_here.min(keys.len()));
    Ok(keys)
}

/// How many runs have a tag, with nothing else asked.
pub(super) fn count(
    conn: &mut Conn<'_>,
    (kind, name, value): (&Free, &Free, &Free),
    window: Window,
) -> Result<i64, Error> {
    let bounds: Vec<Bound> = window.bounds().collect();
    Ok(on_conn!(conn, c => {
        run_tags::table
            .filter(run_tags::kind.eq(kind).and(run_tags::name.eq(name)).and(run_tags::value.eq(value)))
            .filter(Within(&bounds))
            .count()
            .get_result(c)
    })?)
}
