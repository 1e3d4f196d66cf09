//! The abstract models: what every version of a run and of a device can answer.

use crate::id::{DeviceId, RunId};
use crate::json::JsonText;
use crate::v1::{DeviceType, InputType, JobType, RunState};

/// A run, whatever its version.
pub trait RunModel {
    /// Its identity.
    fn id(&self) -> RunId;
    /// The type of job.
    fn job_type(&self) -> &JobType;
    /// The device, if the job has one.
    fn device(&self) -> Option<&DeviceId>;
    /// The present state.
    fn state(&self) -> Option<&RunState>;
    /// The number of channels.
    fn channel_count(&self) -> usize;
    /// The number of log lines.
    fn line_count(&self) -> usize;
    /// The text of one log line.
    fn line(&self, number: usize) -> Option<&str>;
    /// One sample of one channel; `None` past the end and inside a gap.
    fn sample(&self, channel: usize, index: u64) -> Option<f64>;
    /// The input.
    fn input(&self) -> Option<&JsonText>;
    /// The output.
    fn output(&self) -> Option<&JsonText>;
}

/// A device, whatever its version.
pub trait DeviceModel {
    /// Its name.
    fn id(&self) -> &DeviceId;
    /// The kind of machine.
    fn device_type(&self) -> &DeviceType;
    /// The type of input it takes, if it is known.
    fn input_type(&self) -> Option<&InputType>;
    /// What a valid input looks like, if it is known.
    fn parameter_schema(&self) -> Option<&JsonText>;
}
