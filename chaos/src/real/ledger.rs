//! What workers were told, and when hot storage lost something. It is only ever added to.

use std::sync::{Mutex, PoisonError};

use lucihub_models_core::{Clock, Positions, RunId, SystemClock};

/// Microseconds since 1970: the one clock that this process and its workers share.
pub(crate) fn now() -> u64 {
    SystemClock.now().as_micros().unsigned_abs()
}

/// What became of something that a worker did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was given the run, from `from` on.
    Taken,
    /// It sends `from..to`: unless an answer follows, nobody knows.
    Unknown,
    /// `from..to` was acknowledged.
    Ok,
    /// All below `to` was said to be confirmed.
    Confirmed,
    /// The run ended in this state, at `to`.
    Ended(String),
    /// It could not begin or go on.
    Fail(String),
}

/// One thing that a worker was told.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The run.
    pub(crate) run: RunId,
    /// The number of the process.
    pub(crate) worker: u64,
    /// When it began.
    pub(crate) since: u64,
    /// When it was told.
    pub(crate) at: u64,
    /// Where it began.
    pub(crate) from: Positions,
    /// Where it ended.
    pub(crate) to: Positions,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// When hot storage may have lost what it had: from when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) since: u64,
    /// `u64::MAX` while it goes on.
    pub(crate) until: u64,
}

/// Everything, in the order in which it was learnt.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Mutex<Vec<Entry>>,
    losses: Mutex<Vec<Loss>>,
}

impl Ledger {
    /// Adds what a worker was told.
    pub(crate) fn add(&self, entry: Entry) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// All about one run.
    pub(crate) fn of(&self, run: RunId) -> Vec<Entry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().filter(|entry| entry.run == run).cloned().collect()
    }

    /// Does something to hot storage that makes it lose what it has.
    pub(crate) fn losing<T>(&self, work: impl FnOnce() -> T) -> T {
        let at = {
            let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
            losses.push(Loss { since: now(), until: u64::MAX });
            losses.len() - 1
        };
        let result = work();
        if let Some(loss) = self.losses.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
            loss.until = now();
        }
        result
    }

    /// Every loss so far.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many batches of answers there are.
    pub(crate) fn acknowledged(&self) -> usize {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().filter(|entry| entry.outcome == Outcome::Ok).count()
    }
}
