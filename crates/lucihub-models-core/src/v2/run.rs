//! A whole run: head, log lines and series.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Channel, LogLine, RunHead, Series};
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
