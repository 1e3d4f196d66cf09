//! A change of state, with its reason.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::extra::Extra;
use crate::timestamp::Timestamp;
use crate::v1::{self, RunState};

/// One change of state. The order of changes is the order of application, never
/// that of their times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct StateChange {
    /// The state from then on.
    pub state: RunState,
    /// When it changed, by the clock of who changed it.
    pub at: Timestamp,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl StateChange {
    /// A change without a reason.
    #[must_use]
    pub fn new(state: RunState, at: Timestamp) -> Self {
        Self { state, at, reason: None, extra: Extra::default() }
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

impl From<v1::StateChange> for StateChange {
    fn from(old: v1::StateChange) -> Self {
        let v1::StateChange { timestamp, status } = old;
        Self::new(status, timestamp)
    }
}

impl From<StateChange> for v1::StateChange {
    fn from(new: StateChange) -> Self {
        let StateChange { state, at, reason: _, extra: _ } = new;
        Self { timestamp: at, status: state }
    }
}
