//! The simulation: one thread, simulated time, stores in memory. A seed is a history, and the same one every time.
//!
//! | file | what is there |
//! | --- | --- |
//! | `plan.rs`, `history.rs` | what a history is to be, and how it is gone through |
//! | `client.rs`, `hot.rs`, `cold.rs`, `clock.rs` | a process: its way to both storages, its clock, its end |
//! | `weather.rs`, `nemesis.rs` | the faults in force, and what strikes |
//! | `worker.rs`, `keeper.rs`, `people.rs`, `scanner.rs` | who writes |
//! | `reader.rs`, `follower.rs` | who reads, and checks every answer |
//! | `world.rs`, `truth.rs`, `trace.rs`, `panics.rs` | what is noted meanwhile |
//! | `judge.rs`, `claims.rs`, `content.rs` | what is left, against what was told and what belongs there |
//! | `mutants.rs` | stores with a defect that must be noticed |
//!
//! Nothing but the dice decides who is next: every call to a store takes a time that was drawn, the runtime has one
//! thread, and its time moves when all tasks wait.

mod claims;
mod client;
mod clock;
mod cold;
mod content;
mod follower;
mod history;
mod hot;
mod judge;
mod keeper;
mod mutants;
mod nemesis;
mod panics;
mod people;
mod plan;
mod reader;
mod scanner;
mod trace;
mod truth;
mod weather;
mod worker;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Result, bail};

use self::history::Outcome;
use self::mutants::Mutant;
use crate::gates::Report;

/// Histories that are gone through at once. Each has one thread.
const THREADS: usize = 2;
/// Every so many, one is gone through again, to the same hash.
const AGAIN: u64 = 100;
/// Histories in which a defect must have been noticed.
const MUTANT_HISTORIES: u64 = 200;

/// What there must have been in a thousand histories.
const LEAST: [(&str, u64); 17] = [
    ("lost_answer", 1_000),
    ("failed", 1_000),
    ("down", 1_000),
    ("hot_down", 100),
    ("cold_down", 100),
    ("emptied", 100),
    ("run_lost", 50),
    ("restored", 50),
    ("filled", 50),
    ("full", 50),
    ("stopped", 50),
    ("clock_jump", 50),
    ("keeper_killed", 500),
    ("worker_killed", 200),
    ("held", 50),
    ("fenced", 20),
    ("sealed", 5),
];

static TRACE: AtomicBool = AtomicBool::new(false);

/// Whether traces are for people, and not only hashed.
fn wants_trace() -> bool {
    TRACE.load(Ordering::Relaxed)
}

/// Goes through histories, one for each seed from this one on.
pub(crate) fn run(seed: u64, histories: u64) -> Result<Report> {
    let begun = Instant::now();
    TRACE.store(histories == 1, Ordering::Relaxed);
    let outcomes = all(seed, histories)?;
    let mut report = Report::new("sim");
    let mut faults: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut steps, mut lasted, mut archived, mut hash) = (0, 0.0, 0, 0_u64);
    for outcome in &outcomes {
        report.findings.extend(&outcome.findings);
        for (kind, count) in &outcome.faults {
            *faults.entry(kind).or_default() += count;
        }
        steps += outcome.steps;
        lasted += outcome.lasted.as_secs_f64();
        archived += outcome.archived;
        hash = hash.rotate_left(7) ^ outcome.hash;
    }
    show(&outcomes, histories);
    report.faults = LEAST
        .into_iter()
        .map(|(kind, least)| (kind, (faults.get(kind).copied().unwrap_or(0), least * histories / 1_000)))
        .collect();
    let repeated = repeat(&outcomes)?;
    if histories >= AGAIN {
        for (name, mutant) in Mutant::ALL {
            report.mutants.insert(name, is_noticed(seed, mutant)?);
        }
    }
    report.figures = figures(&[
        ("histories", histories as f64),
        ("steps", steps as f64),
        ("simulated_seconds", lasted),
        ("runs_archived", archived as f64),
        ("repeated", repeated as f64),
        ("trace_hash_32", (hash & 0xffff_ffff) as f64),
        ("seconds", begun.elapsed().as_secs_f64()),
    ]);
    Ok(report)
}

fn figures(all: &[(&'static str, f64)]) -> BTreeMap<&'static str, f64> {
    all.iter().copied().collect()
}

/// All histories, in the order of their seeds.
fn all(seed: u64, histories: u64) -> Result<Vec<Outcome>> {
    let (next, outcomes) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let go = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= histories {
                return;
            }
            let outcome = history::run(seed.wrapping_add(at), None);
            outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, outcome));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(go);
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Says which seeds to look at. Of a single history it shows all.
fn show(outcomes: &[Outcome], histories: u64) {
    for outcome in outcomes {
        if histories == 1 {
            eprint!("{}", outcome.trace);
        } else if !outcome.findings.is_empty() {
            eprintln!("sim: look at it with --level sim --seed {} --histories 1", outcome.seed);
        }
    }
}

/// The same seed gives the same trace. Returns how many were compared.
fn repeat(outcomes: &[Outcome]) -> Result<u64> {
    let mut compared = 0;
    for outcome in outcomes.iter().step_by(usize::try_from(AGAIN).unwrap_or(usize::MAX)) {
        let again = history::run(outcome.seed, None)?;
        if again.hash != outcome.hash {
            bail!("seed {} gave trace {:016x}, then {:016x}", outcome.seed, outcome.hash, again.hash);
        }
        compared += 1;
    }
    Ok(compared)
}

/// Whether the checker notices a defect in one of some histories.
fn is_noticed(seed: u64, mutant: Mutant) -> Result<bool> {
    for at in 0..MUTANT_HISTORIES {
        if !history::run(seed.wrapping_add(at), Some(mutant))?.findings.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
