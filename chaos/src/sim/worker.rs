//! A worker: it takes a run over, records it, and is killed and started again while it does.

use std::sync::Arc;

use lucihub_models_core::{GapCause, RunState, WriterId};
use lucihub_store::record::{End, Failure};
use lucihub_store::{RecordError, Recorder, Store};
use tokio::time::sleep;

use super::client::Client;
use super::content;
use super::plan::{RunPlan, WorkerPlan};
use super::world::World;
use crate::gates::Gate;
use crate::ledger::{Hold, What};
use crate::signal;

/// All lives of a worker, one after the other.
pub(crate) async fn work(world: Arc<World>, run: usize, no: usize) {
    let (plan, worker) = (&world.plan.runs[run], &world.plan.runs[run].workers[no]);
    sleep(plan.created + worker.begins).await;
    let mut writer = None;
    for (n, life) in worker.lives.iter().enumerate() {
        let client = Client::start(&world, format!("worker {run}.{no}.{n}"), life.calls);
        let drawn = WriterId::from_bits(u128::from(client.dice.roll()) << 64 | u128::from(client.dice.roll()));
        let writer = *writer.get_or_insert(drawn);
        let writer = if worker.same_writer { writer } else { drawn };
        if client.live(shift(&client, plan, worker, writer)).await.is_some() {
            return;
        }
        world.weather.count("worker_killed");
        world.enter_line(plan.id, client.no, What::Hold(Hold::Stopped));
        sleep(life.pause).await;
    }
}

/// One life: from the take-over to the end, if it comes to that.
async fn shift(client: &Arc<Client>, run: &RunPlan, worker: &WorkerPlan, writer: WriterId) {
    let (world, store) = (&client.world, client.store());
    let Some(recorder) = take_over(client, &store, run, worker, writer).await else { return };
    let hold = |hold| world.enter_line(run.id, client.no, What::Hold(hold));
    hold(Hold::Began(recorder.next()));
    match record(client, &recorder, run, worker).await {
        Ok(state) => hold(Hold::Finished(state, recorder.next(), recorder.stats().replay_dropped)),
        Err(error) => {
            hold(Hold::Stopped);
            world.step(client.no, "gave up", Some(run.id), why(&error), 0);
            judge(world, run, &error);
        }
    }
}

async fn take_over(
    client: &Client,
    store: &Store,
    run: &RunPlan,
    worker: &WorkerPlan,
    writer: WriterId,
) -> Option<Recorder> {
    const TRIES: u64 = 40;
    let options = worker.options.clone().with_writer(writer);
    for _ in 0..TRIES {
        match store.record_with(run.id, &format!("worker-{}", client.no), options.clone()).await {
            Ok(recorder) => return Some(recorder),
            Err(RecordError::Cancelled(_) | RecordError::Failed { .. }) => return None,
            Err(RecordError::Held { .. }) => client.world.weather.count("held"),
            Err(_) => {}
        }
        client.pause(800).await;
    }
    None
}

/// Records from where the run stands, up to its end.
async fn record(
    client: &Client,
    recorder: &Recorder,
    run: &RunPlan,
    worker: &WorkerPlan,
) -> Result<RunState, RecordError> {
    let dice = &client.dice;
    recorder.state(RunState::InProgress).await?;
    let next = recorder.next();
    let mut lines = next.lines;
    let mut at: Vec<u64> = (0..run.channels).map(|channel| next.sample(channel)).collect();
    while lines < run.lines || at.iter().any(|at| *at < run.samples) {
        if recorder.cancel_requested() {
            recorder.finish(RunState::Cancelled, End::default().because("asked for")).await?;
            return Ok(RunState::Cancelled);
        }
        let turn = usize::try_from(dice.below(u64::from(run.channels) + 1)).unwrap_or(0);
        match at.get_mut(turn) {
            Some(at) if *at < run.samples => {
                chunk(client, recorder, run, (turn, at), worker.overtakes).await?;
            }
            Some(_) => continue,
            None if lines < run.lines => {
                recorder.log(signal::line(run.id, lines)).await?;
                lines += 1;
            }
            None => continue,
        }
        if dice.one_in(24) {
            recorder.flush().await?;
        }
        client.pause(worker.pace).await;
    }
    recorder.finish(run.ends.clone(), End::default().because("all done")).await?;
    Ok(run.ends.clone())
}

/// The next samples of a channel, without those that the device lost.
async fn chunk(
    client: &Client,
    recorder: &Recorder,
    run: &RunPlan,
    (channel, at): (usize, &mut u64),
    overtakes: bool,
) -> Result<(), RecordError> {
    let dice = &client.dice;
    let channel = u32::try_from(channel).unwrap_or(0);
    let end = (*at + 1 + dice.below(160)).min(run.samples);
    let parts = content::parts(run, channel, *at..end);
    *at = end;
    for (range, missing) in parts {
        if missing {
            // Else the next samples tell, where the recorder does not wait for what is missing.
            if overtakes || dice.one_in(2) {
                recorder.gap(channel, range.end, GapCause::Device).await?;
            }
        } else if overtakes && dice.one_in(4) {
            let middle = range.start + dice.below(range.end - range.start);
            for part in [middle..range.end, range.start..middle] {
                recorder.samples(channel, part.start, &content::values(run.id, channel, part)).await?;
            }
        } else {
            recorder.samples(channel, range.start, &content::values(run.id, channel, range)).await?;
        }
    }
    Ok(())
}

fn why(error: &RecordError) -> &'static str {
    match error {
        RecordError::Failed { failure: Failure::Fenced, .. } => "fenced",
        RecordError::Failed { failure: Failure::Ended(_), .. } => "ended",
        RecordError::Failed { failure: Failure::Sealed(_), .. } => "sealed",
        RecordError::Failed { failure: Failure::Lost { .. }, .. } => "lost",
        _ => "otherwise",
    }
}

/// A recorder may be superseded, and told that its run has ended. Nothing else ends it, least of all a loss.
fn judge(world: &World, run: &RunPlan, error: &RecordError) {
    match error {
        RecordError::Failed { failure: Failure::Fenced | Failure::Ended(_), .. } => world.weather.count("fenced"),
        RecordError::Failed { failure: Failure::Sealed(_), .. } => world.weather.count("sealed"),
        RecordError::Failed { failure: Failure::Lost { .. }, .. } => {
            world.find(Gate::LostDurable, format!("run {}: a recorder could not put it back: {error}", run.id));
        }
        error => world.find(Gate::WrongReply, format!("run {}: a recorder ended: {error}", run.id)),
    }
}
