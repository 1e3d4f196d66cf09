//! Totals: how many runs a whole search has, counted in the indexes that its pages walk.

use diesel::prelude::*;

use super::conditions::{All, Condition};
use super::tags;
use super::wanted::{Along, Wanted};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::runs;

pub(super) fn total(conn: &mut Conn<'_>, wanted: &Wanted) -> Result<u64, Error> {
    let window = wanted.bounds(lucihub_models_core::Order::Newest, None);
    let mut total = 0;
    match &wanted.along {
        Along::Tag { kind, name, values } => match (&values[..], &wanted.others[..]) {
            ([value], []) => total = tags::count(conn, (kind, name, value), &window)?,
            _ => {
                let tagged = Condition::Found { kind: kind.clone(), name: name.clone(), values: values.clone() };
                let rest = wanted.others.iter().cloned().chain(window.into_iter().map(Condition::At));
                total = count(conn, &[tagged].into_iter().chain(rest).collect::<Vec<_>>())?;
            }
        },
        Along::All | Along::Column(..) => {
            for conditions in wanted.walks(conn, &window) {
                total += count(conn, &conditions)?;
            }
        }
    }
    Ok(u64::try_from(total).unwrap_or(0))
}

fn count(conn: &mut Conn<'_>, conditions: &[Condition]) -> Result<i64, Error> {
    Ok(on_conn!(conn, c => runs::table.filter(All(conditions)).count().get_result(c))?)
}
