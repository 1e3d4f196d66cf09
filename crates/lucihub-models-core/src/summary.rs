//! What a list of runs shows of each.

use std::collections::BTreeMap;

use crate::id::{DeviceId, RunId};
use crate::latest::{DeviceType, JobType, RunState, StateChange};
use crate::timestamp::Timestamp;

/// A run as lists show it. Made from narrow columns alone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunSummary {
    /// Its identity.
    pub id: RunId,
    /// The type of job.
    pub job_type: JobType,
    /// When it was created.
    pub created_at: Timestamp,
    /// The state changes so far, by the mirror; the last is the present state.
    pub states: Vec<StateChange>,
    /// The device.
    pub device: Option<DeviceId>,
    /// The kind of that device.
    pub device_type: Option<DeviceType>,
    /// Whose run it is.
    pub owner: Option<String>,
    /// Names and values for people and tools.
    pub labels: BTreeMap<String, String>,
    /// What went wrong.
    pub error: Option<String>,
    /// The number of channels.
    pub channels: u32,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

impl RunSummary {
    /// The summary of a run of which nothing else is known yet.
    #[must_use]
    pub const fn new(id: RunId, job_type: JobType, created_at: Timestamp) -> Self {
        Self {
            id,
            job_type,
            created_at,
            states: Vec::new(),
            device: None,
            device_type: None,
            owner: None,
            labels: BTreeMap::new(),
            error: None,
            channels: 0,
            archived_at: None,
        }
    }

    /// The summary of a head.
    #[must_use]
    pub fn of(head: &crate::RunHead, archived_at: Option<Timestamp>) -> Self {
        Self {
            id: head.id,
            job_type: head.job_type.clone(),
            created_at: head.created_at,
            states: head.states.clone(),
            device: head.device.clone(),
            device_type: head.device_type.clone(),
            owner: head.owner.clone(),
            labels: head.labels.clone(),
            error: head.error.clone(),
            channels: u32::try_from(head.channels.len()).unwrap_or(u32::MAX),
            archived_at,
        }
    }

    /// The present state, by the mirror.
    #[must_use]
    pub fn state(&self) -> &RunState {
        self.states.last().map_or(&RunState::Queued, |change| &change.state)
    }
}
