//! Cold storage on SQLite: pages of long lists, and searches with a total.

use anyhow::{Result, ensure};
use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::{Order, PageCursor, PageRequest, RunFilter, Timestamp};
use lucihub_testkit::Dice;
use lucihub_testkit::models::{run_head, run_id};

use crate::lab::Lab;
use crate::measure::{Figures, MS, US, timed};
use crate::plain::Plain;

const PAGE: u32 = 50;
const PAGES: usize = 20;
/// Between two runs, in microseconds.
const STEP: u64 = 1_000;
const OWNER: &str = "owner-3";

/// Measures pages of 50 anywhere in lists of three lengths, against the bare query of the same rows and columns, and a search
/// with its total.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    for (runs, name) in [(10_000, "10k"), (100_000, "100k"), (1_000_000, "1m")] {
        let all = format!("cold.sqlite.page_50_of_{name}_us");
        let filtered = format!("cold.sqlite.filtered_page_50_of_{name}_us");
        let total = format!("cold.sqlite.search_with_total_of_{name}_ms");
        if [&all, &filtered, &total].into_iter().any(|name| figures.wants(name)) {
            list(lab, figures, (&all, &filtered, &total), lab.size.of(runs).max(2_000))?;
        }
    }
    Ok(())
}

fn list(lab: &Lab, figures: &mut Figures, (all, filtered, total): (&str, &str, &str), runs: usize) -> Result<()> {
    // Quick runs have the same length all.
    let file = format!("{all}.db");
    let cold = lab.cold(&file)?;
    let head = run_head(0);
    lab.wait(cold.create(&head))?;
    let mut plain = Plain::open(&lab.file(&file))?;
    // Through `create`, each would be a transaction that reaches the disk.
    plain.run(&format!(
        "INSERT INTO runs (id, created_at, job_type, state, state_count, device, device_type, owner, channels,
             created_digest, labels, states, positions, head, input)
         WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < {runs})
         SELECT unhex(printf('%032x', seq.n)), created_at + {STEP} * seq.n, job_type, state, state_count, device,
             device_type, 'owner-' || (seq.n % 10), channels, created_digest, labels, states, positions, head, input
         FROM runs, seq"
    ))?;
    let begun = head.created_at.as_micros();
    let place = |dice: &Dice| -> Result<i64> {
        // Far enough from the end for a page of one owner among ten.
        let behind = 10 * u64::from(PAGE) + 1 + dice.below(runs as u64 - 10 * u64::from(PAGE));
        Ok(begun + i64::try_from(STEP * behind)?)
    };
    for (name, owner) in [(all, None), (filtered, Some(OWNER))] {
        let filter = owner.map_or_else(RunFilter::default, |owner| RunFilter::default().owner(owner));
        let (ours_at, theirs_at) = (Dice::new(7), Dice::new(7));
        let ours = || {
            let (seconds, ()) = timed(|| {
                lab.wait(async {
                    for _ in 0..PAGES {
                        let created_at = Timestamp::from_micros(place(&ours_at)?)?;
                        let after = PageCursor::new(&filter, Order::Newest, created_at, run_id(0));
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
                    let rows = plain.page(owner, place(&theirs_at)?, PAGE.into())?;
                    ensure!(rows.len() == PAGE as usize, "a page of {}", rows.len());
                }
                Ok(())
            })?;
            Ok((PAGES as f64, seconds))
        };
        figures.compare((name, US), lab.size.repeats, ours, ("the bare prepared query", theirs))?;
    }
    let filter = RunFilter::default().owner(OWNER);
    let ours = || {
        let (seconds, page) = timed(|| Ok(lab.wait(cold.list(&filter, &PageRequest::newest(50).with_total()))?))?;
        let expected = runs as u64 / 10;
        ensure!(page.total.is_some_and(|total| total.abs_diff(expected) <= 1), "{:?} of {expected}", page.total);
        Ok((1.0, seconds))
    };
    let theirs = || {
        let (seconds, _) = timed(|| {
            plain.page(Some(OWNER), i64::MAX, PAGE.into())?;
            plain.total(OWNER)
        })?;
        Ok((1.0, seconds))
    };
    figures.compare((total, MS), lab.size.repeats, ours, ("the bare page and its count", theirs))
}
