//! The list of active devices: a lease each, by the store's clock.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::{ActiveDevice, Announced, DeviceSeen, HotDevices};
use lucihub_models_core::{DeviceId, Result, Timestamp};

use super::room::Share;
use super::{EmbeddedHot, lock};

/// The devices that answer now, by name.
#[derive(Debug, Default)]
pub(super) struct ActiveList {
    devices: Mutex<BTreeMap<DeviceId, (ActiveDevice, Share)>>,
}

impl ActiveList {
    /// Lets those leave whose lease has run out.
    pub(super) fn sweep(&self, now: Timestamp) {
        lock(&self.devices).retain(|_, (device, _)| is_active(device, now));
    }

    pub(super) fn clear(&self) {
        lock(&self.devices).clear();
    }
}

fn is_active(device: &ActiveDevice, now: Timestamp) -> bool {
    device.until.is_none_or(|until| until > now)
}

/// What a device counts against the room, in bytes.
fn weight(seen: &DeviceSeen) -> u64 {
    const DEVICE: usize = 256;
    let entity = seen.entity.as_ref().map_or(0, |entity| entity.len());
    let firmware = seen.firmware.as_ref().map_or(0, String::len);
    let texts = 2 * seen.id.as_str().len() + seen.device_type.as_str().len() + seen.scanner.len();
    (DEVICE + entity + firmware + texts) as u64
}

#[async_trait]
impl HotDevices for EmbeddedHot {
    async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced> {
        seen.check(&self.options.limits)?;
        self.sweep();
        let mut devices = lock(&self.devices.devices);
        let now = self.clock.now();
        devices.retain(|_, (device, _)| is_active(device, now));
        let until = (!seen.always_active).then(|| now.after(lease));
        let bytes = weight(seen);
        match devices.entry(seen.id.clone()) {
            Entry::Occupied(mut present) => {
                let (device, share) = present.get_mut();
                if device.seen.scanner != seen.scanner {
                    return Ok(Announced::Held { by: device.seen.scanner.clone(), until: device.until });
                }
                if !share.try_set(bytes) {
                    return Err(self.full());
                }
                *device = ActiveDevice { seen: seen.clone(), since: device.since, seen_at: now, until };
            }
            Entry::Vacant(place) => {
                let share = self.room.share(bytes).ok_or_else(|| self.full())?;
                place.insert((ActiveDevice { seen: seen.clone(), since: now, seen_at: now, until }, share));
            }
        }
        Ok(Announced::Active)
    }

    async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool> {
        let mut devices = lock(&self.devices.devices);
        let now = self.clock.now();
        devices.retain(|_, (device, _)| is_active(device, now));
        let own = devices.get(device).is_some_and(|(device, _)| device.seen.scanner == scanner);
        Ok(own && devices.remove(device).is_some())
    }

    async fn active(&self) -> Result<Vec<ActiveDevice>> {
        let devices = lock(&self.devices.devices);
        let now = self.clock.now();
        Ok(devices.values().map(|(device, _)| device).filter(|device| is_active(device, now)).cloned().collect())
    }

    async fn active_device(&self, device: &DeviceId) -> Result<Option<ActiveDevice>> {
        let devices = lock(&self.devices.devices);
        let now = self.clock.now();
        Ok(devices.get(device).map(|(device, _)| device).filter(|device| is_active(device, now)).cloned())
    }
}
