//! `lucihub devices`

use lucihub_models_core::DeviceId;

use crate::args::DevicesArgs;
use crate::failure::Failure;
use crate::{output, place};

/// Prints the registry of devices.
pub(crate) async fn list(args: DevicesArgs) -> Result<(), Failure> {
    let store = place::find(&args.place).await?;
    let mut devices = Vec::new();
    let mut after: Option<DeviceId> = None;
    loop {
        let page = store.devices(after.as_ref(), store.limits().page).await?;
        devices.extend(page.devices);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if args.json {
        return output::json(&devices);
    }
    let rows = devices
        .iter()
        .map(|device| {
            vec![
                device.id.to_string(),
                device.device_type.to_string(),
                device.firmware.as_deref().map_or_else(|| "-".to_owned(), output::one_line),
                device.seen_at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
            ]
        })
        .collect();
    output::table(&["DEVICE", "TYPE", "FIRMWARE", "LAST SEEN"], rows)
}
