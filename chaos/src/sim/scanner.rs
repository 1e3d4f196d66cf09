//! A scanner: it says every second which devices it sees.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{Announced, DeviceSeen};
use lucihub_models_core::{DeviceId, DeviceType};
use tokio::time::sleep;

use super::client::Client;
use super::world::World;
use crate::gates::Gate;

/// How long a device is active after it was seen.
const LEASE: Duration = Duration::from_secs(3);

/// The devices of every laboratory.
pub(crate) fn devices() -> Vec<DeviceId> {
    ["lucidac-1", "redac-1"].iter().filter_map(|name| name.parse().ok()).collect()
}

/// Scans for ever.
pub(crate) async fn scan(world: Arc<World>) {
    let client = Client::start(&world, "scanner".to_owned(), u64::MAX);
    let store = client.store();
    loop {
        for id in devices() {
            let seen = DeviceSeen {
                id,
                device_type: DeviceType::from("lucidac"),
                firmware: None,
                entity: Some(vec![u8::try_from(client.dice.below(3)).unwrap_or(0); 64].into()),
                scanner: "scanner-1".to_owned(),
                always_active: false,
            };
            if let Ok(Announced::Held { by, .. }) = store.announce(&seen, LEASE).await {
                world.find(Gate::WrongReply, format!("device {} is held by {by}, and nobody else scans", seen.id));
            }
        }
        sleep(Duration::from_secs(1)).await;
    }
}
