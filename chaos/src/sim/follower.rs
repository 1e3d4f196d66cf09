//! A follower: it must get everything once, in order, and be told where the store fell behind it.

use std::sync::Arc;

use lucihub_models_core::{Positions, StoreError};
use lucihub_store::{Event, Follower, Select};
use tokio::time::sleep;

use super::client::Client;
use super::plan::RunPlan;
use super::world::World;
use crate::gates::Gate;

/// Follows a run to its end, or until it is deleted.
pub(crate) async fn follow(world: Arc<World>, run: usize) {
    let client = Client::start(&world, format!("follower {run}"), u64::MAX);
    let (plan, store) = (&world.plan.runs[run], client.store());
    sleep(plan.created).await;
    let mut follower = store.follow(plan.id, Select::default());
    let mut at = Positions::default();
    loop {
        let existed = world.exists(plan);
        match follower.next().await {
            Ok(Some(event)) => {
                if take(&world, plan, &mut at, event, &follower) {
                    return;
                }
            }
            Ok(None) => return,
            Err(StoreError::NotFound { .. }) if !world.exists(plan) && world.ledger(|l| l.is_deleting(plan.id)) => {
                return;
            }
            Err(error) => {
                if existed && matches!(error, StoreError::NotFound { .. } | StoreError::Corrupt { .. }) {
                    world.find(Gate::NotFound, format!("a follower: {error}"));
                }
                client.pause(300).await;
            }
        }
        // Another process goes on from the cursor as text would carry it.
        if client.dice.one_in(16) {
            follower = store.follow_from(follower.cursor().clone(), Select::default());
        }
    }
}

/// Takes an event. Whether it was the last one.
fn take(world: &World, run: &RunPlan, at: &mut Positions, event: Event, follower: &Follower) -> bool {
    let excuse = world.excuse_now(run);
    match event {
        Event::Lines(slice) => {
            next(world, run, "line", at.lines, slice.first);
            world.check_lines(run, &slice, excuse, "a follower");
            at.lines = slice.end();
        }
        Event::Samples { channel, series } => {
            next(world, run, "sample", at.sample(channel), series.first);
            world.check_series(run, channel, &series, excuse, "a follower");
            at.set_sample(channel, series.end);
        }
        Event::State(number, _) => {
            next(world, run, "state", at.states, number);
            at.states = number + 1;
        }
        Event::Rewound(to) => {
            if !excuse.store || !at.covers(&to) {
                world.find(Gate::TornReads, format!("run {}: a follower at {at:?} is rewound to {to:?}", run.id));
            }
            *at = to;
        }
        Event::Ended(state) => {
            if !state.is_terminal() || !follower.cursor().at.covers(at) || !at.covers(&follower.cursor().at) {
                let what = format!("run {}: {state} at {at:?}, the cursor at {}", run.id, follower.cursor());
                world.find(Gate::Holes, what);
            }
            return true;
        }
        _ => {}
    }
    false
}

fn next(world: &World, run: &RunPlan, what: &str, expected: u64, got: u64) {
    if expected != got {
        let gate = if got < expected { Gate::Dup } else { Gate::Holes };
        world.find(gate, format!("run {}: a follower after {what} {expected} got {got}", run.id));
    }
}
