//! The head of a run: all but log lines and samples.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Channel, FinalValue, Overload, PhaseChange, StateChange, TimeBase};
use crate::extra::Extra;
use crate::id::{DeviceId, RunId};
use crate::json::JsonText;
use crate::open_text::open_text;
use crate::timestamp::Timestamp;
use crate::v1::{DeviceType, InputType, JobType, RunState};

/// The head of a run: everything but log lines and samples.
///
/// It is what hot storage caches and cold storage embeds, as one type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RunHead {
    /// Its identity.
    pub id: RunId,
    /// The type of job.
    #[serde(rename = "type")]
    pub job_type: JobType,
    /// When it was created.
    pub created_at: Timestamp,
    /// The state changes, in order of application.
    pub states: Vec<StateChange>,
    /// The device it runs on, if the job needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The kind of that device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_type: Option<DeviceType>,
    /// Whose run it is: an opaque name, never a credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["group-3"]))]
    pub owner: Option<String>,
    /// Names and values for people and tools.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}))]
    pub labels: BTreeMap<String, String>,
    /// The type of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_type: Option<InputType>,
    /// The input, byte for byte.
    #[serde(default, deserialize_with = "crate::json::present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "JsonText")]
    pub input: Option<JsonText>,
    /// The output, byte for byte, once there is one.
    #[serde(default, deserialize_with = "crate::json::present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "JsonText")]
    pub output: Option<JsonText>,
    /// What went wrong, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The channels; a channel's number is its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = []))]
    pub channels: Vec<Channel>,
    /// How sample indices become times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_base: Option<TimeBase>,
    /// How long it shall integrate, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "ns", "examples" = [100_000_000]))]
    pub op_time_ns: Option<u64>,
    /// How long integrators load their initial values, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "ns", "examples" = [100_000]))]
    pub ic_time_ns: Option<u64>,
    /// The time scale factor of the integrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "1", "examples" = [1, 10_000]))]
    pub k0: Option<u32>,
    /// Greater goes first; 0 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "1"))]
    pub priority: Option<i32>,
    /// The device's phases, in order of arrival.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = []))]
    pub phases: Vec<PhaseChange>,
    /// The overloads, in order of arrival.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = []))]
    pub overloads: Vec<Overload>,
    /// What elements read when the run had ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = []))]
    pub final_values: Vec<FinalValue>,
    /// The runs it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = []))]
    pub related_to: Vec<Relation>,
    /// The worker that executes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The device's firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// The digest of the device's entity tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_digest: Option<String>,
    /// The id of the parameter schema that the input was checked against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_schema: Option<String>,
    /// The size of its cells in cold storage, fixed when it is created.
    #[serde(default)]
    pub grid: Grid,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl RunHead {
    /// A queued run without device, input or channels.
    ///
    /// ```
    /// use lucihub_models_core::{JobType, RunHead, RunState, Timestamp};
    /// # let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse()?;
    /// let head = RunHead::queued(id, JobType::Run, Timestamp::EPOCH);
    /// assert_eq!(head.state(), &RunState::Queued);
    /// # Ok::<(), lucihub_models_core::Invalid>(())
    /// ```
    #[must_use]
    pub fn queued(id: RunId, job_type: JobType, at: Timestamp) -> Self {
        Self {
            id,
            job_type,
            created_at: at,
            states: vec![StateChange::new(RunState::Queued, at)],
            device: None,
            device_type: None,
            owner: None,
            labels: BTreeMap::new(),
            input_type: None,
            input: None,
            output: None,
            error: None,
            channels: Vec::new(),
            time_base: None,
            op_time_ns: None,
            ic_time_ns: None,
            k0: None,
            priority: None,
            phases: Vec::new(),
            overloads: Vec::new(),
            final_values: Vec::new(),
            related_to: Vec::new(),
            worker: None,
            firmware: None,
            entity_digest: None,
            parameter_schema: None,
            grid: Grid::default(),
            extra: Extra::default(),
        }
    }

    /// The present state; `queued` before the first change.
    #[must_use]
    pub fn state(&self) -> &RunState {
        self.states.last().map_or(&RunState::Queued, |change| &change.state)
    }
}

/// The size of a run's cells: cell `k` holds the indices `[k * size, (k + 1) * size)`.
///
/// Coordinates are closed: a field more would change what they mean, so it needs
/// a new version, and a document that has one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Samples per cell and channel: a power of two.
    #[schemars(extend("x-unit" = "sample"), range(min = 1024, max = 1_048_576))]
    pub samples: u32,
    /// Log lines per cell.
    #[schemars(extend("x-unit" = "line"), range(min = 1, max = 2048))]
    pub lines: u32,
}

impl<'de> Deserialize<'de> for Grid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            samples: u32,
            lines: u32,
        }
        let Parts { samples, lines } = Parts::deserialize(deserializer)?;
        let grid = Self { samples, lines };
        // Everything is counted by it: a cell without room would divide by zero.
        grid.check().map_err(serde::de::Error::custom)?;
        Ok(grid)
    }
}

impl Default for Grid {
    fn default() -> Self {
        Self { samples: 65_536, lines: 1_024 }
    }
}

open_text! {
    /// How two runs belong together. The list is open.
    RelationKind, "The kind of relation" {
        /// This run verifies the other.
        Verifies = "verifies",
        /// This run executes the other again.
        Repeats = "repeats",
        /// This run executes what the other compiled.
        CompiledBy = "compiled_by",
    }
}

/// That a run belongs to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Relation {
    /// How.
    pub kind: RelationKind,
    /// The other run.
    pub run: RunId,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Relation {
    /// A relation to another run.
    #[must_use]
    pub fn new(kind: RelationKind, run: RunId) -> Self {
        Self { kind, run, extra: Extra::default() }
    }
}
