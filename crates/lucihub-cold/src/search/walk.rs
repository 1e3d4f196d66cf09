//! Walks: the rows of a page, in order.

use diesel::prelude::*;
use lucihub_models_core::{Order, PageRequest};

use super::conditions::{All, Condition};
use super::merge::{Merge, Placed, place};
use super::timed::Timed;
use super::wanted::{Along, Wanted};
use super::{ListRow, tags};
use crate::at_most::AtMostDsl;
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::runs;
use crate::types::{Free, Id, Time};

/// Runs that are read by their ids at once.
const CHUNK: usize = 500;

/// Runs of a tag that are looked at by turns: at first so many, then twice as many each time, up to so many. So a page
/// that is soon full costs little, and one of runs that are rare among them does not begin all walks anew for each few.
const TURNS: (usize, usize) = (64, 16_384);

/// The rows from a page's place on, so many at most.
pub(super) fn rows(
    timed: &mut Timed<'_, '_>,
    wanted: &Wanted,
    page: &PageRequest,
    most: usize,
) -> Result<Vec<ListRow>, Error> {
    let mut after = page.after.map(|cursor| (Time(cursor.created_at()), Id(cursor.id())));
    if let Along::Tag { kind, name, values } = &wanted.along {
        let tag = (kind, name, &**values);
        let keys = if wanted.others.is_empty() {
            tags::keys(timed, tag, wanted.window(page.order, after), page.order, (page.offset, most))?
        } else {
            along_tag(timed, wanted, tag, after, page, most)?
        };
        return by_ids(timed, &keys, page.order);
    }
    if page.offset > 0 {
        after = last_passed_over(timed, wanted, page)?;
        if after.is_none() {
            return Ok(Vec::new());
        }
    }
    let window = wanted.window(page.order, after);
    let mut merge = Merge::new(page.order, most);
    for walk in wanted.walks(timed.is_postgres()) {
        let conditions = wanted.conditions(walk, window.ending(page.order, merge.end()));
        merge.add(matching(timed.next()?, &conditions, page.order, most)?);
    }
    Ok(merge.into_found())
}

fn matching(conn: &mut Conn<'_>, conditions: &[Condition], order: Order, most: usize) -> Result<Vec<ListRow>, Error> {
    Ok(on_conn!(conn, c => {
        let query = runs::table.select(ListRow::as_select()).filter(All(conditions)).into_boxed();
        let query = match order {
            Order::Newest => query.order((runs::created_at.desc(), runs::id.desc())),
            Order::Oldest => query.order((runs::created_at.asc(), runs::id.asc())),
        };
        query.at_most(most).load(c)
    })?)
}

/// The last of the runs that a page passes over; `None` if there are not that many. Looks at the index alone.
fn last_passed_over(
    timed: &mut Timed<'_, '_>,
    wanted: &Wanted,
    page: &PageRequest,
) -> Result<Option<(Time, Id)>, Error> {
    let walks = wanted.walks(timed.is_postgres());
    let window = wanted.window(page.order, None);
    // Of one walk the database passes over them; of several the keys are merged here.
    let (skip, take) = if walks.len() == 1 { (page.offset - 1, 1) } else { (0, page.offset) };
    let mut merge = Merge::new(page.order, take);
    for walk in walks {
        let conditions = wanted.conditions(walk, window.ending(page.order, merge.end()));
        merge.add(on_conn!(timed.next()?, c => {
            let query = runs::table.select((runs::created_at, runs::id)).filter(All(&conditions)).into_boxed();
            let query = match page.order {
                Order::Newest => query.order((runs::created_at.desc(), runs::id.desc())),
                Order::Oldest => query.order((runs::created_at.asc(), runs::id.asc())),
            };
            query.at_most(take).after_first(skip).load(c)
        })?);
    }
    Ok(merge.into_found().get(take - 1).copied())
}

/// The runs of a page along a tag, where more is asked of them: the tag's index says which there are, and each is
/// looked at by its id. A join would leave to the planner which of both is walked.
fn along_tag(
    timed: &mut Timed<'_, '_>,
    wanted: &Wanted,
    tag: (&Free, &Free, &[Free]),
    mut after: Option<(Time, Id)>,
    page: &PageRequest,
    most: usize,
) -> Result<Vec<(Time, Id)>, Error> {
    let (mut found, mut skip) = (Vec::new(), page.offset);
    let mut turn = most.max(TURNS.0);
    loop {
        let keys = tags::keys(timed, tag, wanted.window(page.order, after), page.order, (0, turn))?;
        let last = keys.len() < turn;
        after = keys.last().copied().or(after);
        for part in keys.chunks(CHUNK) {
            let conditions: Vec<Condition> = [among(part)].into_iter().chain(wanted.others.iter().cloned()).collect();
            let mut matching: Vec<(Time, Id)> = on_conn!(timed.next()?, c => {
                runs::table.select((runs::created_at, runs::id)).filter(All(&conditions)).load(c)
            })?;
            matching.sort_unstable_by(|a, b| place(page.order, *a, *b));
            let passed_over = skip.min(matching.len());
            skip -= passed_over;
            found.extend(matching.into_iter().skip(passed_over));
            if found.len() >= most {
                found.truncate(most);
                return Ok(found);
            }
        }
        if last {
            return Ok(found);
        }
        turn = turn.saturating_mul(2).min(TURNS.1);
    }
}

/// The rows of runs, in order.
fn by_ids(timed: &mut Timed<'_, '_>, keys: &[(Time, Id)], order: Order) -> Result<Vec<ListRow>, Error> {
    let mut rows: Vec<ListRow> = Vec::new();
    for part in keys.chunks(CHUNK) {
        let conditions = [among(part)];
        let found: Vec<ListRow> = on_conn!(timed.next()?, c => {
            runs::table.select(ListRow::as_select()).filter(All(&conditions)).load(c)
        })?;
        rows.extend(found);
    }
    rows.sort_unstable_by(|a, b| place(order, a.key(), b.key()));
    Ok(rows)
}

fn among(keys: &[(Time, Id)]) -> Condition {
    Condition::Ids(keys.iter().map(|(_, id)| *id).collect())
}
