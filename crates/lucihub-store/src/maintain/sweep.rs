//! Sweeping: what the rest has lost sight of.

use std::collections::HashSet;
use std::time::Duration;

use lucihub_models_core::cold::PendingRun;
use lucihub_models_core::hot::{Cancelled, Health, HotRun, Removed};
use lucihub_models_core::{Positions, Result, RunHead, RunId, RunState, StoreError, Timestamp};

use crate::store::Store;

/// Runs of one look.
const PAGE: usize = 200;

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
}

/// A run that a sweep found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Swept {
    /// Which one.
    pub run: RunId,
    /// Why it is named.
    pub kind: SweptKind,
    /// Its state, where it was found.
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
    /// The first of each kind.
    pub runs: Vec<Swept>,
}

impl SweepReport {
    /// How many of a kind there are.
    #[must_use]
    pub const fn count(&self, kind: SweptKind) -> SweptCount {
        match kind {
            SweptKind::Orphan => self.orphans,
            SweptKind::Leftover => self.leftovers,
            SweptKind::Queued => self.queued,
            SweptKind::Lost => self.lost,
        }
    }

    fn add(&mut self, swept: Swept, named: usize) {
        let count = match swept.kind {
            SweptKind::Orphan => &mut self.orphans,
            SweptKind::Leftover => &mut self.leftovers,
            SweptKind::Queued => &mut self.queued,
            SweptKind::Lost => &mut self.lost,
        };
        count.found += 1;
        count.settled += u64::from(swept.settled);
        if count.found <= named as u64 {
            self.runs.push(swept);
        }
    }
}

impl Store {
    /// Walks all runs of hot storage and all open ones of cold storage, and finds what belongs to nothing. Removes what
    /// the options ask for; each run is looked at again before that.
    ///
    /// # Errors
    /// When one of the storages cannot be read. What goes wrong with single runs is in the report.
    pub async fn sweep(&self, options: &SweepOptions) -> Result<SweepReport> {
        let mut report = SweepReport {
            hot_runs: 0,
            open_runs: 0,
            health: self.hot().health().await?,
            orphans: SweptCount::default(),
            leftovers: SweptCount::default(),
            queued: SweptCount::default(),
            lost: SweptCount::default(),
            runs: Vec::new(),
        };
        self.sweep_hot(options, &mut report).await?;
        self.sweep_open(options, &mut report).await?;
        Ok(report)
    }

    async fn sweep_hot(&self, options: &SweepOptions, report: &mut SweepReport) -> Result<()> {
        // A scan may name a run twice.
        let mut seen = HashSet::new();
        let mut after = None;
        loop {
            let part = self.hot().scan(after.as_deref(), PAGE).await?;
            for run in part.runs {
                if !seen.insert(run) {
                    continue;
                }
                report.hot_runs += 1;
                if let Some(mut swept) = self.stray(run, options).await? {
                    self.settle(&mut swept, options).await;
                    report.add(swept, options.named);
                }
            }
            let Some(next) = part.next else { return Ok(()) };
            after = Some(next);
        }
    }

    /// A run of hot storage that nobody will see to any more.
    async fn stray(&self, run: RunId, options: &SweepOptions) -> Result<Option<Swept>> {
        let cold = self.cold().get(run).await?;
        let archived = match &cold {
            None => None,
            Some(cold) => match cold.archived {
                Some(archived) if archived.at.after(options.archived_for) <= self.now() => Some(archived.at),
                _ => return Ok(None),
            },
        };
        let Some(hot) = self.hot().get(run).await? else { return Ok(None) };
        let (kind, since) = match archived {
            Some(at) => (SweptKind::Leftover, at),
            None => (SweptKind::Orphan, hot.changed_at),
        };
        if kind == SweptKind::Orphan {
            // Its row is created before it is: the second look finds what came between.
            let young = hot.changed_at.after(options.settled_for) > hot.now;
            if young || self.cold().get(run).await?.is_some() {
                return Ok(None);
            }
        }
        let held_by = hot.lease.as_ref().filter(|_| hot.is_held()).map(|lease| lease.worker.clone());
        let state = hot.head.state().clone();
        Ok(Some(Swept { run, kind, state, since, held_by, settled: false, why: None }))
    }

    async fn sweep_open(&self, options: &SweepOptions, report: &mut SweepReport) -> Result<()> {
        let mut after: Option<PendingRun> = None;
        loop {
            let page = self.cold().pending(after, PAGE).await?;
            after = page.last().copied();
            for pending in &page {
                if let Some(mut swept) = self.waiting(*pending, options, report).await? {
                    self.settle(&mut swept, options).await;
                    report.add(swept, options.named);
                }
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// An open run that waits for too long, or that hot storage lost.
    async fn waiting(
        &self,
        pending: PendingRun,
        options: &SweepOptions,
        report: &mut SweepReport,
    ) -> Result<Option<Swept>> {
        let run = pending.id;
        let hot = self.hot().get(run).await?;
        let late = pending.created_at.after(options.queued_for) <= self.now();
        if hot.as_ref().is_some_and(|hot| hot.seal.is_some() || hot.is_held() || hot.head.states.len() > 1) {
            report.open_runs += 1;
            return Ok(None);
        }
        let Some(cold) = self.cold_run(run).await?.filter(|cold| cold.archived.is_none()) else { return Ok(None) };
        report.open_runs += 1;
        let untouched = Positions { states: 1, ..Positions::default() };
        let kind = if hot.is_none() && cold.positions != untouched {
            SweptKind::Lost
        } else if late && *cold.head.state() == RunState::Queued {
            SweptKind::Queued
        } else {
            return Ok(None);
        };
        let (state, since) = (cold.head.state().clone(), pending.created_at);
        Ok(Some(Swept { run, kind, state, since, held_by: None, settled: false, why: None }))
    }

    /// Does what was asked for about a run that was found.
    async fn settle(&self, swept: &mut Swept, options: &SweepOptions) {
        let Remove { orphans, queued } = options.remove;
        let done = match swept.kind {
            SweptKind::Orphan if options.restore => self.restore_row(swept.run).await,
            SweptKind::Orphan if orphans => self.remove_orphan(swept.run, options).await,
            SweptKind::Leftover if orphans => self.remove_leftover(swept.run, options.force).await,
            SweptKind::Queued if queued => self.cancel_queued(swept.run, options.queued_for).await,
            _ => return,
        };
        match done {
            Ok(settled) => swept.settled = settled,
            Err(error) => swept.why = Some(error),
        }
    }

    async fn remove_orphan(&self, run: RunId, options: &SweepOptions) -> Result<bool> {
        // All of it once more: a report may be old when it is acted on.
        if self.stray(run, options).await?.is_none_or(|swept| swept.kind != SweptKind::Orphan) {
            return Ok(false);
        }
        self.remove_from_hot(run, options.force).await
    }

    async fn remove_leftover(&self, run: RunId, force: bool) -> Result<bool> {
        // A sealed run leaves as it would have.
        if self.hot().expire(run, Duration::ZERO).await? {
            return Ok(true);
        }
        self.remove_from_hot(run, force).await
    }

    /// Removes a run without a tombstone that stays: if its row is created in this moment, a keeper that met one would
    /// take the run for deleted.
    async fn remove_from_hot(&self, run: RunId, force: bool) -> Result<bool> {
        match self.hot().remove(run, force, Duration::ZERO).await? {
            Removed::Removed => Ok(true),
            Removed::Held { by, until, .. } => Err(StoreError::precondition(
                format!("run {run}"),
                format!("{by} holds it until {until}; it is removed when nobody does, or by force"),
            )),
        }
    }

    async fn cancel_queued(&self, run: RunId, queued_for: Duration) -> Result<bool> {
        let hours = queued_for.as_secs_f64() / 3600.0;
        let reason = format!("nothing took it within {hours:.1} h, so a sweep cancelled it");
        Ok(self.cancel(run, Some(&reason)).await? == Cancelled::Cancelled)
    }

    /// Creates the row of a run that only hot storage has, so that keepers mirror, checkpoint and archive it.
    async fn restore_row(&self, run: RunId) -> Result<bool> {
        let Some(hot) = self.hot().get(run).await? else { return Ok(false) };
        if !is_untrimmed(&hot) {
            let why = "its first lines or samples have left hot storage and were in cold storage alone";
            return Err(StoreError::precondition(format!("run {run}"), why));
        }
        self.cold().create(&as_created(&hot.head)).await?;
        Ok(true)
    }
}

/// Whether hot storage still has a run from its first line and sample on.
fn is_untrimmed(hot: &HotRun) -> bool {
    hot.base.lines == 0 && hot.base.samples.iter().all(|base| *base == 0)
}

/// A head as it was when the run was created, as far as that is known: what the worker added to it stays.
fn as_created(head: &RunHead) -> RunHead {
    let mut created = head.clone();
    created.states.truncate(1);
    created.phases.clear();
    created.overloads.clear();
    created.final_values.clear();
    created.output = None;
    created.error = None;
    created.worker = None;
    created
}
