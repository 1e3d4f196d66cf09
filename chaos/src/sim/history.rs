//! One history: a storm, the calm after it, and the judgement.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use lucihub_models_core::RunState;
use lucihub_models_core::cold::ColdRuns;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::client::Client;
use super::mutants::Mutant;
use super::plan::Plan;
use super::world::World;
use super::{follower, keeper, nemesis, panics, people, reader, scanner, worker};
use crate::gates::{Findings, Gate};

/// How long things may take to settle after the storm.
const SETTLE: Duration = Duration::from_secs(90);

/// What a history came to.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) findings: Findings,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// A hash over all that happened.
    pub(crate) hash: u64,
    /// Calls and other steps.
    pub(crate) steps: usize,
    pub(crate) lasted: Duration,
    pub(crate) archived: u64,
    /// All that happened, in words, if something was found or it was asked for.
    pub(crate) trace: String,
}

/// Goes through the history of a seed, on this thread alone.
pub(crate) fn run(seed: u64, mutant: Option<Mutant>) -> Result<Outcome> {
    panics::watch();
    panics::take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let world = runtime.block_on(async { World::new(Plan::new(seed), mutant) });
    let played = catch_unwind(AssertUnwindSafe(|| runtime.block_on(play(&world))));
    let lasted = runtime.block_on(async { world.elapsed() });
    runtime.block_on(async {
        for panic in panics::take() {
            world.find(Gate::Panics, panic);
        }
    });
    drop(runtime);
    let archived = match played {
        Ok(archived) => archived?,
        Err(_) => 0,
    };
    let (hash, steps, trace) = world.trace();
    let (findings, faults) = (world.findings(), world.weather.counts());
    Ok(Outcome { seed, findings, faults, hash, steps, lasted, archived, trace })
}

async fn play(world: &Arc<World>) -> Result<u64> {
    let mut ever = vec![tokio::spawn(scanner::scan(world.clone()))];
    for no in 0..world.plan.keepers.len() {
        ever.push(tokio::spawn(keeper::keep(world.clone(), no)));
    }
    for no in 0..world.plan.readers {
        ever.push(tokio::spawn(reader::read(world.clone(), no)));
    }
    let (mut people, mut workers, mut followers) = (Vec::new(), Vec::new(), Vec::new());
    for (run, plan) in world.plan.runs.iter().enumerate() {
        people.push(tokio::spawn(people::attend(world.clone(), run)));
        for no in 0..plan.workers.len() {
            workers.push(tokio::spawn(worker::work(world.clone(), run, no)));
        }
        if plan.follower {
            followers.push(tokio::spawn(follower::follow(world.clone(), run)));
        }
    }
    let nemesis = tokio::spawn(nemesis::strike(world.clone()));
    sleep(world.plan.storm).await;
    nemesis.await?;
    world.weather.calm();
    world.step(0, "calm", None, "", 0);
    settle(world, &workers, &people, &followers).await?;
    ever.iter().for_each(JoinHandle::abort);
    Ok(world.judge().await?)
}

/// Waits until every run has come to its end. Runs that nobody took are cancelled then.
async fn settle(
    world: &Arc<World>,
    workers: &[JoinHandle<()>],
    people: &[JoinHandle<()>],
    followers: &[JoinHandle<()>],
) -> Result<()> {
    let client = Client::start(world, "closing".to_owned(), u64::MAX);
    let done = |tasks: &[JoinHandle<()>]| tasks.iter().all(JoinHandle::is_finished);
    let calm = world.elapsed();
    // As long as a scanner needs to be heard again, and a keeper to enter what it saw.
    let least = calm + Duration::from_secs(3);
    let mut cancelled = false;
    while world.elapsed() < calm + SETTLE {
        sleep(Duration::from_millis(200)).await;
        let open = world.cold.pending(None, 100).await?;
        if done(workers) && !cancelled {
            cancelled = true;
            for run in &open {
                let cold = world.cold.get(run.id).await?;
                if cold.is_some_and(|cold| *cold.head.state() == RunState::Queued) {
                    people::cancel(&client, run.id).await;
                }
            }
        }
        if open.is_empty() && done(workers) && done(people) && done(followers) && world.elapsed() >= least {
            return Ok(());
        }
    }
    let waiting = [(workers, "a worker"), (people, "somebody"), (followers, "a follower")];
    for (_, who) in waiting.into_iter().filter(|(tasks, _)| !done(tasks)) {
        world.find(Gate::Holes, format!("{who} still waits; a keeper: {}", world.keepers_say()));
    }
    Ok(())
}
