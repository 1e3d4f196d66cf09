//! What a recorder tells of itself.

use std::time::Duration;

use lucihub_models_core::hot::{Answer, TookOver};
use lucihub_models_core::{Positions, Result, RunId, WriterMark};
use tracing::{Span, debug, info, info_span, trace, warn};

use super::{RECORD, metrics};
use crate::record::Failure;

/// All that a recorder's task does for its run lies in this span.
pub(crate) fn span(run: RunId, worker: &str, mark: WriterMark) -> Span {
    info_span!(target: RECORD, "record", %run, worker, epoch = mark.epoch)
}

/// What came of asking for a run.
pub(crate) fn asked(run: RunId, worker: &str, answer: &Result<TookOver>) {
    match answer {
        Ok(TookOver::Taken(taken)) => {
            let (epoch, last_seq) = (taken.mark.epoch, taken.last_seq());
            info!(target: RECORD, %run, worker, epoch, last_seq, lines = taken.run.next.lines, "take_over");
        }
        Ok(TookOver::Held { by, until }) => debug!(target: RECORD, %run, worker, by, %until, "held"),
        Ok(TookOver::Cancelled | TookOver::Sealed(_) | TookOver::NoRun) => {
            debug!(target: RECORD, %run, worker, ?answer, "not_to_be_had");
        }
        Err(error) => {
            metrics::error("recorder", error);
            warn!(target: RECORD, %run, worker, %error, "take_over_failed");
        }
    }
}

/// A batch was sent, and this came back.
pub(crate) fn answered(run: RunId, seq: u64, bytes: usize, took: Duration, answer: &Result<Answer>) {
    metrics::APPEND_TIME.time(took);
    match answer {
        Ok(answer) => trace!(target: RECORD, %run, seq, bytes, ?took, outcome = ?answer.outcome, "append"),
        Err(error) => {
            metrics::error("recorder", error);
            debug!(target: RECORD, %run, seq, bytes, ?took, %error, "append_failed");
        }
    }
}

/// A batch was acknowledged.
pub(crate) fn acknowledged(bytes: usize) {
    metrics::BATCHES.add(1);
    metrics::APPENDED_BYTES.add(bytes as u64);
}

/// What is not acknowledged is sent again.
pub(crate) fn retry(first: u64, attempt: u32) {
    metrics::RETRIES.add(1);
    debug!(target: RECORD, first, attempt, "retry");
}

/// The store has only the batches up to this one.
pub(crate) fn lost_tail(last: u64, again: usize) {
    warn!(target: RECORD, last, again, "lost_tail");
}

/// The run was put back.
pub(crate) fn restored(last_seq: u64, confirmed: &Positions, next: &Positions) {
    metrics::RESTORES.add(1);
    warn!(target: RECORD, last_seq, confirmed_lines = confirmed.lines, next_lines = next.lines, "restore");
}

/// Recording cannot go on.
pub(crate) fn stopped(failure: &Failure) {
    match failure {
        Failure::Fenced | Failure::Ended(_) => {
            metrics::FENCED.add(1);
            warn!(target: RECORD, why = %failure, "fenced");
        }
        Failure::Closed => debug!(target: RECORD, "closed"),
        _ => warn!(target: RECORD, why = %failure, "stopped"),
    }
}

/// A recorder's part in what this process tells of its replay buffers.
#[derive(Debug, Default)]
pub(crate) struct ReplayShare {
    bytes: u64,
    dropped: u64,
}

impl ReplayShare {
    /// What the buffer holds now, and how many batches it has dropped in all.
    pub(crate) fn tell(&mut self, bytes: usize, dropped: u64) {
        let bytes = bytes as u64;
        metrics::REPLAY_BYTES.shift(metrics::float(bytes) - metrics::float(self.bytes));
        metrics::REPLAY_DROPPED.add(dropped.saturating_sub(self.dropped));
        (self.bytes, self.dropped) = (bytes, dropped);
    }
}

impl Drop for ReplayShare {
    fn drop(&mut self) {
        metrics::REPLAY_BYTES.shift(-metrics::float(self.bytes));
    }
}
