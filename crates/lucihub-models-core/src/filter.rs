//! What a list of runs shows, and its pages.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::error::Invalid;
use crate::id::{DeviceId, RunId, shorten};
use crate::latest::{DeviceType, JobType, RunState, StateChange};
use crate::timestamp::Timestamp;

/// Which runs to list. Fields are joined by AND, the items of one field by OR;
/// `None` asks nothing, an empty list matches nothing.
///
/// ```
/// use lucihub_models_core::{RunFilter, RunState};
/// let anns_ended = RunFilter::default().owner("ann").state(RunState::Succeeded).state(RunState::Failed);
/// assert_eq!(anns_ended.states.unwrap().len(), 2);
/// assert!(anns_ended.devices.is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Whose runs.
    pub owners: Option<Vec<String>>,
    /// On which devices.
    pub devices: Option<Vec<DeviceId>>,
    /// On which kinds of devices.
    pub device_types: Option<Vec<DeviceType>>,
    /// Which types of job.
    pub job_types: Option<Vec<JobType>>,
    /// In which states, by the mirror in cold storage.
    pub states: Option<Vec<RunState>>,
}

impl RunFilter {
    /// Also runs of this owner.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owners.get_or_insert_default().push(owner.into());
        self
    }

    /// Also runs on this device.
    #[must_use]
    pub fn device(mut self, device: DeviceId) -> Self {
        self.devices.get_or_insert_default().push(device);
        self
    }

    /// Also runs of this type.
    #[must_use]
    pub fn job_type(mut self, job_type: JobType) -> Self {
        self.job_types.get_or_insert_default().push(job_type);
        self
    }

    /// Also runs in this state.
    #[must_use]
    pub fn state(mut self, state: RunState) -> Self {
        self.states.get_or_insert_default().push(state);
        self
    }

    /// Whether some field's list is empty, so that nothing can match.
    #[must_use]
    pub fn matches_nothing(&self) -> bool {
        fn empty<T>(list: Option<&Vec<T>>) -> bool {
            list.is_some_and(Vec::is_empty)
        }
        empty(self.owners.as_ref())
            || empty(self.devices.as_ref())
            || empty(self.device_types.as_ref())
            || empty(self.job_types.as_ref())
            || empty(self.states.as_ref())
    }
}

/// Which end of a list comes first. Ties in time are ordered by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

/// Where a page begins: after the last run of the page before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCursor {
    /// When that run was created.
    pub created_at: Timestamp,
    /// That run.
    pub id: RunId,
}

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}.{}", self.created_at.as_micros(), self.id)
    }
}

impl FromStr for PageCursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new("page cursor", format!("{:?} is not one", shorten(text)))
                .hint("pass on the text of an earlier page unchanged")
        };
        let parts: Vec<&str> = text.split('.').collect();
        let ["1", micros, id] = parts[..] else { return Err(invalid()) };
        let micros = micros.parse().map_err(|_| invalid())?;
        Ok(Self {
            created_at: Timestamp::from_micros(micros).map_err(|_| invalid())?,
            id: id.parse().map_err(|_| invalid())?,
        })
    }
}

/// One page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Which end comes first.
    pub order: Order,
    /// Where it begins; at the end that comes first if absent.
    pub after: Option<PageCursor>,
    /// How many runs, 1 to [`Limits::page`](crate::Limits::page).
    pub limit: usize,
}

impl PageRequest {
    /// The newest runs.
    #[must_use]
    pub const fn newest(limit: usize) -> Self {
        Self { order: Order::Newest, after: None, limit }
    }

    /// The oldest runs.
    #[must_use]
    pub const fn oldest(limit: usize) -> Self {
        Self { order: Order::Oldest, after: None, limit }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { order: Order::default(), after: None, limit: 50 }
    }
}

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

/// The runs of one page, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<RunSummary>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<PageCursor>,
}
