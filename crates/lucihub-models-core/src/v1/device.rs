//! A device, as first drafted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DeviceType, InputType};
use crate::id::DeviceId;
use crate::json::JsonText;
use crate::model::DeviceModel;

/// A device: a machine that runs jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Its name.
    pub id: DeviceId,
    /// The kind of machine.
    #[serde(rename = "type")]
    pub device_type: DeviceType,
    /// The type of input it takes.
    pub input_type: InputType,
    /// What a valid input looks like.
    pub parameter_schema: JsonText,
}

impl DeviceModel for Device {
    fn id(&self) -> &DeviceId {
        &self.id
    }

    fn device_type(&self) -> &DeviceType {
        &self.device_type
    }

    fn input_type(&self) -> Option<&InputType> {
        Some(&self.input_type)
    }

    fn parameter_schema(&self) -> Option<&JsonText> {
        Some(&self.parameter_schema)
    }
}
