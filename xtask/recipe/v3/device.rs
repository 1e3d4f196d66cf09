//! A device with a digest for each of its carriers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::extra::Extra;
use crate::id::DeviceId;
use crate::json::JsonText;
use crate::model::DeviceModel;
use crate::timestamp::Timestamp;
use crate::v1::{DeviceType, InputType};
use crate::v2;

/// A device in the registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Device {
    /// Its name.
    pub id: DeviceId,
    /// The kind of machine.
    #[serde(rename = "type")]
    pub device_type: DeviceType,
    /// The type of input it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_type: Option<InputType>,
    /// What a valid input looks like.
    #[serde(default, deserialize_with = "crate::json::present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "JsonText")]
    pub parameter_schema: Option<JsonText>,
    /// Its firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// The digest of the entity tree of each carrier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = []))]
    pub entity_digest: Vec<String>,
    /// When a scanner last saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Device {
    /// A device of which nothing else is known.
    #[must_use]
    pub fn new(id: DeviceId, device_type: DeviceType) -> Self {
        v2::Device::new(id, device_type).into()
    }
}

impl DeviceModel for Device {
    fn id(&self) -> &DeviceId {
        &self.id
    }

    fn device_type(&self) -> &DeviceType {
        &self.device_type
    }

    fn input_type(&self) -> Option<&InputType> {
        self.input_type.as_ref()
    }

    fn parameter_schema(&self) -> Option<&JsonText> {
        self.parameter_schema.as_ref()
    }
}

impl From<v2::Device> for Device {
    fn from(old: v2::Device) -> Self {
        let v2::Device { id, device_type, input_type, parameter_schema, firmware, entity_digest, seen_at, extra } = old;
        let entity_digest = entity_digest.into_iter().collect();
        Self { id, device_type, input_type, parameter_schema, firmware, entity_digest, seen_at, extra }
    }
}

impl TryFrom<Device> for v2::Device {
    type Error = ModelError;

    fn try_from(new: Device) -> Result<Self, ModelError> {
        let Device { id, device_type, input_type, parameter_schema, firmware, entity_digest, seen_at, extra } = new;
        // Version 2 has a place for the digest of one tree: of several, none is that of the device.
        let entity_digest = <[String; 1]>::try_from(entity_digest).ok().map(|[only]| only);
        let mut old = Self::new(id, device_type);
        (old.input_type, old.parameter_schema, old.firmware) = (input_type, parameter_schema, firmware);
        (old.entity_digest, old.seen_at, old.extra) = (entity_digest, seen_at, extra);
        Ok(old)
    }
}
