//! A filter, as walks along indexes.

use lucihub_models_core::{DeviceId, JobType, Order, RunFilter, RunId, Timestamp};

use super::conditions::{Bound, Column, Condition};
use super::tags::{LABEL, RELATED};
use crate::types::{Free, Id, Time};

/// A field with more values than this leaves the walk to another one.
const MOST_WALKS: usize = 16;

/// A filter, taken apart: along which indexes its runs are found, and what is asked of each.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) along: Along,
    /// What is asked besides.
    pub(super) others: Vec<Condition>,
    /// The window of creation.
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// What is walked.
#[derive(Debug)]
pub(super) enum Along {
    /// All runs.
    All,
    /// The runs of each of these values.
    Column(Column, Vec<Free>),
    /// The runs with one of these values of a tag.
    Tag { kind: Free, name: Free, values: Vec<Free> },
}

impl Wanted {
    /// To walk pages.
    pub(super) fn of(filter: &RunFilter) -> Self {
        Self::along(filter, choose)
    }

    /// To count: along the first column, whose index holds all the others.
    pub(super) fn counted(filter: &RunFilter) -> Self {
        Self::along(filter, |columns| (!columns.is_empty()).then_some(0))
    }

    fn along(filter: &RunFilter, choose: impl Fn(&[(Column, Vec<Free>)]) -> Option<usize>) -> Self {
        let mut columns = columns(filter);
        let mut tags = tags(filter);
        // Runs with a tag are few: a label that all runs have is of no use to anyone.
        let along = match (tags.pop(), choose(&columns)) {
            (Some(Condition::Tagged { kind, name, values }), _) => Along::Tag { kind, name, values },
            (_, Some(chosen)) => {
                let (column, values) = columns.remove(chosen);
                Along::Column(column, values)
            }
            (_, None) => Along::All,
        };
        let others = columns.into_iter().map(|(column, values)| Condition::Among(column, values)).chain(tags).collect();
        Self { along, others, from: filter.created_from, to: filter.created_to }
    }

    /// Whether a page is one statement.
    pub(super) fn is_one_walk(&self) -> bool {
        match &self.along {
            Along::All => true,
            Along::Column(_, values) => values.len() == 1,
            Along::Tag { .. } => false,
        }
    }

    /// The window, from the place after a run on.
    pub(super) fn window(&self, order: Order, after: Option<(Time, Id)>) -> Window {
        let (mut from, mut to) = (self.from.map(Bound::from), self.to.map(Bound::to));
        if let Some((created_at, id)) = after {
            let bound = Bound::after(order, created_at.0, id.0);
            match order {
                // A cursor lies within its search's window, unless someone made it by hand.
                Order::Newest if self.to.is_none_or(|to| created_at.0 <= to) => to = Some(bound),
                Order::Oldest if self.from.is_none_or(|from| created_at.0 >= from) => from = Some(bound),
                Order::Newest | Order::Oldest => {}
            }
        }
        Window { from, to }
    }

    /// What the walks along columns begin their conditions with, one for each.
    pub(super) fn walks(&self, is_postgres: bool) -> Vec<Option<Condition>> {
        match &self.along {
            Along::Column(column, values) => {
                values.iter().map(|value| Some(Condition::Is(*column, value.clone()))).collect()
            }
            Along::All | Along::Tag { .. } => vec![is_postgres.then_some(Condition::Any)],
        }
    }

    /// The conditions of a walk within a window. Made for one walk at a time: both walks and others may be thousands.
    pub(super) fn conditions(&self, walk: Option<Condition>, window: Window) -> Vec<Condition> {
        walk.into_iter().chain(self.others.iter().cloned()).chain(window.bounds().map(Condition::At)).collect()
    }
}

/// A part of all places. Never two bounds at one end, for databases search by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    from: Option<Bound>,
    to: Option<Bound>,
}

impl Window {
    /// The same, with another end for a walk in this order, if there is one.
    pub(super) fn ending(self, order: Order, end: Option<Bound>) -> Self {
        match order {
            Order::Newest => Self { from: end.or(self.from), ..self },
            Order::Oldest => Self { to: end.or(self.to), ..self },
        }
    }

    pub(super) fn bounds(self) -> impl Iterator<Item = Bound> {
        self.from.into_iter().chain(self.to)
    }
}

/// The wanted values of each column, each once.
fn columns(filter: &RunFilter) -> Vec<(Column, Vec<Free>)> {
    fn words<T>(list: Option<&Vec<T>>, word: impl Fn(&T) -> &str) -> Option<Vec<Free>> {
        Some(each_once(list?.iter().map(word)))
    }
    // In the order of the indexes: rare values first.
    [
        (Column::Device, words(filter.devices.as_ref(), DeviceId::as_str)),
        (Column::Owner, words(filter.owners.as_ref(), String::as_str)),
        (Column::State, words(filter.states.as_ref(), |state| state.as_str())),
        (Column::JobType, words(filter.job_types.as_ref(), JobType::as_str)),
        (Column::DeviceType, words(filter.device_types.as_ref(), |kind| kind.as_str())),
    ]
    .into_iter()
    .filter_map(|(column, words)| words.map(|words| (column, words)))
    .collect()
}

/// The wanted tags; the last is the rarest.
fn tags(filter: &RunFilter) -> Vec<Condition> {
    let labels = filter.labels.iter().map(|(name, values)| Condition::Tagged {
        kind: LABEL.into(),
        name: name.as_str().into(),
        values: each_once(values.iter().map(String::as_str)),
    });
    let related = filter.related_to.iter().map(|runs| {
        let runs: Vec<String> = runs.iter().map(RunId::to_string).collect();
        Condition::Tagged { kind: RELATED.into(), name: "".into(), values: each_once(runs.iter().map(String::as_str)) }
    });
    labels.chain(related).collect()
}

fn each_once<'a>(words: impl Iterator<Item = &'a str>) -> Vec<Free> {
    let mut words: Vec<Free> = words.map(Free::from).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The column whose index is walked.
fn choose(columns: &[(Column, Vec<Free>)]) -> Option<usize> {
    columns
        .iter()
        .position(|(_, values)| values.len() <= MOST_WALKS)
        .or_else(|| (0..columns.len()).min_by_key(|n| columns[*n].1.len()))
}
