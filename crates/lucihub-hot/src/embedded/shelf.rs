//! Where runs stand: many shards, each with its own lock.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use lucihub_models_core::{RunId, Timestamp};

use super::agenda::Agenda;
use super::live::LiveRun;
use super::{EmbeddedHot, lock};

/// What stands at a run's place.
#[derive(Debug)]
pub(super) enum Entry {
    /// A run, open or sealed.
    Run(Box<LiveRun>),
    /// A deleted run may not come back before this time.
    Tombstone(Timestamp),
}

impl Entry {
    /// When it leaves by itself.
    fn leaves(&self) -> Option<Timestamp> {
        match self {
            Self::Run(run) => run.leaves,
            Self::Tombstone(until) => Some(*until),
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.leaves().is_some_and(|at| at <= now)
    }
}

type Shard = HashMap<RunId, Entry>;

/// All runs and tombstones.
#[derive(Debug)]
pub(super) struct Shelf {
    shards: Box<[Mutex<Shard>]>,
    agenda: Agenda,
}

/// Enough that writers of different runs seldom meet.
pub(super) const SHARDS: usize = 64;

impl Default for Shelf {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), agenda: Agenda::default() }
    }
}

/// The shard of a run. The end of an id is random in version 7, and counts in
/// ids made by hand.
pub(super) fn shard_of(run: RunId) -> usize {
    usize::from(run.as_uuid().as_bytes()[15]) % SHARDS
}

impl Shelf {
    /// Every id on the shelf, ascending, so that nothing depends on hashing.
    pub(super) fn ids(&self) -> Vec<RunId> {
        let mut ids: Vec<RunId> =
            self.shards.iter().flat_map(|s| lock(s).keys().copied().collect::<Vec<_>>()).collect();
        ids.sort_unstable();
        ids
    }

    /// The runs of one shard at a time, without those whose time is over.
    pub(super) fn runs_of(&self, shard: usize, now: Timestamp) -> Vec<RunId> {
        let is_run = |entry: &Entry| matches!(entry, Entry::Run(_)) && !entry.is_over(now);
        let shard = lock(&self.shards[shard]);
        shard.iter().filter(|(_, entry)| is_run(entry)).map(|(run, _)| *run).collect()
    }
}

/// A look at one run, under its shard's lock, at one time.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    shard: MutexGuard<'a, Shard>,
    agenda: &'a Agenda,
    run: RunId,
    /// The time of the visit. Read under the lock, so that visits to one run
    /// see it in order.
    pub(super) now: Timestamp,
}

impl Visit<'_> {
    /// What stands there, unless its time is over.
    pub(super) fn entry(&mut self) -> Option<&mut Entry> {
        let now = self.now;
        self.shard.get_mut(&self.run).filter(|entry| !entry.is_over(now))
    }

    /// The run, if one stands there.
    pub(super) fn live(&mut self) -> Option<&mut LiveRun> {
        match self.entry()? {
            Entry::Run(run) => Some(run),
            Entry::Tombstone(_) => None,
        }
    }

    /// Puts something there and returns what it replaces, to be dropped when the
    /// lock is gone.
    pub(super) fn place(&mut self, entry: Entry) -> Option<Entry> {
        let leaves = entry.leaves();
        let before = self.shard.insert(self.run, entry);
        self.agenda.set(self.run, before.as_ref().and_then(Entry::leaves), leaves);
        before
    }

    /// Takes away what stands there.
    pub(super) fn take(&mut self) -> Option<Entry> {
        let before = self.shard.remove(&self.run)?;
        self.agenda.set(self.run, before.leaves(), None);
        Some(before)
    }

    /// Lets the run leave at a time.
    pub(super) fn leave_at(&mut self, at: Timestamp) {
        let (run, agenda) = (self.run, self.agenda);
        if let Some(live) = self.live() {
            let before = live.leaves.replace(at);
            agenda.set(run, before, Some(at));
        }
    }
}

impl EmbeddedHot {
    /// Looks at one run, after giving back the memory of all whose time is over.
    pub(super) fn visit(&self, run: RunId) -> Visit<'_> {
        self.sweep();
        self.visit_unswept(run)
    }

    fn visit_unswept(&self, run: RunId) -> Visit<'_> {
        let shard = lock(&self.shelf.shards[shard_of(run)]);
        Visit { shard, agenda: &self.shelf.agenda, run, now: self.clock.now() }
    }

    /// Gives back the memory of everything whose time is over. Costs one look
    /// at the clock when there is nothing.
    pub(super) fn sweep(&self) {
        for run in self.shelf.agenda.due(self.clock.now()) {
            let mut visit = self.visit_unswept(run);
            // It may have been put off since.
            let over = visit.shard.get(&run).is_some_and(|entry| entry.is_over(visit.now));
            let gone = if over { visit.take() } else { None };
            drop(visit);
            if matches!(gone, Some(Entry::Run(_))) {
                self.bells.ring(run);
            }
        }
    }
}
