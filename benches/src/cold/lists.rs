//! Pages of long lists, and searches with a total.

use anyhow::{Result, ensure};
use lucihub_models_core::{Order, PageCursor, PageRequest, RunFilter, Timestamp};
use lucihub_testkit::Dice;
use lucihub_testkit::models::{run_head, run_id};

use super::{Engine, Place, figure};
use crate::lab::Lab;
use crate::measure::{Figures, MS, US, timed};

const PAGE: u32 = 50;
const PAGES: usize = 20;
/// Between two runs, in microseconds.
const STEP: u64 = 1_000;
const OWNER: &str = "owner-3";

/// Measures pages of 50 anywhere in lists of three lengths, against the bare query of the same rows and columns, and a search
/// with its total.
pub(super) fn measure(lab: &Lab, engine: &dyn Engine, figures: &mut Figures) -> Result<()> {
    for (runs, length) in [(10_000, "10k"), (100_000, "100k"), (1_000_000, "1m")] {
        let names = [
            format!("page_50_of_{length}_us"),
            format!("filtered_page_50_of_{length}_us"),
            format!("search_with_total_of_{length}_ms"),
        ]
        .map(|what| figure(engine, &what));
        if names.iter().any(|name| figures.wants(name)) {
            // Named by what it stands for: in a quick run all have the same length.
            let mut place = engine.place(lab, &format!("list-{length}"))?;
            list(lab, figures, &names, &mut place, lab.size.of(runs).max(2_000))?;
        }
    }
    Ok(())
}

fn list(
    lab: &Lab,
    figures: &mut Figures,
    [all, filtered, total]: &[String; 3],
    Place { cold, side }: &mut Place,
    runs: usize,
) -> Result<()> {
    let head = run_head(0);
    lab.wait(cold.create(&head))?;
    side.fill(runs, STEP)?;
    side.settle()?;
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
                    let rows = side.page(owner, place(&theirs_at)?, PAGE.into())?;
                    ensure!(rows == PAGE as usize, "a page of {rows}");
                }
                Ok(())
            })?;
            Ok((PAGES as f64, seconds))
        };
        figures.compare((name, US), lab.size.repeats, ours, ("the bare prepared query", theirs))?;
    }
    let filter = RunFilter::default().owner(OWNER);
    let newest = begun + i64::try_from(STEP * (runs as u64 + 1))?;
    let ours = || {
        let (seconds, page) = timed(|| Ok(lab.wait(cold.list(&filter, &PageRequest::newest(50).with_total()))?))?;
        let expected = runs as u64 / 10;
        ensure!(page.total.is_some_and(|total| total.abs_diff(expected) <= 1), "{:?} of {expected}", page.total);
        Ok((1.0, seconds))
    };
    let theirs = || {
        let (seconds, _) = timed(|| {
            side.page(Some(OWNER), newest, PAGE.into())?;
            side.total(OWNER)
        })?;
        Ok((1.0, seconds))
    };
    figures.compare((total, MS), lab.size.repeats, ours, ("the bare page and its count", theirs))
}
