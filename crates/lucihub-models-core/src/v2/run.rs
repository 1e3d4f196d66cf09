//! A whole run: head, log lines and series.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Channel, LogLine, RunHead, Series};
use crate::error::ModelError;
use crate::extra::Extra;
use crate::id::{DeviceId, RunId};
use crate::json::JsonText;
use crate::model::RunModel;
use crate::v1::{self, JobType, RunState};

/// A whole run, assembled on demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Everything but log lines and samples.
    pub head: RunHead,
    /// The log.
    #[serde(default)]
    pub logs: Vec<LogLine>,
    /// The samples, a series per channel.
    #[serde(default)]
    pub series: Vec<Series>,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl RunModel for Run {
    fn id(&self) -> RunId {
        self.head.id
    }

    fn job_type(&self) -> &JobType {
        &self.head.job_type
    }

    fn device(&self) -> Option<&DeviceId> {
        self.head.device.as_ref()
    }

    fn state(&self) -> Option<&RunState> {
        self.head.states.last().map(|change| &change.state)
    }

    fn channel_count(&self) -> usize {
        self.head.channels.len()
    }

    fn line_count(&self) -> usize {
        self.logs.len()
    }

    fn line(&self, number: usize) -> Option<&str> {
        self.logs.get(number).map(|line| line.text.as_str())
    }

    fn sample(&self, channel: usize, index: u64) -> Option<f64> {
        self.series.get(channel)?.get(index)
    }

    fn input(&self) -> Option<&JsonText> {
        self.head.input.as_ref()
    }

    fn output(&self) -> Option<&JsonText> {
        self.head.output.as_ref()
    }
}

impl From<v1::Run> for Run {
    fn from(old: v1::Run) -> Self {
        let v1::Run { id, job_type, states, logs, channels, measurements, device_id, input_type, input, output } = old;
        // Version 1 kept no time of creation: the first change is the nearest it knows.
        let created_at = states.first().map_or(crate::Timestamp::EPOCH, |change| change.timestamp);
        let count = measurements.len().max(channels as usize);
        let mut series: Vec<Series> = measurements
            .into_iter()
            .map(|values| Series { first: 0, end: values.len() as u64, gaps: Vec::new(), values })
            .collect();
        series.resize_with(count, Series::default);
        Self {
            head: RunHead {
                states: states.into_iter().map(Into::into).collect(),
                device: Some(device_id),
                input_type: Some(input_type),
                input: Some(input),
                output,
                channels: vec![Channel::default(); count],
                ..RunHead::queued(id, job_type, created_at)
            },
            logs: logs.into_iter().map(Into::into).collect(),
            series,
            extra: Extra::default(),
        }
    }
}

impl TryFrom<Run> for v1::Run {
    type Error = ModelError;

    fn try_from(new: Run) -> Result<Self, ModelError> {
        let Run { head, logs, series, extra: _ } = new;
        let RunHead {
            id,
            job_type,
            created_at: _,
            states,
            device,
            device_type: _,
            owner: _,
            labels: _,
            input_type,
            input,
            output,
            error: _,
            channels,
            time_base: _,
            op_time_ns: _,
            ic_time_ns: _,
            k0: _,
            priority: _,
            phases: _,
            overloads: _,
            final_values: _,
            related_to: _,
            worker: _,
            firmware: _,
            entity_digest: _,
            parameter_schema: _,
            grid: _,
            extra: _,
        } = head;
        let lacking = |field| not_v1(format!("/run/head/{field}: version 1 demands one"));
        let count = channels.len().max(series.len());
        Ok(Self {
            id,
            job_type,
            states: states.into_iter().map(Into::into).collect(),
            logs: logs.into_iter().map(|line| line.text).collect(),
            channels: u32::try_from(count).ok().filter(|count| *count <= v1::MOST_CHANNELS).ok_or_else(|| {
                not_v1(format!("/run/head/channels: {count} of them, version 1 holds {}", v1::MOST_CHANNELS))
            })?,
            measurements: series.into_iter().enumerate().map(measurement).collect::<Result<_, _>>()?,
            device_id: device.ok_or_else(|| lacking("device"))?,
            input_type: input_type.ok_or_else(|| lacking("input_type"))?,
            input: input.ok_or_else(|| lacking("input"))?,
            output,
        })
    }
}

/// Version 1 has a list of values from index 0 on: what is missing would shift all that follow.
fn measurement((channel, series): (usize, Series)) -> Result<Vec<f64>, ModelError> {
    let refused = |why: String| Err(not_v1(format!("/run/series/{channel}: {why}")));
    if series.first != 0 {
        return refused(format!("begins at sample {}, in version 1 every channel begins at 0", series.first));
    }
    if let Some(gap) = series.gaps.first() {
        return refused(format!("samples {} to {} are missing, version 1 has no gaps", gap.first, gap.end));
    }
    match series.values.iter().position(|value| !value.is_finite()) {
        Some(at) => refused(format!("sample {at} is {}, version 1 holds finite values only", series.values[at])),
        None => Ok(series.values),
    }
}

fn not_v1(why: String) -> ModelError {
    ModelError::NotRepresentable { what: "run", form: "version 1", why: why + "; write version 2" }
}
