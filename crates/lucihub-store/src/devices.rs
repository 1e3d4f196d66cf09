//! Devices: who answers now, and the registry of all that ever did.

use std::time::Duration;

use lucihub_models_core::cold::{DevicePage, OperatorFields, SeenFields};
use lucihub_models_core::hot::{ActiveDevice, Announced, DeviceSeen};
use lucihub_models_core::{Device, DeviceId, Digest, Result};

use crate::store::Store;

impl Store {
    /// Says that a device answers, for the time of a lease. A keeper enters it
    /// into the registry, so a scanner needs hot storage alone.
    ///
    /// # Errors
    /// `Invalid` past a limit; `Unavailable`.
    pub async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced> {
        seen.check(self.limits())?;
        self.hot().announce(seen, lease).await
    }

    /// Says that a device has left. `false` if it was not active, or is another
    /// scanner's.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool> {
        self.hot().withdraw(device, scanner).await
    }

    /// The devices that answer now.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn active_devices(&self) -> Result<Vec<ActiveDevice>> {
        self.hot().active().await
    }

    /// One page of the registry.
    ///
    /// # Errors
    /// `Invalid` for a page of 0 or past the limit.
    pub async fn devices(&self, after: Option<&DeviceId>, limit: usize) -> Result<DevicePage> {
        self.cold().devices(after, limit).await
    }

    /// One device of the registry.
    ///
    /// # Errors
    /// When cold storage cannot be read.
    pub async fn device(&self, device: &DeviceId) -> Result<Option<Device>> {
        self.cold().device(device).await
    }

    /// Writes the operator's fields of a device. With the feature `check`, a parameter schema that could check nothing is
    /// refused.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` past a limit, and for a parameter schema with the pointer to what is wrong in it.
    pub async fn configure_device(&self, device: &DeviceId, fields: &OperatorFields) -> Result<()> {
        #[cfg(feature = "check")]
        if let Some(schema) = &fields.parameter_schema {
            lucihub_models_core::ParameterSchema::parse(schema)?;
        }
        self.cold().put_operator(device, fields).await
    }
}

/// What the registry keeps of a sighting.
pub(crate) fn registry_entry(active: &ActiveDevice) -> SeenFields {
    SeenFields {
        id: active.seen.id.clone(),
        device_type: active.seen.device_type.clone(),
        firmware: active.seen.firmware.clone(),
        entity_digest: active.seen.entity.as_ref().map(|entity| Digest::of(entity).to_string()),
        seen_at: active.seen_at,
    }
}
