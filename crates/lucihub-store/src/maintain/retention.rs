//! Retention: archived runs that are older than their state is kept for.

use std::time::Duration;

use lucihub_models_core::{
    Invalid, Order, PageCursor, PageRequest, Result, RunFilter, RunId, RunState, StoreError, Timestamp,
};

use crate::store::Store;

/// Runs of one look.
const PAGE: usize = 200;

/// How long archived runs that ended in a state are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepRule {
    state: RunState,
    age: Duration,
}

impl KeepRule {
    /// Keeps runs that ended in this state for so long after they were archived, which is seconds after their end.
    ///
    /// # Errors
    /// `Invalid` for a state that does not end a run: no open run is ever deleted by its age.
    pub fn new(state: RunState, age: Duration) -> Result<Self, Invalid> {
        if !state.is_terminal() {
            return Err(
                Invalid::new("state", format!("{state} does not end a run")).hint("use succeeded, failed or cancelled")
            );
        }
        Ok(Self { state, age })
    }

    /// The state that it is about.
    #[must_use]
    pub const fn state(&self) -> &RunState {
        &self.state
    }

    /// How long runs are kept.
    #[must_use]
    pub const fn age(&self) -> Duration {
        self.age
    }
}

/// What is kept for how long. Without a rule nothing ever goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    rules: Vec<KeepRule>,
}

impl Retention {
    /// Adds a rule.
    ///
    /// # Errors
    /// `Invalid` for a second rule about the same state.
    pub fn with(mut self, rule: KeepRule) -> Result<Self, Invalid> {
        if self.rules.iter().any(|other| other.state == rule.state) {
            return Err(Invalid::new("retention", format!("two rules about {}", rule.state)).hint("give one"));
        }
        self.rules.push(rule);
        Ok(self)
    }

    /// The rules, in the order they were given.
    #[must_use]
    pub fn rules(&self) -> &[KeepRule] {
        &self.rules
    }
}

/// Runs that a rule lets go.
#[derive(Debug)]
#[non_exhaustive]
pub struct Expired {
    /// The rule.
    pub rule: KeepRule,
    /// Runs archived before this are let go.
    pub before: Timestamp,
    /// How many there are.
    pub found: u64,
    /// How many were deleted.
    pub deleted: u64,
    /// What could not be deleted, and why: the first hundred. The next time tries again.
    pub errors: Vec<(RunId, StoreError)>,
    /// How many could not be deleted.
    pub failed: u64,
}

impl Store {
    /// How many archived runs each rule lets go, and deletes none.
    ///
    /// # Errors
    /// When cold storage cannot be read.
    pub async fn expired(&self, retention: &Retention) -> Result<Vec<Expired>> {
        self.retain(retention, false, |_| ()).await
    }

    /// Deletes the archived runs that each rule lets go, oldest first, run by run as [`delete`](Store::delete) does.
    /// May be stopped anywhere; what is left is found by the next. `progress` sees every rule after each run.
    ///
    /// # Errors
    /// When cold storage cannot be read. What goes wrong with single runs is in the report.
    pub async fn delete_expired(
        &self,
        retention: &Retention,
        progress: impl FnMut(&Expired) + Send,
    ) -> Result<Vec<Expired>> {
        self.retain(retention, true, progress).await
    }

    async fn retain(
        &self,
        retention: &Retention,
        delete: bool,
        mut progress: impl FnMut(&Expired) + Send,
    ) -> Result<Vec<Expired>> {
        const ERRORS: usize = 100;
        let now = self.now();
        let mut all = Vec::new();
        for rule in &retention.rules {
            let before = now.before(rule.age);
            let mut of_rule =
                Expired { rule: rule.clone(), before, found: 0, deleted: 0, errors: Vec::new(), failed: 0 };
            let mut after = None;
            loop {
                let (runs, next) = self.expired_page(rule, before, after).await?;
                for run in runs {
                    of_rule.found += 1;
                    if delete {
                        match self.delete(run, false).await {
                            Ok(_) => of_rule.deleted += 1,
                            Err(error) => {
                                of_rule.failed += 1;
                                if of_rule.errors.len() < ERRORS {
                                    of_rule.errors.push((run, error));
                                }
                            }
                        }
                    }
                    progress(&of_rule);
                }
                let Some(next) = next else { break };
                after = Some(next);
            }
            all.push(of_rule);
        }
        Ok(all)
    }

    async fn expired_page(
        &self,
        rule: &KeepRule,
        before: Timestamp,
        after: Option<PageCursor>,
    ) -> Result<(Vec<RunId>, Option<PageCursor>)> {
        // No run is archived before it is created, so the newer ones need no look.
        let filter = RunFilter::default().state(rule.state.clone()).to(before);
        let page =
            PageRequest { order: Order::Oldest, limit: PAGE.min(self.limits().page), after, ..PageRequest::default() };
        let page = self.list(&filter, &page).await?;
        let old = page.runs.iter().filter(|run| run.archived_at.is_some_and(|at| at <= before)).map(|run| run.id);
        Ok((old.collect(), page.next))
    }
}
