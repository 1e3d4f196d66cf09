//! The API and the people behind it: they create a run, cancel it, delete it, and ask again where no answer comes.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::{Channel, JobType, RunHead, RunId};
use tokio::time::sleep;

use super::client::Client;
use super::plan::RunPlan;
use super::world::World;
use crate::ledger::What;

/// All that people do with one run.
pub(crate) async fn attend(world: Arc<World>, run: usize) {
    let client = Client::start(&world, format!("people {run}"), u64::MAX);
    let (plan, store) = (&world.plan.runs[run], client.store());
    sleep(plan.created).await;
    let head = head(plan, store.new_run(JobType::Run));
    while store.create(&head).await.is_err() {
        client.pause(400).await;
    }
    world.enter_line(plan.id, client.no, What::Created);
    let wait = |at: Duration| sleep(at.saturating_sub(world.elapsed()));
    if let Some(at) = plan.cancelled {
        wait(at).await;
        cancel(&client, plan.id).await;
    }
    if let Some((at, force)) = plan.deleted {
        wait(at).await;
        world.enter_line(plan.id, client.no, What::Deleting);
        // Refused while a worker has it: then its end is waited for.
        while store.delete(plan.id, force).await.is_err() {
            client.pause(400).await;
        }
        world.enter_line(plan.id, client.no, What::Deleted);
    }
}

/// Asks for the end of a run until that is understood, or there is no such run.
pub(crate) async fn cancel(client: &Arc<Client>, run: RunId) {
    const TRIES: u64 = 60;
    let store = client.store();
    for _ in 0..TRIES {
        match store.cancel(run, Some("asked for")).await {
            Ok(_) | Err(lucihub_models_core::StoreError::NotFound { .. }) => return,
            Err(_) => client.pause(400).await,
        }
    }
}

fn head(plan: &RunPlan, mut head: RunHead) -> RunHead {
    head.id = plan.id;
    head.channels = (0..plan.channels).map(|channel| Channel::named(format!("x{channel}"))).collect();
    head.grid = plan.grid;
    head
}
