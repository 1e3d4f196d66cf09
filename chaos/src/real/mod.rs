//! Servers of their own, killed, frozen, emptied and cut, while workers record; judged through raw clients.
//!
//! | file | what is there |
//! | --- | --- |
//! | `single.rs`, `cluster.rs` | a round on one Redis behind proxies, and one on a cluster of six |
//! | `nemesis.rs` | what happens to servers, in an order drawn from the seed |
//! | `round.rs` | who works in a round, how it comes to its end, and how it is judged |
//! | `desk.rs`, `worker.rs` | runs, the processes that record them, and what happens to those |
//! | `keeper.rs` | the processes that archive them |
//! | `child.rs` | what all those processes have in common |
//! | `people.rs` | readers, followers, a scanner |
//! | `stage.rs`, `ledger.rs` | what they share; what they were told |
//! | `noting.rs` | hot storage with a note of each batch: writer, epoch, number, digest and answer |
//! | `raw.rs`, `archive.rs` | Redis and PostgreSQL without the code under test |
//! | `judge.rs`, `fences.rs` | the checker: of content, and of writers |
//! | `mutants.rs` | defects that the checker must notice |

mod archive;
mod child;
mod cluster;
mod desk;
mod fences;
mod judge;
mod keeper;
mod ledger;
mod mutants;
mod nemesis;
mod noting;
mod panics;
mod people;
mod raw;
mod round;
mod single;
mod stage;
mod worker;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lucihub_testkit::servers::{PostgresOptions, PostgresServer};

use crate::gates::{Gate, Report};

pub(crate) use child::live;

/// How long one round may take before it counts as hanging.
const ROUND: Duration = Duration::from_secs(600);

/// One round; or, for so many minutes, one after another with the next seeds.
///
/// # Errors
/// Where something hangs, or a server does not start.
pub(crate) fn run(seed: u64, minutes: Option<u64>) -> Result<Report> {
    panics::watch();
    let begun = Instant::now();
    let mut report = Report::new("real");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for round in 0.. {
        let all = async {
            let at = |what: &str| eprintln!("real: seed {}, {:.0?}: {what}", seed + round, begun.elapsed());
            let postgres = std::sync::Arc::new(PostgresServer::start(PostgresOptions::new()));
            at("one Redis behind proxies");
            single::round(seed + round, &postgres, &mut report).await.context("the round on one Redis")?;
            at("a cluster");
            cluster::round(seed + round, &postgres, &mut report).await.context("the round on a cluster")?;
            if round == 0 {
                at("mutants");
                mutants::all(seed, &postgres, &mut report).await.context("mutants")?;
            }
            anyhow::Ok(())
        };
        let whole = runtime.block_on(async { tokio::time::timeout(ROUND, all).await });
        whole
            .with_context(|| format!("round {round} hangs: not in {ROUND:?}"))?
            .with_context(|| format!("round {round}, seed {}", seed + round))?;
        let over = minutes.is_none_or(|minutes| begun.elapsed() >= Duration::from_secs(60 * minutes));
        if over || !report.findings.is_empty() {
            report.figures.insert("rounds", f64::from(u32::try_from(round)? + 1));
            break;
        }
    }
    for _ in 0..panics::counted() {
        report.findings.add(Gate::Panics, "see above");
    }
    report.figures.insert("seconds", begun.elapsed().as_secs_f64().round());
    runtime.shutdown_background();
    Ok(report)
}
