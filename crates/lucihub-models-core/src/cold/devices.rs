//! The registry of devices: for ever.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::DeviceId;
use crate::json::JsonText;
use crate::latest::{Device, DeviceType, InputType};
use crate::timestamp::Timestamp;

/// The scanner's fields of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFields {
    /// The device.
    pub id: DeviceId,
    /// Its kind.
    pub device_type: DeviceType,
    /// Its firmware.
    pub firmware: Option<String>,
    /// The digest of its entity tree.
    pub entity_digest: Option<String>,
    /// When it was seen.
    pub seen_at: Timestamp,
}

/// The operator's fields of a device. `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperatorFields {
    /// The type of input it takes.
    pub input_type: Option<InputType>,
    /// What a valid input looks like.
    pub parameter_schema: Option<JsonText>,
}

/// Devices of one page, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DevicePage {
    /// The devices.
    pub devices: Vec<Device>,
    /// Where the next page begins: after this name. `None` on the last one.
    pub next: Option<DeviceId>,
}

/// The registry of devices. Scanner and operator write different fields;
/// neither overwrites the other.
#[async_trait]
pub trait ColdDevices: Send + Sync {
    /// Enters a device or renews what was seen of it. An older sighting than the
    /// registry has changes nothing.
    async fn put_seen(&self, seen: &SeenFields) -> Result<()>;

    /// Writes the operator's fields.
    ///
    /// # Errors
    /// `NotFound` if there is no such device; `Invalid` past a limit.
    async fn put_operator(&self, device: &DeviceId, fields: &OperatorFields) -> Result<()>;

    /// One device.
    async fn device(&self, device: &DeviceId) -> Result<Option<Device>>;

    /// One page of devices, by name, after a name.
    ///
    /// # Errors
    /// `Invalid` for a page of 0 or past [`Limits::page`](crate::Limits::page).
    async fn devices(&self, after: Option<&DeviceId>, limit: usize) -> Result<DevicePage>;

    /// Takes a device out of the registry. `false` if there was none. Runs on it stay.
    async fn delete_device(&self, device: &DeviceId) -> Result<bool>;
}
