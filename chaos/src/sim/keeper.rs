//! A keeper: killed between any two calls, and started again.

use std::sync::Arc;

use lucihub_store::Keeper;
use lucihub_testkit::Dice;

use super::client::Client;
use super::world::World;

/// All lives of a keeper, one after the other. It never ends.
pub(crate) async fn keep(world: Arc<World>, no: usize) {
    let dice = Dice::new(world.plan.seed ^ no as u64);
    for life in 0_u64.. {
        let client = Client::start(&world, format!("keeper {no}.{life}"), 1 + dice.below(400));
        let keeper = Keeper::new(client.store(), world.plan.keepers[no].clone());
        let watch = keeper.watch(std::future::pending(), |walk| match walk {
            Ok(walk) => {
                for (run, error) in &walk.errors {
                    world.keeper_says(format!("run {run}: {error}"));
                }
            }
            Err(error) => world.keeper_says(error.to_string()),
        });
        client.live(watch).await;
        world.weather.count("keeper_killed");
        client.pause(1_500).await;
    }
}
