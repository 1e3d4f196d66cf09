//! The list of active devices. What has expired left it before anyone looks.

use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::{ActiveDevice, Announced, DeviceSeen, HotDevices};
use lucihub_models_core::{DeviceId, Result};

use super::ReferenceHot;

#[async_trait]
impl HotDevices for ReferenceHot {
    async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced> {
        seen.check(&self.limits)?;
        let now = self.clock.now();
        let mut inner = self.lock();
        let before = inner.devices.get(&seen.id);
        if let Some(other) = before.filter(|device| device.seen.scanner != seen.scanner) {
            return Ok(Announced::Held { by: other.seen.scanner.clone(), until: other.until });
        }
        let since = before.map_or(now, |device| device.since);
        let until = (!seen.always_active).then(|| now.after(lease));
        inner.devices.insert(seen.id.clone(), ActiveDevice { seen: seen.clone(), since, seen_at: now, until });
        Ok(Announced::Active)
    }

    async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool> {
        let mut inner = self.lock();
        let own = inner.devices.get(device).is_some_and(|active| active.seen.scanner == scanner);
        if own {
            inner.devices.remove(device);
        }
        Ok(own)
    }

    async fn active(&self) -> Result<Vec<ActiveDevice>> {
        Ok(self.lock().devices.values().cloned().collect())
    }

    async fn active_device(&self, device: &DeviceId) -> Result<Option<ActiveDevice>> {
        Ok(self.lock().devices.get(device).cloned())
    }
}
