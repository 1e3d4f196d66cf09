//! What workers were told, what hot storage answered each batch, and when it lost something. It is only ever added to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use lucihub_models_core::{Clock, Positions, RunId, SystemClock};

use super::noting::{Mark, Note, Numbered, Said};

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
    /// Hot storage made it the writer. `asks` tells whether it can ask cold storage what hot storage forgot.
    Took { mark: Mark, asks: bool },
    /// Hot storage took the run back from it after a loss.
    Restored(Mark),
    /// It sent this batch to hot storage, or was answered.
    Batch(Numbered, Said),
}

/// One thing that a worker, or a keeper, was told.
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

/// When hot storage may have lost something of a run, and what it has certainly kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) since: u64,
    /// `u64::MAX` while it goes on.
    pub(crate) until: u64,
    /// What outlived it. `None` where nothing did, or where it still goes on.
    pub(crate) left: Option<Left>,
}

/// What of a run has outlived a failover.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// How far the run was on the replica.
    pub(crate) next: Positions,
    /// Who was its writer there, and the number of the last batch.
    pub(crate) tip: Option<(Mark, u64)>,
    /// Who was its writer when the failover was over.
    pub(crate) later: Option<Mark>,
}

/// A loss, of one run or of all.
#[derive(Debug)]
struct Blow {
    since: u64,
    until: u64,
    /// The runs that it befell, and what is left of them. `None` where it took everything of all, and while it goes on.
    left: Option<BTreeMap<RunId, Left>>,
}

/// Everything, in the order in which it was learnt.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Mutex<Vec<Entry>>,
    blows: Mutex<Vec<Blow>>,
}

impl Ledger {
    /// Adds what a worker was told.
    pub(crate) fn add(&self, entry: Entry) {
        locked(&self.entries).push(entry);
    }

    /// Adds what a client noted at hot storage.
    pub(crate) fn note(&self, client: u64, note: Note) {
        let (run, since, at, outcome) = match note {
            Note::Took { run, since, at, mark, asks } => (run, since, at, Outcome::Took { mark, asks }),
            Note::Restored { run, since, at, mark } => (run, since, at, Outcome::Restored(mark)),
            Note::Batch { run, since, at, batch, said } => (run, since, at, Outcome::Batch(batch, said)),
        };
        let (from, to) = Default::default();
        self.add(Entry { run, worker: client, since, at, from, to, outcome });
    }

    /// All about one run.
    pub(crate) fn of(&self, run: RunId) -> Vec<Entry> {
        locked(&self.entries).iter().filter(|entry| entry.run == run).cloned().collect()
    }

    /// Does something to hot storage that makes it lose all that it has.
    pub(crate) fn losing(&self, work: impl FnOnce()) {
        let at = self.begin();
        work();
        self.end(at, None);
    }

    /// Does something to hot storage that makes it lose the youngest of some runs. `work` tells which, and what is left
    /// of each.
    pub(crate) fn losing_some(&self, work: impl FnOnce() -> Result<BTreeMap<RunId, Left>>) -> Result<()> {
        let at = self.begin();
        let left = work()?;
        self.end(at, Some(left));
        Ok(())
    }

    fn begin(&self) -> usize {
        let mut blows = locked(&self.blows);
        blows.push(Blow { since: now(), until: u64::MAX, left: None });
        blows.len() - 1
    }

    fn end(&self, at: usize, left: Option<BTreeMap<RunId, Left>>) {
        if let Some(blow) = locked(&self.blows).get_mut(at) {
            (blow.until, blow.left) = (now(), left);
        }
    }

    /// Every loss so far that may have befallen a run.
    pub(crate) fn losses(&self, run: RunId) -> Vec<Loss> {
        let befell = |blow: &Blow| {
            let left = blow.left.as_ref().map(|left| left.get(&run).cloned());
            let befell = left.as_ref().is_none_or(Option::is_some);
            befell.then(|| Loss { since: blow.since, until: blow.until, left: left.flatten() })
        };
        locked(&self.blows).iter().filter_map(befell).collect()
    }

    /// How many groups workers were told of as acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        locked(&self.entries).iter().filter(|entry| entry.outcome == Outcome::Ok).count()
    }

    /// How often hot storage said of a batch that it has it.
    pub(crate) fn accepted(&self) -> usize {
        let is_accepted = |entry: &&Entry| matches!(&entry.outcome, Outcome::Batch(_, said) if said.is_accepted());
        locked(&self.entries).iter().filter(is_accepted).count()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
