//! A desk: creates runs, has each recorded by a worker's process, and does to workers what happens to workers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lucihub_models_core::hot::Cancelled;
use lucihub_models_core::{Channel, Grid, JobType, RunId, StoreError, TimeBase};
use lucihub_store::Store;
use lucihub_testkit::Dice;

use super::stage::{PATIENCE, Stage, in_time};
use super::worker::{Heard, LEASE, Task, Worker, new_writer};
use crate::gates::Gate;

/// Channels of a run.
pub(crate) const CHANNELS: u32 = 2;
/// Samples of a channel.
const SAMPLES: u64 = 6_000;

/// What happens to a run, beside all that happens to servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Quiet,
    /// The worker is killed, and started again as the same writer.
    Restarted,
    /// It is killed, and another goes on when its lease has run out.
    Replaced,
    /// It is killed, and nobody goes on.
    Dead,
    /// It is frozen for longer than its lease, while another takes the run.
    Superseded,
    /// Somebody cancels the run while a worker wants it.
    Cancelled,
    /// Somebody deletes it while it is recorded.
    Deleted,
}

/// The order in which fates come, so that a short round has all of them; then they are drawn.
const FATES: [Fate; 8] = [
    Fate::Restarted,
    Fate::Dead,
    Fate::Quiet,
    Fate::Superseded,
    Fate::Replaced,
    Fate::Cancelled,
    Fate::Quiet,
    Fate::Deleted,
];

/// Works until the round closes.
pub(crate) async fn work(stage: Arc<Stage>, store: Store, number: u64, pace: u64) -> Result<()> {
    let dice = Dice::new(stage.dice.roll() ^ number);
    let begin = dice.below(FATES.len() as u64);
    for n in 0.. {
        if stage.is_closing() {
            break;
        }
        let at = if n < FATES.len() as u64 { begin + n + number } else { dice.roll() };
        let fate = FATES[usize::try_from(at % FATES.len() as u64)?];
        let run = create(&stage, &store).await?;
        let heard =
            in_time(&format!("run {run} of fate {fate:?}"), live(&stage, &store, run, fate, &dice, pace)).await??;
        for heard in heard {
            stage.count("batches", heard.batches);
            stage.count("retries", heard.retries);
            stage.count("restores", heard.restores);
            stage.most("stall_max_ms", heard.stall / 1_000);
            if heard.stall > 15_000_000 {
                stage.note(&format!("run {run} of fate {fate:?} had waited {} ms for an answer", heard.stall / 1_000));
            }
        }
    }
    Ok(())
}

async fn create(stage: &Stage, store: &Store) -> Result<RunId> {
    let mut head = store.new_run(JobType::Run);
    head.channels = (0..CHANNELS).map(|channel| Channel::named(format!("u{channel}"))).collect();
    head.grid = Grid { samples: 1_024, lines: 16 };
    head.time_base = Some(TimeBase::from_rate(10_000.0));
    let begun = Instant::now();
    while let Err(error) = store.create(&head).await {
        // The row stands: a keeper opens it. A worker then waits for that.
        if begun.elapsed() > PATIENCE {
            return Err(error).context("a run cannot be created");
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    stage.add_run(head.id);
    stage.count("runs", 1);
    Ok(head.id)
}

async fn live(stage: &Arc<Stage>, store: &Store, run: RunId, fate: Fate, dice: &Dice, pace: u64) -> Result<Vec<Heard>> {
    let start = |writer: String| {
        let number = stage.next_client();
        // Only cold storage knows how far a run was that hot storage went back with, and who has one that it lost:
        // workers that follow another ask, and such as others follow. A broker hands runs to the rest.
        let has_cold = matches!(fate, Fate::Restarted | Fate::Replaced | Fate::Superseded);
        let cold = has_cold.then(|| stage.doors.cold.clone());
        let (hot, name) = (stage.doors.workers.clone(), format!("worker-{number}"));
        Worker::start(Task { hot, cold, name, run, writer, samples: SAMPLES, pace }, number, &stage.ledger)
    };
    let writer = new_writer();
    let first = start(writer.clone())?;
    let mut heard = Vec::new();
    let some_time = Duration::from_millis(200 + dice.below(1_500));
    match fate {
        Fate::Quiet => heard.push(done(stage, store, run, first).await?),
        Fate::Restarted | Fate::Replaced | Fate::Dead => {
            tokio::time::sleep(some_time).await;
            heard.push(ended(first).await?);
            stage.count("worker_kills", 1);
            match fate {
                Fate::Restarted => heard.push(done(stage, store, run, start(writer)?).await?),
                Fate::Replaced => heard.push(done(stage, store, run, start(new_writer())?).await?),
                // Most are failed by a keeper; one that was not even begun waits for ever, unless it is cancelled.
                _ => drop(cancel(stage, store, run).await?),
            }
        }
        Fate::Superseded => {
            tokio::time::sleep(some_time).await;
            first.stop();
            stage.count("worker_freezes", 1);
            let second = start(new_writer())?;
            tokio::time::sleep(LEASE + Duration::from_millis(1_500)).await;
            first.cont();
            let both = (done(stage, store, run, first), done(stage, store, run, second));
            let (one, two) = futures_util::future::try_join(both.0, both.1).await?;
            heard.extend([one, two]);
        }
        Fate::Cancelled => {
            tokio::time::sleep(Duration::from_millis(dice.below(250))).await;
            let answer = cancel(stage, store, run).await?;
            stage.count("cancels", 1);
            let one = done(stage, store, run, first).await?;
            if answer == Cancelled::Cancelled && one.taken {
                let taken_before = stage.ledger.losses(run).is_empty();
                if taken_before {
                    stage.found(Gate::FencedAccepts, format!("{run}: both cancelled while queued and taken"));
                }
            }
            heard.push(one);
        }
        Fate::Deleted => {
            tokio::time::sleep(some_time).await;
            stage.deletes(run);
            let begun = Instant::now();
            while let Err(error) = store.delete(run, true).await {
                if begun.elapsed() > PATIENCE {
                    return Err(error).with_context(|| format!("run {run} cannot be deleted"));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            stage.count("deletes", 1);
            heard.push(ended(first).await?);
        }
    }
    Ok(heard)
}

/// Asks until there is an answer.
pub(crate) async fn cancel(stage: &Stage, store: &Store, run: RunId) -> Result<Cancelled> {
    let begun = Instant::now();
    loop {
        match store.cancel(run, Some("no longer wanted")).await {
            Ok(answer) => return Ok(answer),
            Err(StoreError::NotFound { .. }) if stage.is_deleted(run) => return Ok(Cancelled::NoRun),
            Err(StoreError::NotFound { what }) => {
                stage.found(Gate::NotFound, format!("cancelling: {what}"));
                return Ok(Cancelled::NoRun);
            }
            Err(error) if begun.elapsed() > PATIENCE => {
                return Err(error).with_context(|| format!("run {run} cannot be cancelled"));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Waits until a worker has ended by itself. One that came too late is ended: a keeper has archived the run meanwhile, and
/// hot storage, emptied since, knows no such run.
async fn done(stage: &Stage, store: &Store, run: RunId, mut worker: Worker) -> Result<Heard> {
    const LOOK: Duration = Duration::from_secs(2);
    let begun = Instant::now();
    let mut looked = begun;
    while !worker.has_ended()? {
        if begun.elapsed() > PATIENCE {
            bail!("a worker does not end in {PATIENCE:?}");
        }
        if !worker.has_taken() && looked.elapsed() > LOOK {
            looked = Instant::now();
            let gone = store.status(run).await.is_ok_and(|status| status.archived.is_some())
                && store.hot().get(run).await.is_ok_and(|run| run.is_none());
            if gone && !worker.has_taken() {
                stage.count("came_too_late", 1);
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ended(worker).await
}

/// Kills it where it still runs.
async fn ended(worker: Worker) -> Result<Heard> {
    tokio::task::spawn_blocking(move || worker.end()).await?
}
