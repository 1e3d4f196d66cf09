//! Sweeping: what the rest has lost sight of.

use std::collections::HashSet;
use std::time::Duration;

use lucihub_models_core::cold::PendingRun;
use lucihub_models_core::hot::{Cancelled, HotRun, Removed};
use lucihub_models_core::{Positions, Result, RunHead, RunId, RunState, StoreError, Timestamp};

use super::swept::{Remove, SweepOptions, SweepReport, Swept, SweptKind};
use crate::store::Store;

/// Runs of one look.
const PAGE: usize = 200;

impl Store {
    /// Walks all runs of hot storage and all open ones of cold storage, and finds what belongs to nothing. Removes what
    /// the options ask for; each run is looked at again before that.
    ///
    /// # Errors
    /// When one of the storages cannot be read. What goes wrong with single runs is in the report.
    pub async fn sweep(&self, options: &SweepOptions) -> Result<SweepReport> {
        let mut report = SweepReport::new(self.hot().health().await?);
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
        let cold = match row(run, self.now(), self.cold().get(run).await)? {
            Ok(cold) => cold,
            Err(unreadable) => return Ok(Some(*unreadable)),
        };
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
            let again = row(run, self.now(), self.cold().get(run).await)?;
            if young || again.map_or(true, |row| row.is_some()) {
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
        let cold = match row(run, pending.created_at, self.cold_run(run).await)? {
            Ok(cold) => cold,
            // What hot storage has was named on the way through it.
            Err(unreadable) => return Ok(hot.is_none().then_some(*unreadable)),
        };
        let Some(cold) = cold.filter(|cold| cold.archived.is_none()) else { return Ok(None) };
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

/// The row of a run, or the run as one whose row cannot be read: the others are looked at all the same.
fn row<T>(run: RunId, since: Timestamp, row: Result<Option<T>>) -> Result<Result<Option<T>, Box<Swept>>> {
    match row {
        Err(why) if why.is_unreadable() => {
            let (kind, state) = (SweptKind::Unreadable, RunState::Other("unknown".to_owned()));
            Ok(Err(Box::new(Swept { run, kind, state, since, held_by: None, settled: false, why: Some(why) })))
        }
        row => row.map(Ok),
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
