//! Pages of long lists, and searches with a total.

use anyhow::{Result, ensure};
use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::{Order, PageCursor, PageRequest, RunFilter, RunId, Timestamp};
use lucihub_testkit::Dice;
use lucihub_testkit::models::run_head;

use super::Bench;
use crate::lab::Lab;
use crate::measure::{Figures, MS, US, timed};

const PAGE: u32 = 50;
const PAGES: usize = 50;
/// Between two runs, in microseconds.
const STEP: u64 = 1_000;
const OWNER: &str = "owner-3";

/// Measures pages of 50 anywhere in lists of three lengths, against the bare query of the same rows and columns.
pub(super) fn measure(lab: &Lab, bench: &Bench, figures: &mut Figures) -> Result<()> {
    for (runs, name) in [(10_000, "10k"), (100_000, "100k"), (1_000_000, "1m")] {
        let all = format!("cold.postgres.page_50_of_{name}_us");
        let filtered = format!("cold.postgres.filtered_page_50_of_{name}_us");
        let total = format!("cold.postgres.search_with_total_of_{name}_ms");
        if [&all, &filtered, &total].into_iter().any(|name| figures.wants(name)) {
            list(lab, bench, figures, (&all, &filtered, &total), lab.size.of(runs).max(2_000))?;
        }
    }
    Ok(())
}

fn list(
    lab: &Lab,
    bench: &Bench,
    figures: &mut Figures,
    (all, filtered, total): (&str, &str, &str),
    runs: usize,
) -> Result<()> {
    let (cold, bare, database) = bench.database(lab)?;
    let head = run_head(0);
    lab.wait(cold.create(&head))?;
    // Through `create`, each would be a transaction that reaches the disk.
    bench.server.sql(
        &database,
        &format!(
            "INSERT INTO lucihub.runs (id, created_at, job_type, state, state_count, device, device_type, owner, channels,
                 created_digest, labels, states, positions, head, input)
             SELECT lpad(to_hex(n), 32, '0')::uuid, created_at + n * interval '{STEP} microseconds', job_type, state,
                 state_count, device, device_type, 'owner-' || (n % 10), channels, created_digest, labels, states,
                 positions, head, input
             FROM lucihub.runs, generate_series(1, {runs}) AS n"
        ),
    );
    bench.server.sql(&database, "VACUUM ANALYZE");
    let begun = head.created_at.as_micros();
    let place = |dice: &Dice| -> Result<i64> {
        // Far enough from the end for a page of one owner among ten.
        let behind = 10 * u64::from(PAGE) + 1 + dice.below(runs as u64 - 10 * u64::from(PAGE));
        Ok(begun + i64::try_from(STEP * behind)?)
    };
    for (name, filter) in [(all, RunFilter::default()), (filtered, RunFilter::default().owner(OWNER))] {
        let (ours_at, theirs_at) = (Dice::new(7), Dice::new(7));
        let ours = || {
            let (seconds, ()) = timed(|| {
                lab.wait(async {
                    for _ in 0..PAGES {
                        let created_at = Timestamp::from_micros(place(&ours_at)?)?;
                        let last = RunId::from_uuid(uuid::Uuid::max());
                        let after = PageCursor::new(&filter, Order::Newest, created_at, last);
                        let page = cold.list(&filter, &PageRequest::newest(PAGE as usize).after(after)).await?;
                        ensure!(page.runs.len() == PAGE as usize, "a page of {}", page.runs.len());
                    }
                    Ok(())
                })
            })?;
            Ok((PAGES as f64, seconds))
        };
        let theirs = || {
            let (seconds, ()) = timed(|| {
                for _ in 0..PAGES {
                    let before = place(&theirs_at)?;
                    let rows = if name == all { bare.page(before, PAGE.into())? } else { bare.page_of(OWNER, before, PAGE.into())? };
                    ensure!(rows == PAGE as usize, "a page of {rows}");
                }
                Ok(())
            })?;
            Ok((PAGES as f64, seconds))
        };
        figures.compare((name, US), lab.size.repeats, ours, ("the bare prepared query", theirs))?;
    }
    let filter = RunFilter::default().owner(OWNER);
    let expected = runs as u64 / 10;
    let ours = || {
        let (seconds, page) = timed(|| Ok(lab.wait(cold.list(&filter, &PageRequest::newest(50).with_total()))?))?;
        ensure!(page.total.is_some_and(|total| total.abs_diff(expected) <= 1), "{:?} of {expected}", page.total);
        Ok((1.0, seconds))
    };
    let theirs = || {
        let (seconds, _) = timed(|| {
            bare.page_of(OWNER, i64::MAX / 1_000_000, PAGE.into())?;
            bare.total(OWNER)
        })?;
        Ok((1.0, seconds))
    };
    figures.compare((total, MS), lab.size.repeats, ours, ("the bare page and its count", theirs))
}
