//! The states of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::open_text::open_text;
use crate::timestamp::Timestamp;

open_text! {
    /// Where a run stands. Unknown words survive and count as not terminal.
    RunState, "The state of a run" {
        /// Written by the API, exactly once, when the run is created.
        Queued = "queued",
        /// A worker executes it.
        InProgress = "inprogress",
        /// Ended as wanted; terminal.
        Succeeded = "succeeded",
        /// Ended with an error; terminal.
        Failed = "failed",
        /// Ended on request; terminal.
        Cancelled = "cancelled",
    }
}

/// One change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateChange {
    /// When it changed.
    pub timestamp: Timestamp,
    /// The state from then on.
    pub status: RunState,
}
