//! What workers were told, and when hot storage lost something. It is only ever added to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
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

/// When hot storage may have lost something of a run, and what it has certainly kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) since: u64,
    /// `u64::MAX` while it goes on.
    pub(crate) until: u64,
    /// What outlived it.
    pub(crate) left: Left,
}

/// What of a run has outlived a loss: nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// How far the run was there.
    pub(crate) next: Positions,
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
            let left = blow.left.as_ref().map_or_else(|| Some(Left::default()), |left| left.get(&run).cloned());
            left.map(|left| Loss { since: blow.since, until: blow.until, left })
        };
        locked(&self.blows).iter().filter_map(befell).collect()
    }

    /// How many batches of answers there are.
    pub(crate) fn acknowledged(&self) -> usize {
        locked(&self.entries).iter().filter(|entry| entry.outcome == Outcome::Ok).count()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
