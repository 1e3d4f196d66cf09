//! The list of active devices.

use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::{ActiveDevice, Announced, DeviceSeen, HotDevices};
use lucihub_models_core::{DeviceId, Result};

use crate::Toy;

#[async_trait]
impl HotDevices for Toy {
    async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced> {
        seen.check(&self.limits)?;
        Ok(self.locked(|state, now| {
            let present = state.devices.get(&seen.id);
            if let Some(other) = present.filter(|device| device.seen.scanner != seen.scanner) {
                return Announced::Held { by: other.seen.scanner.clone(), until: other.until };
            }
            let device = ActiveDevice {
                seen: seen.clone(),
                since: present.map_or(now, |device| device.since),
                seen_at: now,
                until: (!seen.always_active).then(|| now.after(lease)),
            };
            state.devices.insert(seen.id.clone(), device);
            Announced::Active
        }))
    }

    async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool> {
        Ok(self.locked(|state, _| {
            let own = state.devices.get(device).is_some_and(|device| device.seen.scanner == scanner);
            own && state.devices.remove(device).is_some()
        }))
    }

    async fn active(&self) -> Result<Vec<ActiveDevice>> {
        Ok(self.locked(|state, _| state.devices.values().cloned().collect()))
    }

    async fn active_device(&self, device: &DeviceId) -> Result<Option<ActiveDevice>> {
        Ok(self.locked(|state, _| state.devices.get(device).cloned()))
    }
}
