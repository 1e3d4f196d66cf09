//! Cold storage on SQLite: pages of long lists.

use anyhow::{Result, ensure};
use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::{Order, PageCursor, PageRequest, RunFilter, Timestamp};
use lucihub_testkit::Dice;
use lucihub_testkit::models::{run_head, run_id};

use crate::lab::Lab;
use crate::measure::{Figures, US, timed};
use crate::plain::Plain;

/// Measures a page of 50 somewhere in lists of two lengths, against the bare
/// query of the same rows and columns.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    for (runs, name) in [(10_000, "cold.sqlite.page_50_of_10k_us"), (100_000, "cold.sqlite.page_50_of_100k_us")] {
        page(lab, figures, name, lab.size.of(runs).max(200))?;
    }
    Ok(())
}

fn page(lab: &Lab, figures: &mut Figures, name: &str, runs: usize) -> Result<()> {
    const PAGE: u32 = 50;
    const PAGES: usize = 20;
    const STEP: u64 = 1_000;
    let file = format!("list-{runs}.db");
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
        let behind = u64::from(PAGE) + 1 + dice.below(runs as u64 - u64::from(PAGE));
        Ok(begun + i64::try_from(STEP * behind)?)
    };
    let (ours_at, theirs_at) = (Dice::new(7), Dice::new(7));
    let ours = || {
        let (seconds, ()) = timed(|| {
            lab.wait(async {
                for _ in 0..PAGES {
                    let created_at = Timestamp::from_micros(place(&ours_at)?)?;
                    let after = PageCursor::new(&RunFilter::default(), Order::Newest, created_at, run_id(0));
                    let request = PageRequest { after: Some(after), limit: PAGE as usize, ..PageRequest::default() };
                    let page = cold.list(&RunFilter::default(), &request).await?;
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
                let rows = plain.page(place(&theirs_at)?, PAGE.into())?;
                ensure!(rows.len() == PAGE as usize, "a page of {}", rows.len());
            }
            Ok(())
        })?;
        Ok((PAGES as f64, seconds))
    };
    figures.compare((name, US), lab.size.repeats, ours, ("the bare prepared query", theirs))
}
