//! How far hot storage that is behind cold storage agrees with it.
//!
//! Hot storage that went back to an older copy may have been given another content since. What it has must not be called
//! safe by its positions alone; but where it is the same, it may be, so that a full hot storage gets room.

use std::ops::Range;

use lucihub_models_core::{Positions, Result};

use super::keeper::Keeper;
use super::verify::{agrees, has_all};
use crate::read::Located;

impl Keeper {
    /// What hot storage can be told to be safe, of a position. Where cold storage is further than hot storage that is as far
    /// as both have the same; elsewhere the cells have been written anew or compared.
    pub(super) async fn agreed(&self, located: &Located, safe: &Positions) -> Result<Positions> {
        let (have, mut safe) = (located.cold_positions(), safe.clone());
        let Some(hot) = located.hot_run() else { return Ok(safe) };
        if have.lines > hot.next.lines {
            safe.lines = self.agreed_lines(located, hot.confirmed.lines..safe.lines).await?;
        }
        for (channel, end) in (0..).zip(&mut safe.samples) {
            if have.sample(channel) > hot.next.sample(channel) {
                *end = self.agreed_samples(located, channel, hot.confirmed.sample(channel)..*end).await?;
            }
        }
        Ok(safe)
    }

    async fn agreed_lines(&self, located: &Located, range: Range<u64>) -> Result<u64> {
        let (run, grid, mut at) = (located.run(), located.grid(), range.start);
        for number in grid.log_cells(&range) {
            let part = at..grid.log_cell(number).end.min(range.end);
            let stored = readable(self.store.cold().log_cells(run, number..number + 1).await)?.and_then(first);
            let present = readable(self.store.hot().lines(run, part.clone()).await)?;
            let (Some(stored), Some(present)) = (stored, present.flatten()) else { break };
            let Some(stored) = part.start.checked_sub(stored.first).and_then(|from| {
                let from = usize::try_from(from).ok()?;
                stored.lines.get(from..)
            }) else {
                break;
            };
            if present.first != part.start || !has_all(stored, &present.lines) {
                break;
            }
            at = part.end;
        }
        Ok(at)
    }

    async fn agreed_samples(&self, located: &Located, channel: u32, range: Range<u64>) -> Result<u64> {
        let (run, grid, mut at) = (located.run(), located.grid(), range.start);
        for number in grid.sample_cells(&range) {
            let part = at..grid.sample_cell(number).end.min(range.end);
            let stored = self.store.cold().sample_cells(run, channel, number..number + 1).await;
            let stored = readable(stored)?.and_then(first);
            let present = readable(self.store.hot().window(run, channel, part.clone()).await)?.flatten();
            let (Some(stored), Some(present)) = (stored, present) else { break };
            let has = stored.series.first <= part.start && stored.series.end >= part.end;
            if !has || (present.first..present.end) != part || !agrees(&stored.series, &present) {
                break;
            }
            at = part.end;
        }
        Ok(at)
    }
}

/// What was asked for. What is damaged agrees with nothing.
fn readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(why) if why.is_unreadable() => Ok(None),
        Err(error) => Err(error),
    }
}

fn first<C>(cells: Vec<C>) -> Option<C> {
    cells.into_iter().next()
}
