//! A run, as first drafted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InputType, JobType, RunState, StateChange};
use crate::id::{DeviceId, RunId};
use crate::json::JsonText;
use crate::model::RunModel;

/// A run: the whole record of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// The type of job.
    #[serde(rename = "type")]
    pub job_type: JobType,
    /// The state changes, in order.
    pub states: Vec<StateChange>,
    /// The log, a line each.
    pub logs: Vec<String>,
    /// The number of channels, at most 65,536 in a document.
    #[serde(deserialize_with = "few")]
    #[schemars(range(max = MOST_CHANNELS), extend("x-unit" = "channel"))]
    pub channels: u32,
    /// The measurements, a list per channel, in machine units.
    #[serde(with = "finite")]
    #[schemars(with = "Vec<Vec<f64>>", extend("x-unit" = "machine unit"))]
    pub measurements: Vec<Vec<f64>>,
    /// The device it ran on.
    pub device_id: DeviceId,
    /// The type of the input.
    pub input_type: InputType,
    /// The input.
    pub input: JsonText,
    /// The output, once there is one.
    #[serde(default, deserialize_with = "crate::json::present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "JsonText")]
    pub output: Option<JsonText>,
}

impl RunModel for Run {
    fn id(&self) -> RunId {
        self.id
    }

    fn job_type(&self) -> &JobType {
        &self.job_type
    }

    fn device(&self) -> Option<&DeviceId> {
        Some(&self.device_id)
    }

    fn state(&self) -> Option<&RunState> {
        self.states.last().map(|change| &change.status)
    }

    fn channel_count(&self) -> usize {
        self.channels as usize
    }

    fn line_count(&self) -> usize {
        self.logs.len()
    }

    fn line(&self, number: usize) -> Option<&str> {
        self.logs.get(number).map(String::as_str)
    }

    fn sample(&self, channel: usize, index: u64) -> Option<f64> {
        self.measurements.get(channel)?.get(usize::try_from(index).ok()?).copied()
    }

    fn input(&self) -> Option<&JsonText> {
        Some(&self.input)
    }

    fn output(&self) -> Option<&JsonText> {
        self.output.as_ref()
    }
}

/// The most channels that a document of version 1 may name.
pub(crate) const MOST_CHANNELS: u32 = 1 << 16;

/// A document names the number alone, and version 2 has an entry for each: a few
/// digits must not fill the memory. It is what the text of a cursor may name too.
fn few<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let channels = u32::deserialize(deserializer)?;
    if channels > MOST_CHANNELS {
        return Err(serde::de::Error::custom(format!("{channels} channels, the limit is {MOST_CHANNELS}")));
    }
    Ok(channels)
}

/// JSON has no NaN and no infinity, and version 1 has no other form for them:
/// writing one is refused, since it would come back as something else.
mod finite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &[Vec<f64>], serializer: S) -> Result<S::Ok, S::Error> {
        if values.iter().flatten().any(|v| !v.is_finite()) {
            return Err(serde::ser::Error::custom("measurements: version 1 holds finite values only; write version 2"));
        }
        values.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<f64>>, D::Error> {
        Vec::deserialize(deserializer)
    }
}
