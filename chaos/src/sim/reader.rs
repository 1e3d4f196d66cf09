//! A reader: it looks at runs all the time, and checks every answer by itself.

use std::sync::Arc;

use lucihub_models_core::{Cursor, Envelope, PageRequest, Positions, RunFilter, StoreError};
use lucihub_store::{RunStatus, Source, Store};

use super::client::Client;
use super::content::Excuse;
use super::plan::RunPlan;
use super::world::World;
use crate::gates::Gate;
use crate::ledger::What;
use crate::signal;

/// Reads for ever.
pub(crate) async fn read(world: Arc<World>, no: u64) {
    let client = Client::start(&world, format!("reader {no}"), u64::MAX);
    let store = client.store();
    let mut archived: Vec<Option<Positions>> = vec![None; world.plan.runs.len()];
    loop {
        client.pause(250).await;
        let drawn = usize::try_from(client.dice.below(world.plan.runs.len() as u64)).unwrap_or(0);
        let run = &world.plan.runs[drawn];
        let existed = world.exists(run);
        let answer = look(&client, &store, run, &mut archived[drawn]).await;
        let Err(error) = answer else { continue };
        match error {
            StoreError::NotFound { .. } if existed && world.exists(run) => {
                world.find(Gate::NotFound, format!("{error}, says a reader"));
            }
            StoreError::Corrupt { .. } => world.find(Gate::TornReads, format!("a reader: {error}")),
            _ => {}
        }
    }
}

impl World {
    /// Whether a run was created, and nobody began to delete it.
    pub(crate) fn exists(&self, run: &RunPlan) -> bool {
        let created = |what: &What| matches!(what, What::Created);
        self.ledger(|ledger| ledger.of(run.id).any(|(_, line)| created(&line.what)) && !ledger.is_deleting(run.id))
    }

    /// What may be missing of a run at this moment.
    pub(crate) fn excuse_now(&self, run: &RunPlan) -> Excuse {
        Excuse { store: self.ledger(|ledger| ledger.has_lost(run.id)), overflow: run.overflows }
    }
}

/// One look, of one of several kinds.
async fn look(
    client: &Client,
    store: &Store,
    run: &RunPlan,
    archived: &mut Option<Positions>,
) -> Result<(), StoreError> {
    let (world, dice) = (&client.world, &client.dice);
    let channel = u32::try_from(dice.below(u64::from(run.channels.max(1)))).unwrap_or(0);
    let from = dice.below(run.samples);
    match dice.below(6) {
        0 => {
            let status = store.status(run.id).await?;
            check_status(world, run, &status, archived);
        }
        1 if run.channels > 0 => {
            let series = store.window(run.id, channel, from..from + 300).await?;
            world.check_series(run, channel, &series, world.excuse_now(run), "a window");
        }
        2 => {
            let slice = store.lines(run.id, dice.below(run.lines + 1)..u64::MAX).await?;
            world.check_lines(run, &slice, world.excuse_now(run), "lines");
        }
        3 => {
            let snapshot = store.snapshot(run.id, 10, 8).await?;
            check_status(world, run, &snapshot.status, archived);
            world.check_lines(run, &snapshot.lines, world.excuse_now(run), "a snapshot");
            for (channel, envelope) in (0..).zip(&snapshot.envelopes) {
                check_envelope(world, run, (channel, envelope), &snapshot.cursor);
            }
        }
        4 => {
            let whole = store.run(run.id).await?;
            let excuse = world.excuse_now(run);
            world.check_lines(
                run,
                &lucihub_models_core::hot::LineSlice { first: 0, lines: whole.logs },
                excuse,
                "a run",
            );
            for (channel, series) in (0..).zip(&whole.series) {
                world.check_series(run, channel, series, excuse, "a run");
            }
        }
        _ => {
            let existed = world.exists(run);
            let page = store.list(&RunFilter::default(), &PageRequest::oldest(50)).await?;
            if existed && world.exists(run) && page.runs.iter().all(|summary| summary.id != run.id) {
                world.find(Gate::NotFound, format!("run {} is not in the list", run.id));
            }
        }
    }
    Ok(())
}

/// A live run stands between two batches, an archived one for ever where it is.
fn check_status(world: &World, run: &RunPlan, status: &RunStatus, archived: &mut Option<Positions>) {
    world.check_states(run, &status.head.states, "a status");
    let at = &status.positions;
    if status.source == Source::Live && !world.has_stood(run.id, at) {
        world.find(Gate::TornReads, format!("run {} stands at {at:?}, which is within a batch", run.id));
    }
    if status.source == Source::Archive {
        let before = archived.get_or_insert_with(|| at.clone());
        if before != at || !status.head.state().is_terminal() {
            world.find(Gate::TornReads, format!("run {} was archived at {before:?}, then at {at:?}", run.id));
        }
    } else if archived.is_some() {
        world.find(Gate::TornReads, format!("run {} was archived, and is not any more", run.id));
    }
}

/// The first and last sample of each bucket without a gap are those of its edges.
fn check_envelope(world: &World, run: &RunPlan, (channel, envelope): (u32, &Envelope), cursor: &Cursor) {
    let end = cursor.at.sample(channel);
    for (bucket, from) in envelope.buckets.iter().zip((envelope.first..).step_by(step(envelope.width))) {
        let to = (from + envelope.width).min(end);
        if envelope.gaps.iter().any(|gap| gap.first < to && from < gap.end) || from >= to {
            continue;
        }
        let edges = (signal::sample(run.id, channel, from), signal::sample(run.id, channel, to - 1));
        let fits = bucket.count == to - from && bucket.min <= bucket.max && (bucket.first, bucket.last) == edges;
        if !fits {
            let what = format!("run {}, channel {channel}: {bucket:?} is not {from}..{to}", run.id);
            world.find(Gate::TornReads, what);
            return;
        }
    }
}

fn step(width: u64) -> usize {
    usize::try_from(width.max(1)).unwrap_or(usize::MAX)
}
