//! What readers tell of themselves.

use std::ops::Range;

use lucihub_models_core::RunId;
use tracing::{debug, trace};

use super::READ;
use crate::read::Located;

/// A run was found.
pub(crate) fn located(located: &Located) {
    trace!(target: READ, run = %located.run(), source = ?located.source(), "locate");
}

/// Hot storage was asked for a run and gave no answer: the reader gets the last checkpoint.
pub(crate) fn stale(run: RunId, error: &lucihub_models_core::StoreError) {
    debug!(target: READ, %run, %error, "stale");
}

/// Lines, samples or buckets are read.
pub(crate) fn range(what: &'static str, located: &Located, channel: Option<u32>, range: &Range<u64>) {
    trace!(target: READ, run = %located.run(), what, channel, first = range.start, end = range.end, "read");
}
