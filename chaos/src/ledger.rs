//! What was asked and answered, as the clients saw it, and what befell the storages. It is only ever added to.

use lucihub_models_core::hot::Answer;
use lucihub_models_core::{Batch, Positions, Result, RunId, RunState, StoreError};

/// What a client knows of a call: that it was done, that it was not, or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said<T> {
    /// It was answered.
    Ok(T),
    /// It was not done.
    Fail,
    /// No answer came: it may have been done.
    Unknown,
}

impl<T: Clone> Said<T> {
    /// What a result says to its caller.
    pub(crate) fn of(result: &Result<T>) -> Self {
        match result {
            Ok(answer) => Self::Ok(answer.clone()),
            Err(StoreError::Unknown { .. }) => Self::Unknown,
            Err(_) => Self::Fail,
        }
    }
}

/// How a worker's hold on a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It took the run over, which stood at these positions.
    Began(Positions),
    /// It was told that the run has ended as it said, at these positions; so many acknowledged batches had left its
    /// replay buffer.
    Finished(RunState, Positions, u64),
    /// It was stopped, or gave up.
    Stopped,
}

/// What happened.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A batch was answered. `sent` is the place in the ledger where it was sent.
    Append {
        /// The batch.
        batch: Batch,
        /// How long the ledger was then.
        sent: usize,
        /// The answer.
        said: Said<Answer>,
    },
    /// A writer heard what is confirmed.
    Confirmed(Positions),
    /// A worker's hold on the run.
    Hold(Hold),
    /// The run was created.
    Created,
    /// Its deletion was asked for.
    Deleting,
    /// It was deleted.
    Deleted,
    /// Hot storage lost it.
    Lost,
}

/// One line of the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The run.
    pub(crate) run: RunId,
    /// The client; 0 is nobody.
    pub(crate) client: u16,
    /// What happened.
    pub(crate) what: What,
}

/// What was asked and answered, in order.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    /// Adds a line.
    pub(crate) fn add(&mut self, run: RunId, client: u16, what: What) {
        self.entries.push(Entry { run, client, what });
    }

    /// How long it is: a place in the order of all that happened.
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The lines of one run, with their places.
    pub(crate) fn of(&self, run: RunId) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().filter(move |(_, entry)| entry.run == run)
    }

    /// Whether a run was deleted, or may have been.
    pub(crate) fn is_deleting(&self, run: RunId) -> bool {
        self.of(run).any(|(_, entry)| matches!(entry.what, What::Deleting))
    }

    /// Whether hot storage ever lost a run.
    pub(crate) fn has_lost(&self, run: RunId) -> bool {
        self.of(run).any(|(_, entry)| matches!(entry.what, What::Lost))
    }
}
