//! The demo's scanner: two devices answer.

use std::sync::Arc;

use lucihub_models_core::hot::{DEVICE_LEASE, DeviceSeen};
use lucihub_models_core::{DeviceType, Invalid};
use lucihub_store::Store;

use crate::failure::Failure;

/// Announces two devices, and returns the one to run on.
///
/// On a shared server even the simulator is there for a lease only: nobody would withdraw it.
pub(super) async fn announce(store: &Store, shared: bool) -> Result<DeviceSeen, Failure> {
    let lucidac = seen("lucidac-demo", DeviceType::Lucidac)?;
    let simulator = DeviceSeen { always_active: !shared, ..seen("simulator-demo", DeviceType::Simulator)? };
    store.announce(&lucidac, DEVICE_LEASE).await?;
    store.announce(&simulator, DEVICE_LEASE).await?;
    Ok(lucidac)
}

fn seen(name: &str, device_type: DeviceType) -> Result<DeviceSeen, Invalid> {
    Ok(DeviceSeen {
        id: name.parse()?,
        device_type,
        firmware: Some("demo-1.0".to_owned()),
        entity: Some(Arc::from(&b"demo entity"[..])),
        scanner: "demo-scanner".to_owned(),
        always_active: false,
    })
}
