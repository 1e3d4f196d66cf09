//! What is told of store events themselves.

use lucihub_models_core::{RunId, StoreError};
use tracing::debug;

use super::EVENTS;

/// An event of a run could not be noted or copied. It is tried again, or lost: nothing depends on it.
pub(crate) fn not_noted(run: RunId, error: &StoreError) {
    debug!(target: EVENTS, %run, %error, "not_noted");
}
