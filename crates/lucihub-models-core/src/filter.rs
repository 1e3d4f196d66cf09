//! Which runs a list shows.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::id::{DeviceId, RunId};
use crate::latest::{DeviceType, JobType, RunState};
use crate::page::Order;
use crate::timestamp::Timestamp;

/// Which runs to list. Fields are joined by AND, the items of one field by OR;
/// `None` asks nothing, an empty list matches nothing. Each name of a label is
/// a field of its own.
///
/// A label or relation is walked before any other field, and the others are looked at run by run: of a label that most
/// runs have, a page costs as many looks as it takes to fill it.
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
    /// With which values of which labels.
    pub labels: BTreeMap<String, Vec<String>>,
    /// Related to one of these runs.
    pub related_to: Option<Vec<RunId>>,
    /// Created then or later.
    pub created_from: Option<Timestamp>,
    /// Created then or earlier.
    pub created_to: Option<Timestamp>,
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

    /// Also runs on this kind of device.
    #[must_use]
    pub fn device_type(mut self, kind: DeviceType) -> Self {
        self.device_types.get_or_insert_default().push(kind);
        self
    }

    /// Also runs whose label of this name has this value.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.entry(name.into()).or_default().push(value.into());
        self
    }

    /// Also runs related to this one.
    #[must_use]
    pub fn related_to(mut self, run: RunId) -> Self {
        self.related_to.get_or_insert_default().push(run);
        self
    }

    /// Only runs created then or later.
    #[must_use]
    pub const fn from(mut self, created: Timestamp) -> Self {
        self.created_from = Some(created);
        self
    }

    /// Only runs created then or earlier.
    #[must_use]
    pub const fn to(mut self, created: Timestamp) -> Self {
        self.created_to = Some(created);
        self
    }

    /// Whether nothing can match: a field's list is empty, or the window ends before it begins.
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
            || empty(self.related_to.as_ref())
            || self.labels.values().any(Vec::is_empty)
            || matches!((self.created_from, self.created_to), (Some(from), Some(to)) if from > to)
    }

    /// The items of all fields.
    pub(crate) fn items(&self) -> usize {
        fn items<T>(list: Option<&Vec<T>>) -> usize {
            list.map_or(0, Vec::len)
        }
        items(self.owners.as_ref())
            + items(self.devices.as_ref())
            + items(self.device_types.as_ref())
            + items(self.job_types.as_ref())
            + items(self.states.as_ref())
            + items(self.related_to.as_ref())
            + self.labels.values().map(Vec::len).sum::<usize>()
    }

    /// What a cursor of this search carries, so that it is refused by another one. Neither the order of a field's items
    /// nor an item named twice makes another search.
    pub(crate) fn fingerprint(&self, order: Order) -> u64 {
        fn items<T>(list: Option<&Vec<T>>, text: impl Fn(&T) -> String) -> Option<Vec<String>> {
            let mut items: Vec<String> = list?.iter().map(text).collect();
            items.sort_unstable();
            items.dedup();
            Some(items)
        }
        let micros = |time: Timestamp| vec![time.as_micros().to_string()];
        let mut fields = vec![
            Some(vec![format!("{order:?}")]),
            items(self.owners.as_ref(), Clone::clone),
            items(self.devices.as_ref(), |device| device.as_str().to_owned()),
            items(self.device_types.as_ref(), |kind| kind.as_str().to_owned()),
            items(self.job_types.as_ref(), |kind| kind.as_str().to_owned()),
            items(self.states.as_ref(), |state| state.as_str().to_owned()),
            items(self.related_to.as_ref(), ToString::to_string),
            self.created_from.map(micros),
            self.created_to.map(micros),
        ];
        for (name, values) in &self.labels {
            fields.extend([Some(vec![name.clone()]), items(Some(values), Clone::clone)]);
        }
        // Debug quotes every text, so no two searches share one.
        let digest = Digest::of(format!("{fields:?}").as_bytes());
        digest.as_bytes().iter().take(8).fold(0, |print, byte| print << 8 | u64::from(*byte))
    }
}
