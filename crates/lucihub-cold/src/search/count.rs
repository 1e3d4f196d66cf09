//! Totals: how many runs a whole search has, counted in the indexes that its pages walk.

use diesel::prelude::*;
use lucihub_models_core::Order;

use super::conditions::{All, Condition};
use super::tags::{self, LABEL};
use super::timed::Timed;
use super::wanted::{Along, Wanted};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::runs;
use crate::types::Free;

pub(super) fn total(timed: &mut Timed<'_, '_>, wanted: &Wanted) -> Result<u64, Error> {
    let window = wanted.window(Order::Newest, None);
    let mut total = 0;
    match &wanted.along {
        // A run has one value of a label, so each is counted once. Of relations it may have several.
        Along::Tag { kind, name, values }
            if wanted.others.is_empty() && (values.len() == 1 || *kind == Free::from(LABEL)) =>
        {
            for value in values {
                total += tags::count(timed.next()?, (kind, name, value), window)?;
            }
        }
        Along::Tag { kind, name, values } => {
            let tagged = Condition::Found { kind: kind.clone(), name: name.clone(), values: values.clone() };
            total = count(timed.next()?, &wanted.conditions(Some(tagged), window))?;
        }
        Along::All | Along::Column(..) => {
            for walk in wanted.walks(timed.is_postgres()) {
                total += count(timed.next()?, &wanted.conditions(walk, window))?;
            }
        }
    }
    Ok(u64::try_from(total).unwrap_or(0))
}

fn count(conn: &mut Conn<'_>, conditions: &[Condition]) -> Result<i64, Error> {
    Ok(on_conn!(conn, c => runs::table.filter(All(conditions)).count().get_result(c))?)
}
