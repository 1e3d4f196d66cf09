//! What a recorder tells of itself.

use std::time::Duration;

use lucihub_models_core::hot::{Answer, Outcome, Taken, TookOver};
use lucihub_models_core::{Positions, Result, RunId, StoreEventKind, Timestamp, WriterMark};
use tokio::time::Instant;
use tracing::{Span, debug, info, info_span, trace, warn};

use super::{RECORD, metrics};
use crate::record::Failure;
use crate::record::notes::Notes;

/// Shorter stretches without an answer or without room are told by metrics alone.
const WORTH_AN_EVENT: Duration = Duration::from_secs(1);

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

/// A recorder begins with a run that it has taken over.
pub(crate) fn began(notes: &mut Notes, taken: &Taken) {
    let (at, epoch) = (&taken.run.next, taken.mark.epoch);
    notes.lease_until = taken.run.lease.as_ref().map(|lease| lease.until);
    notes.tell(StoreEventKind::TakenOver, &format!("epoch {epoch}; goes on at {}", place(at)));
}

/// What a storage answered to a batch or a renewal, as far as that begins or ends a stretch worth an event.
pub(crate) fn heard<T>(notes: &mut Notes, answer: &Result<T>) {
    match answer {
        Err(error) if error.is_transient() => {
            if notes.silent.is_none() {
                notes.silent = Some(notes.since_now());
            }
        }
        Err(_) => {}
        Ok(_) => {
            if let Some((at, since)) = notes.silent.take() {
                told_of(notes, at, since, StoreEventKind::Unreachable, "without an answer of hot storage");
            }
        }
    }
}

/// Whether hot storage had room for a batch.
pub(crate) fn judged(notes: &mut Notes, outcome: &Outcome) {
    match outcome {
        Outcome::Full if notes.full.is_none() => notes.full = Some(notes.since_now()),
        Outcome::Applied | Outcome::Duplicate => has_room(notes),
        _ => {}
    }
}

fn has_room(notes: &mut Notes) {
    if let Some((at, since)) = notes.full.take() {
        told_of(notes, at, since, StoreEventKind::StoreFull, "without room in hot storage");
    }
}

fn told_of(notes: &mut Notes, at: Timestamp, since: Instant, kind: StoreEventKind, what: &str) {
    let lasted = since.elapsed();
    if lasted >= WORTH_AN_EVENT {
        notes.tell_of(at, kind, &format!("{:.1} s {what}", lasted.as_secs_f64()));
    }
}

/// The lease goes on until then, which is so long from now, by the store's clock.
pub(crate) fn renewed(notes: &mut Notes, until: Timestamp, lease: Duration) {
    let before = notes.lease_until.replace(until);
    let late = before.map(|before| until.before(lease).since(before)).unwrap_or_default();
    if late > Duration::ZERO {
        let details = format!("{:.1} s after the lease had run out; nobody had taken the run over", late.as_secs_f64());
        notes.tell(StoreEventKind::RenewedLate, &details);
    }
}

/// Positions of lines and samples, for people.
fn place(at: &Positions) -> String {
    let samples = at.samples.iter().max().copied().unwrap_or_default();
    format!("line {}, sample {samples}", at.lines)
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

/// The run was put back, and so many batches are sent again.
pub(crate) fn restored(notes: &mut Notes, last_seq: u64, confirmed: &Positions, next: &Positions, again: usize) {
    metrics::RESTORES.add(1);
    notes.lease_until = None;
    notes.tell_all_again();
    let details = format!("hot storage had lost it; put back at {}, {again} batches sent again", place(next));
    notes.tell(StoreEventKind::Restored, &details);
    lost(notes, confirmed, next);
    warn!(target: RECORD, last_seq, confirmed_lines = confirmed.lines, next_lines = next.lines, "restore");
}

/// What lies between these positions is a gap from now on, unless cold storage has it.
fn lost(notes: &mut Notes, confirmed: &Positions, next: &Positions) {
    let lines = next.lines.saturating_sub(confirmed.lines);
    let samples = (0_u32..).zip(&next.samples).map(|(channel, end)| end.saturating_sub(confirmed.sample(channel)));
    let samples: u64 = samples.sum();
    if lines + samples > 0 {
        let details =
            format!("{lines} log lines and {samples} samples that only hot storage had, before {}", place(next));
        notes.tell(StoreEventKind::StoreLost, &details);
    }
}

/// Recording cannot go on.
pub(crate) fn stopped(notes: &mut Notes, failure: &Failure) {
    has_room(notes);
    match failure {
        Failure::Fenced | Failure::Ended(_) => {
            notes.tell(StoreEventKind::Fenced, &failure.to_string());
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
