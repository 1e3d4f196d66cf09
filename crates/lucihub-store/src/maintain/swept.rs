//! What a sweep looks for, and what it says.

use std::time::Duration;

use lucihub_models_core::hot::Health;
use lucihub_models_core::{RunId, RunState, StoreError, Timestamp};

/// What is removed of what a sweep finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remove {
    /// Runs of hot storage that cold storage has no row of, and archived ones that stayed.
    pub orphans: bool,
    /// Runs that were queued for too long: they are cancelled, and archived as that.
    pub queued: bool,
}

impl Remove {
    /// Orphans too.
    #[must_use]
    pub const fn orphans(mut self) -> Self {
        self.orphans = true;
        self
    }

    /// Cancels runs that were queued for too long.
    #[must_use]
    pub const fn queued(mut self) -> Self {
        self.queued = true;
        self
    }
}

/// What a sweep looks for, and what it removes. By default it only looks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SweepOptions {
    /// For how long a run may be queued. Default 24 h.
    pub queued_for: Duration,
    /// For how long a run of hot storage must not have changed to count as an orphan: whoever creates it just now, or
    /// restores a database, gets the time to do so. Default 1 h.
    pub settled_for: Duration,
    /// For how long after its archive a run may still be in hot storage: longer than the grace of any keeper.
    /// Default 24 h.
    pub archived_for: Duration,
    /// How many runs of each kind the report names; all are counted. Default 100.
    pub named: usize,
    /// What is removed.
    pub remove: Remove,
    /// Creates the rows of orphans anew, so that keepers archive them. Those stay that had left hot storage in part.
    pub restore: bool,
    /// Removes orphans that a worker holds, too.
    pub force: bool,
}

impl Default for SweepOptions {
    fn default() -> Self {
        Self {
            queued_for: Duration::from_secs(24 * 3600),
            settled_for: Duration::from_secs(3600),
            archived_for: Duration::from_secs(24 * 3600),
            named: 100,
            remove: Remove::default(),
            restore: false,
            force: false,
        }
    }
}

/// Why a sweep names a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SweptKind {
    /// Hot storage has it, and cold storage has no row of it.
    Orphan,
    /// Hot storage has it long after its archive.
    Leftover,
    /// It has been queued for too long.
    Queued,
    /// Cold storage has it open, a worker had begun, and hot storage does not have it: a keeper rescues it.
    Lost,
    /// Its row is damaged, or of a newer version: no keeper can go on with it.
    Unreadable,
}

/// A run that a sweep found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Swept {
    /// Which one.
    pub run: RunId,
    /// Why it is named.
    pub kind: SweptKind,
    /// Its state, where it was found; `unknown` where that cannot be read.
    pub state: RunState,
    /// Since when: its last change in hot storage, its archive, or its creation.
    pub since: Timestamp,
    /// The worker that holds it.
    pub held_by: Option<String>,
    /// Whether it was removed, restored, or cancelled.
    pub settled: bool,
    /// Why it was not, though it was asked for.
    pub why: Option<StoreError>,
}

/// What one kind comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweptCount {
    /// How many there are.
    pub found: u64,
    /// How many were removed, restored, or cancelled.
    pub settled: u64,
}

/// What a sweep found and did.
#[derive(Debug)]
#[non_exhaustive]
pub struct SweepReport {
    /// Runs in hot storage.
    pub hot_runs: u64,
    /// Open runs in cold storage.
    pub open_runs: u64,
    /// How full hot storage is.
    pub health: Health,
    /// Orphans.
    pub orphans: SweptCount,
    /// Archived runs that stayed in hot storage.
    pub leftovers: SweptCount,
    /// Runs queued for too long.
    pub queued: SweptCount,
    /// Open runs that hot storage does not have.
    pub lost: SweptCount,
    /// Runs whose row cannot be read.
    pub unreadable: SweptCount,
    /// The first of each kind.
    pub runs: Vec<Swept>,
}

impl SweepReport {
    /// Nothing found yet.
    pub(super) fn new(health: Health) -> Self {
        Self {
            hot_runs: 0,
            open_runs: 0,
            health,
            orphans: SweptCount::default(),
            leftovers: SweptCount::default(),
            queued: SweptCount::default(),
            lost: SweptCount::default(),
            unreadable: SweptCount::default(),
            runs: Vec::new(),
        }
    }

    /// How many of a kind there are.
    #[must_use]
    pub const fn count(&self, kind: SweptKind) -> SweptCount {
        match kind {
            SweptKind::Orphan => self.orphans,
            SweptKind::Leftover => self.leftovers,
            SweptKind::Queued => self.queued,
            SweptKind::Lost => self.lost,
            SweptKind::Unreadable => self.unreadable,
        }
    }

    pub(super) fn add(&mut self, swept: Swept, named: usize) {
        let count = match swept.kind {
            SweptKind::Orphan => &mut self.orphans,
            SweptKind::Leftover => &mut self.leftovers,
            SweptKind::Queued => &mut self.queued,
            SweptKind::Lost => &mut self.lost,
            SweptKind::Unreadable => &mut self.unreadable,
        };
        count.found += 1;
        count.settled += u64::from(swept.settled);
        if count.found <= named as u64 {
            self.runs.push(swept);
        }
    }
}
