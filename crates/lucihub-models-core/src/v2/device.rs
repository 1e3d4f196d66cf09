//! A device, with what was last seen of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::extra::Extra;
use crate::id::DeviceId;
use crate::json::JsonText;
use crate::model::DeviceModel;
use crate::timestamp::Timestamp;
use crate::v1::{self, DeviceType, InputType};

/// A device in the registry. It stays when the device leaves.
///
/// The scanner owns what was seen (`device_type`, `firmware`, `entity_digest`,
/// `seen_at`), the operator owns `input_type` and `parameter_schema`; neither
/// overwrites the other.
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
    /// The digest of its entity tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_digest: Option<String>,
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
        Self {
            id,
            device_type,
            input_type: None,
            parameter_schema: None,
            firmware: None,
            entity_digest: None,
            seen_at: None,
            extra: Extra::default(),
        }
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

impl From<v1::Device> for Device {
    fn from(old: v1::Device) -> Self {
        let v1::Device { id, device_type, input_type, parameter_schema } = old;
        Self { input_type: Some(input_type), parameter_schema: Some(parameter_schema), ..Self::new(id, device_type) }
    }
}

impl TryFrom<Device> for v1::Device {
    type Error = ModelError;

    fn try_from(new: Device) -> Result<Self, ModelError> {
        let Device {
            id,
            device_type,
            input_type,
            parameter_schema,
            firmware: _,
            entity_digest: _,
            seen_at: _,
            extra: _,
        } = new;
        Ok(Self {
            id,
            device_type,
            input_type: input_type.ok_or_else(|| lacking("input_type"))?,
            parameter_schema: parameter_schema.ok_or_else(|| lacking("parameter_schema"))?,
        })
    }
}

fn lacking(field: &str) -> ModelError {
    ModelError::NotRepresentable {
        what: "device",
        form: "version 1",
        why: format!("/device/{field}: version 1 demands one; give the device one, or write version 2"),
    }
}
