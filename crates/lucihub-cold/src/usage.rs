//! How many runs were created, for quotas.

use std::time::Duration;

use diesel::prelude::*;
use lucihub_models_core::cold::{Quota, Usage};
use lucihub_models_core::{DeviceType, Result, RunHead, Timestamp};

use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::usage;
use crate::types::{Free, Time};

/// How long counts are kept. Nobody asks for more than a day; the rest is room for clocks: one that is days ahead must not
/// take away what counts again as soon as it is set right, or what others count by theirs.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Counts a run that was just created, unless that is one too many. In the transaction that creates it.
pub(crate) fn count(conn: &mut Conn<'_>, head: &RunHead, quota: Option<&Quota>, now: Timestamp) -> Result<(), Error> {
    let Some(owner) = &head.owner else { return Ok(()) };
    let kind = head.device_type.as_ref().map_or("", DeviceType::as_str);
    let (owner, kind, minute) = (Free::from(&**owner), Free::from(kind), Time(Usage::minute(now)));
    if let Some(quota) = quota {
        one_at_a_time(conn, &owner, &kind)?;
        let since = Time(Usage::day_ago(now));
        let counts: Vec<(Time, i64)> = on_conn!(conn, c => {
            usage::table
                .filter(usage::owner.eq(&owner).and(usage::device_type.eq(&kind)).and(usage::minute.gt(since)))
                .select((usage::minute, usage::runs))
                .load(c)
        })?;
        let used = sum(head.device_type.clone(), now, counts.into_iter());
        quota.check(&used)?;
    }
    on_conn!(conn, c => {
        diesel::insert_into(usage::table)
            .values((usage::owner.eq(&owner), usage::device_type.eq(&kind), usage::minute.eq(minute), usage::runs.eq(1)))
            .on_conflict((usage::owner, usage::device_type, usage::minute))
            .do_update()
            .set(usage::runs.eq(usage::runs + 1))
            .execute(c)
    })?;
    // What is older goes with the next run of the same kind. What lies ahead stays: it counts until it is old.
    let old = Time(Usage::day_ago(now).before(KEPT));
    on_conn!(conn, c => {
        let rows = usage::table.filter(usage::owner.eq(&owner).and(usage::device_type.eq(&kind)).and(usage::minute.lt(old)));
        diesel::delete(rows).execute(c)
    })?;
    Ok(())
}

/// What an owner has used, for each kind of device.
pub(crate) fn of(conn: &mut Conn<'_>, owner: &str, now: Timestamp) -> Result<Vec<Usage>, Error> {
    let (owner, since) = (Free::from(owner), Time(Usage::day_ago(now)));
    let rows: Vec<(Free, Time, i64)> = on_conn!(conn, c => {
        usage::table
            .filter(usage::owner.eq(&owner).and(usage::minute.gt(since)))
            .order((usage::device_type.asc(), usage::minute.asc()))
            .select((usage::device_type, usage::minute, usage::runs))
            .load(c)
    })?;
    let kinds = rows.chunk_by(|a, b| a.0 == b.0);
    let mut all: Vec<Usage> = kinds
        .map(|rows| {
            let kind = Some(&*rows[0].0.0).filter(|kind| !kind.is_empty()).map(DeviceType::from);
            sum(kind, now, rows.iter().map(|(_, minute, runs)| (*minute, *runs)))
        })
        .collect();
    all.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(all)
}

fn sum(device_type: Option<DeviceType>, now: Timestamp, counts: impl Iterator<Item = (Time, i64)>) -> Usage {
    let mut usage = Usage { device_type, last_hour: 0, last_day: 0 };
    for (Time(minute), runs) in counts {
        usage.add(minute, u64::try_from(runs).unwrap_or(0), now);
    }
    usage
}

/// Two that create at once would both be the last one allowed. SQLite has one that writes anyway.
fn one_at_a_time(conn: &mut Conn<'_>, owner: &Free, kind: &Free) -> Result<(), Error> {
    match conn {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(_) => {
            let _ = (owner, kind);
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => {
            use crate::types::DbText;
            let lock = diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))");
            lock.bind::<DbText, _>(owner).bind::<DbText, _>(kind).execute(*c)?;
            Ok(())
        }
    }
}
