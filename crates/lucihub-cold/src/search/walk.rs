//! Walks: the rows of a page, in order.

use diesel::prelude::*;
use lucihub_models_core::{Order, PageRequest};

use super::conditions::{All, Condition};
use super::wanted::{Along, Wanted};
use super::{ListRow, place, tags};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::runs;
use crate::types::{Id, Time};

/// Runs that are read by their ids at once.
const CHUNK: usize = 500;

/// The rows from a page's place on, so many at most.
pub(super) fn rows(
    conn: &mut Conn<'_>,
    wanted: &Wanted,
    page: &PageRequest,
    most: usize,
) -> Result<Vec<ListRow>, Error> {
    let mut after = page.after.map(|cursor| (Time(cursor.created_at()), Id(cursor.id())));
    if let Along::Tag { .. } = wanted.along {
        return along_tag(conn, wanted, after, page, most);
    }
    if page.offset > 0 {
        after = last_passed_over(conn, wanted, page)?;
        if after.is_none() {
            return Ok(Vec::new());
        }
    }
    let mut rows = Vec::new();
    for conditions in wanted.walks(conn, &wanted.bounds(page.order, after)) {
        rows.extend(matching(conn, &conditions, page.order, most)?);
    }
    rows.sort_unstable_by(|a, b| place(page.order, a.key(), b.key()));
    rows.truncate(most);
    Ok(rows)
}

fn matching(conn: &mut Conn<'_>, conditions: &[Condition], order: Order, most: usize) -> Result<Vec<ListRow>, Error> {
    Ok(on_conn!(conn, c => {
        let query = runs::table.select(ListRow::as_select()).filter(All(conditions)).limit(whole(most)).into_boxed();
        match order {
            Order::Newest => query.order((runs::created_at.desc(), runs::id.desc())).load(c),
            Order::Oldest => query.order((runs::created_at.asc(), runs::id.asc())).load(c),
        }
    })?)
}

/// The last of the runs that a page passes over; `None` if there are not that many. Looks at the index alone.
fn last_passed_over(conn: &mut Conn<'_>, wanted: &Wanted, page: &PageRequest) -> Result<Option<(Time, Id)>, Error> {
    let walks = wanted.walks(conn, &wanted.bounds(page.order, None));
    // Of one walk the database passes over them; of several the keys are merged here.
    let (skip, take) = if walks.len() == 1 { (page.offset - 1, 1) } else { (0, page.offset) };
    let mut keys: Vec<(Time, Id)> = Vec::new();
    for conditions in &walks {
        let found: Vec<(Time, Id)> = on_conn!(conn, c => {
            let query = runs::table
                .select((runs::created_at, runs::id))
                .filter(All(conditions))
                .limit(whole(take))
                .offset(whole(skip))
                .into_boxed();
            match page.order {
                Order::Newest => query.order((runs::created_at.desc(), runs::id.desc())).load(c),
                Order::Oldest => query.order((runs::created_at.asc(), runs::id.asc())).load(c),
            }
        })?;
        keys.extend(found);
    }
    keys.sort_unstable_by(|a, b| place(page.order, *a, *b));
    Ok(keys.get(take - 1).copied())
}

/// Rows along a tag: its index says which runs, and they are read by their ids, some at a time. A join would leave to the
/// planner which of both is walked.
fn along_tag(
    conn: &mut Conn<'_>,
    wanted: &Wanted,
    mut after: Option<(Time, Id)>,
    page: &PageRequest,
    most: usize,
) -> Result<Vec<ListRow>, Error> {
    let Along::Tag { kind, name, values } = &wanted.along else { return Ok(Vec::new()) };
    let (mut rows, mut skip) = (Vec::new(), page.offset);
    loop {
        let bounds = wanted.bounds(page.order, after);
        let keys = tags::keys(conn, (kind, name, values), &bounds, page.order, CHUNK)?;
        let last = keys.len() < CHUNK;
        after = keys.last().copied().or(after);
        let ids = keys.into_iter().map(|(_, id)| id).collect();
        let conditions: Vec<Condition> =
            [Condition::Ids(ids)].into_iter().chain(wanted.others.iter().cloned()).collect();
        let mut found: Vec<ListRow> =
            on_conn!(conn, c => runs::table.select(ListRow::as_select()).filter(All(&conditions)).load(c))?;
        found.sort_unstable_by(|a, b| place(page.order, a.key(), b.key()));
        let passed_over = skip.min(found.len());
        skip -= passed_over;
        rows.extend(found.into_iter().skip(passed_over));
        if last || rows.len() >= most {
            rows.truncate(most);
            return Ok(rows);
        }
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
