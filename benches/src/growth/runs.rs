//! Runs in the table: what a list, a search, a look, a new run and a keeper cost beside those that are there already.
//!
//! All runs of the table are archived and released, as nearly all of a lab's are.

use anyhow::{Context, Result, ensure};
use lucihub_models_core::cold::Created;
use lucihub_models_core::{PageRequest, RunFilter, RunHead, RunId, Timestamp};
use lucihub_store::{Keeper, KeeperOptions, Source, Store};
use lucihub_testkit::Dice;
use lucihub_testkit::models::{run_head, run_id};
use uuid::Uuid;

use super::{Axis, Curve, Panel, Quantity, repeats};
use crate::cold::{Engine, Place, postgres, sqlite};
use crate::lab::Lab;
use crate::measure::{Figures, MS, US, timed};
use crate::typical::Typical;

const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 3_000_000];
const PAGE: usize = 50;
/// Calls of one repeat.
const CALLS: u32 = 20;
/// Between two runs, in microseconds.
const STEP: u64 = 1_000;
const OWNER: &str = "owner-3";

pub(super) const AXIS: Axis = Axis {
    name: "runs",
    title: "Runs in the table",
    sizes: "runs in the table",
    panels: &[
        Panel {
            title: "SQLite",
            quantity: Quantity::Time,
            curves: &[
                Curve { what: "sqlite.search_with_total", label: "search with the total of an owner" },
                Curve { what: "sqlite.create", label: "create a run" },
                Curve { what: "sqlite.page_50", label: "first page of 50" },
                Curve { what: "sqlite.filtered_page_50", label: "page of 50 of an owner" },
                Curve { what: "sqlite.look", label: "look at a run by its id" },
                Curve { what: "sqlite.idle_walk", label: "walk of an idle keeper" },
            ],
        },
        Panel {
            title: "PostgreSQL",
            quantity: Quantity::Time,
            curves: &[
                Curve { what: "postgres.search_with_total", label: "search with the total of an owner" },
                Curve { what: "postgres.create", label: "create a run" },
                Curve { what: "postgres.page_50", label: "first page of 50" },
                Curve { what: "postgres.filtered_page_50", label: "page of 50 of an owner" },
                Curve { what: "postgres.look", label: "look at a run by its id" },
                Curve { what: "postgres.idle_walk", label: "walk of an idle keeper" },
            ],
        },
    ],
};

/// Measures it on both databases.
pub(super) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    if figures.wants_any_of("growth.runs.sqlite.") {
        on(lab, &sqlite::Files, figures).context("SQLite")?;
    }
    if figures.wants_any_of("growth.runs.postgres.") {
        on(lab, &postgres::Server::start(), figures).context("PostgreSQL")?;
    }
    Ok(())
}

fn on(lab: &Lab, engine: &dyn Engine, figures: &mut Figures) -> Result<()> {
    let mut first = None;
    for size in SIZES {
        let mut table = Table::fill(lab, engine, size)?;
        table.points(lab, engine, figures)?;
        let Some(first) = &first else {
            first = Some(table);
            continue;
        };
        if Some(&size) == SIZES.last() {
            let name = format!("growth.runs.{}.page_50_3m_beside_10k", engine.name());
            let all = RunFilter::default();
            let ours = || table.pages(lab, &all);
            figures.compare((name, US), lab.size.repeats, ours, ("the same of 10 k", || first.pages(lab, &all)))?;
        }
    }
    Ok(())
}

/// A table of so many runs, in a database of its own.
struct Table {
    store: Store,
    size: usize,
    runs: usize,
    /// The one that all others are like.
    head: RunHead,
    /// Runs that were created since.
    created: u64,
}

impl Table {
    fn fill(lab: &Lab, engine: &dyn Engine, size: usize) -> Result<Self> {
        let Place { cold, mut side } = engine.place(lab, &format!("growth-{size}"))?;
        let (runs, head) = (lab.size.of(size).max(2_000), run_head(0));
        lab.wait(async {
            cold.create(&head).await?;
            cold.commit(&Typical { channels: Vec::new(), lines: Vec::new() }.commit(&head)).await?;
            ensure!(cold.release(head.id).await?, "it is archived");
            Ok(())
        })?;
        side.fill(runs, STEP)?;
        side.settle()?;
        Ok(Self { store: lab.store(cold, 1 << 20), size, runs, head, created: 0 })
    }

    fn points(&mut self, lab: &Lab, engine: &dyn Engine, figures: &mut Figures) -> Result<()> {
        let name = |what: &str, unit: &str| AXIS.figure(&format!("{}.{what}", engine.name()), self.size, unit);
        let [page, filtered, look, create, walk] =
            ["page_50", "filtered_page_50", "look", "create", "idle_walk"].map(|what| (name(what, "us"), US));
        let search = (name("search_with_total", "ms"), MS);
        let repeats = repeats(lab);
        figures.alone(page, repeats, || self.pages(lab, &RunFilter::default()))?;
        figures.alone(filtered, repeats, || self.pages(lab, &RunFilter::default().owner(OWNER)))?;
        figures.alone(search, repeats, || self.search(lab))?;
        let dice = Dice::new(7);
        figures.alone(look, repeats, || self.looks(lab, &dice))?;
        figures.alone(walk, repeats, || self.walks(lab))?;
        // Last: these runs are there from then on, and keepers would open them.
        figures.alone(create, repeats, || self.creates(lab))
    }

    /// First pages.
    fn pages(&self, lab: &Lab, filter: &RunFilter) -> Result<(f64, f64)> {
        calls(lab, async || {
            let page = self.store.list(filter, &PageRequest::newest(PAGE)).await?;
            ensure!(page.runs.len() == PAGE && page.next.is_some(), "a page of {}", page.runs.len());
            Ok(())
        })
    }

    /// A page and how many there are.
    fn search(&self, lab: &Lab) -> Result<(f64, f64)> {
        let filter = RunFilter::default().owner(OWNER);
        let (seconds, page) =
            timed(|| Ok(lab.wait(self.store.list(&filter, &PageRequest::newest(PAGE).with_total()))?))?;
        let expected = self.runs as u64 / 10;
        ensure!(page.total.is_some_and(|total| total.abs_diff(expected) <= 1), "{:?} of {expected}", page.total);
        Ok((1.0, seconds))
    }

    /// Runs anywhere in the table, by their ids.
    fn looks(&self, lab: &Lab, dice: &Dice) -> Result<(f64, f64)> {
        calls(lab, async || {
            let run = RunId::from_uuid(Uuid::from_u128(u128::from(1 + dice.below(self.runs as u64))));
            ensure!(self.store.status(run).await?.source == Source::Archive, "it is archived");
            Ok(())
        })
    }

    /// What a keeper does where nothing is to be done.
    fn walks(&self, lab: &Lab) -> Result<(f64, f64)> {
        let keeper = Keeper::new(self.store.clone(), KeeperOptions::default());
        calls(lab, async || {
            let report = keeper.walk().await?;
            ensure!(report.errors.is_empty() && report.opened == 0, "{report:?}");
            Ok(())
        })
    }

    /// New runs, newer than all others.
    fn creates(&mut self, lab: &Lab) -> Result<(f64, f64)> {
        let newest = self.head.created_at.as_micros() + i64::try_from(STEP * self.runs as u64)?;
        let mut heads = Vec::new();
        for _ in 0..CALLS {
            self.created += 1;
            let mut head = self.head.clone();
            head.id = run_id(self.created << 20);
            head.created_at = Timestamp::from_micros(newest + i64::try_from(self.created)?)?;
            head.states[0].at = head.created_at;
            heads.push(head);
        }
        let cold = self.store.cold();
        let (seconds, ()) = timed(|| {
            lab.wait(async {
                for head in &heads {
                    ensure!(cold.create(head).await? == Created::Created, "it is new");
                }
                Ok(())
            })
        })?;
        Ok((f64::from(CALLS), seconds))
    }
}

/// Times some calls, one after another.
fn calls(lab: &Lab, call: impl AsyncFn() -> Result<()>) -> Result<(f64, f64)> {
    let (seconds, ()) = timed(|| {
        lab.wait(async {
            for _ in 0..CALLS {
                call().await?;
            }
            Ok(())
        })
    })?;
    Ok((f64::from(CALLS), seconds))
}
