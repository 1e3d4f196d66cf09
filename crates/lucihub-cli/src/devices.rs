//! `lucihub devices`

use std::collections::BTreeMap;

use lucihub_models_core::hot::ActiveDevice;
use lucihub_models_core::{Device, DeviceId};
use lucihub_store::Store;
use serde::Serialize;

use crate::args::DevicesArgs;
use crate::failure::Failure;
use crate::{output, place};

/// A device of the registry, and whether it answers now, if that is to be known.
#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    device: Device,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
}

/// Prints the registry of devices, and which of them are active.
pub(crate) async fn list(args: DevicesArgs) -> Result<(), Failure> {
    let reading = place::read(&args.place).await?;
    // Only a shared hot storage knows what scanners in other processes see.
    let is_known = args.place.hot.is_shared() && reading.away.is_none();
    let store = reading.whatever_is_there();
    let mut devices: BTreeMap<DeviceId, Listed> = registry(&store)
        .await?
        .into_iter()
        .map(|device| (device.id.clone(), Listed { device, active: is_known.then_some(false) }))
        .collect();
    if is_known {
        for active in store.active_devices().await? {
            devices.insert(active.seen.id.clone(), answers(&active, devices.get(&active.seen.id)));
        }
    }
    if args.json {
        return output::json(&devices.values().collect::<Vec<_>>());
    }
    let mut header = vec!["DEVICE", "TYPE", "FIRMWARE", "LAST SEEN"];
    header.extend(is_known.then_some("ACTIVE"));
    output::table(&header, devices.values().map(row).collect())
}

async fn registry(store: &Store) -> Result<Vec<Device>, Failure> {
    let mut devices = Vec::new();
    let mut after: Option<DeviceId> = None;
    loop {
        let page = store.devices(after.as_ref(), store.limits().page).await?;
        devices.extend(page.devices);
        after = page.next;
        if after.is_none() {
            return Ok(devices);
        }
    }
}

/// An active device: what it answered last is newer than what a keeper entered, if one has entered it at all.
fn answers(active: &ActiveDevice, entered: Option<&Listed>) -> Listed {
    let seen = &active.seen;
    let mut device =
        entered.map_or_else(|| Device::new(seen.id.clone(), seen.device_type.clone()), |listed| listed.device.clone());
    device.firmware.clone_from(&seen.firmware);
    device.seen_at = Some(active.seen_at);
    Listed { device, active: Some(true) }
}

fn row(Listed { device, active }: &Listed) -> Vec<String> {
    let mut row = vec![
        device.id.to_string(),
        device.device_type.to_string(),
        device.firmware.as_deref().map_or_else(|| "-".to_owned(), output::one_line),
        device.seen_at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
    ];
    row.extend(active.map(|active| if active { "yes" } else { "no" }.to_owned()));
    row
}
