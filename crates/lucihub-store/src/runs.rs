//! Runs as the API above handles them: create, cancel, change, list, delete.

use std::time::Duration;

use lucihub_models_core::cold::{Created, RunUpdate};
use lucihub_models_core::hot::{Cancelled, Opened, Removed, Seal};
use lucihub_models_core::{
    DeviceId, Invalid, JobType, Order, PageRequest, Result, RunFilter, RunHead, RunId, RunPage, RunPrefix, RunState,
    RunSummary, StoreError, StoreEvent, StoreEventKind,
};

use crate::store::Store;

/// How long the tombstone of a deleted run stands: late appends, restores and
/// keepers meet it instead of raising the run again.
const TOMBSTONE: Duration = Duration::from_secs(24 * 3600);

impl Store {
    /// A new queued run, with a new id and the present time. Fill in the rest,
    /// then [`create`](Store::create) it.
    #[must_use]
    pub fn new_run(&self, job_type: JobType) -> RunHead {
        RunHead::queued(self.ids().run_id(), job_type, self.now())
    }

    /// Creates a run: its row in cold storage first, the durable fact, then its
    /// head in hot storage. The same id and content again succeeds.
    ///
    /// # Errors
    /// `Invalid` past a limit, `AlreadyExists` for the same id with other
    /// content. `Unavailable` when hot storage cannot be reached: the row stands
    /// then, a keeper opens the run later, and repeating the call succeeds. The
    /// row stands too where hot storage refuses for a reason that does not pass;
    /// that error is returned as it is.
    pub async fn create(&self, head: &RunHead) -> Result<Created> {
        head.check_new(self.limits())?;
        let created = self.cold().create(head).await?;
        if created == Created::Existing {
            // A run that went on, or ended, must not be opened as queued again.
            let cold = self.cold().get(head.id).await?.ok_or_else(|| not_found(head.id))?;
            if cold.archived.is_some() || cold.head.states.len() > 1 {
                return Ok(created);
            }
        }
        let opened = match created {
            Created::Created => self.hot().open(head).await,
            // It may have attachments by now.
            Created::Existing => self.open_hot(head).await,
        };
        match opened {
            Ok(Opened::Created | Opened::Existing) => Ok(created),
            Ok(Opened::Deleted) => {
                self.cold().delete(head.id).await?;
                Err(StoreError::precondition(format!("run {}", head.id), "it was deleted; create it under a new id"))
            }
            Err(error) if error.is_transient() => Err(StoreError::unavailable(
                "hot storage",
                format!("{error} (run {} is queued all the same; a keeper opens it later)", head.id),
            )),
            Err(error) => Err(error),
        }
    }

    /// Asks for a run's end: a run that no worker has is cancelled at once, a
    /// running one learns of it.
    ///
    /// # Errors
    /// `NotFound` if there is no such run; `Unavailable` while hot storage cannot
    /// be reached, or has lost the run and waits for it to be put back.
    pub async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled> {
        for _ in 0..2 {
            match self.hot().cancel(run, reason).await? {
                Cancelled::NoRun => {}
                Cancelled::Requested => {
                    // Nothing else keeps why the end of a run that goes on was asked for. Asked twice, it is one event.
                    let fact = reason.unwrap_or_default();
                    let asked = StoreEvent::of_fact(run, StoreEventKind::CancelRequested, self.now(), fact);
                    self.note(run, reason.map_or(asked.clone(), |reason| asked.text(reason))).await;
                    return Ok(Cancelled::Requested);
                }
                answer => return Ok(answer),
            }
            let cold = self.cold().get(run).await?.ok_or_else(|| not_found(run))?;
            if cold.head.state().is_terminal() {
                return Ok(Cancelled::Ended(cold.head.state().clone()));
            }
            if cold.head.states.len() > 1 {
                let why = format!("run {run} is being put back; try again");
                return Err(StoreError::unavailable("hot storage", why));
            }
            // Created while hot storage was away: opened here, then asked again.
            if self.hot().open(&cold.head).await? == Opened::Deleted {
                return Err(not_found(run));
            }
        }
        Ok(Cancelled::NoRun)
    }

    /// Changes what people own of a run.
    ///
    /// # Errors
    /// See [`ColdRuns::update`](lucihub_models_core::cold::ColdRuns::update).
    pub async fn update(&self, run: RunId, update: &RunUpdate) -> Result<()> {
        self.cold().update(run, update).await
    }

    /// One page of runs. States are those of the mirror, at most about a second
    /// old, so that filter and rows agree.
    ///
    /// # Errors
    /// `Invalid` for a page of 0 or past the limit.
    pub async fn list(&self, filter: &RunFilter, page: &PageRequest) -> Result<RunPage> {
        self.cold().list(filter, page).await
    }

    /// The run whose id begins so, if there is one and no other.
    ///
    /// # Errors
    /// `NotFound`; `Invalid`, with some of the runs, where there are several.
    pub async fn find_run(&self, prefix: &RunPrefix) -> Result<RunId> {
        const NAMED: usize = 4;
        let found = self.cold().ids(prefix, NAMED + 1).await?;
        match *found {
            [] => Err(StoreError::not_found(match prefix.whole() {
                Some(run) => format!("run {run}"),
                None => format!("a run that begins with {prefix}"),
            })),
            [run] => Ok(run),
            _ => {
                let mut named: Vec<String> = found.iter().take(NAMED).map(ToString::to_string).collect();
                if found.len() > NAMED {
                    named.push("others".to_owned());
                }
                let problem = format!("{prefix} begins several: {}", named.join(", "));
                Err(Invalid::new("run id", problem).hint("give more of it").into())
            }
        }
    }

    /// The run that has waited longest for a device, by the mirror: it may have
    /// been taken or cancelled within the last second. A worker that looks for
    /// work uses [`take_next`](Self::take_next), which asks hot storage too.
    ///
    /// # Errors
    /// When cold storage cannot be read.
    pub async fn oldest_queued(&self, device: &DeviceId) -> Result<Option<RunSummary>> {
        let filter = RunFilter {
            devices: Some(vec![device.clone()]),
            states: Some(vec![RunState::Queued]),
            ..RunFilter::default()
        };
        let page = PageRequest { order: Order::Oldest, limit: 1, ..PageRequest::default() };
        Ok(self.list(&filter, &page).await?.runs.into_iter().next())
    }

    /// Deletes a run and all that hangs on it, in both storages. `false` if there
    /// was none. A worker that still writes meets a tombstone. A run that is damaged or of a newer version goes too.
    ///
    /// # Errors
    /// `Precondition` while a worker holds the run, unless it is forced.
    pub async fn delete(&self, run: RunId, force: bool) -> Result<bool> {
        let existed = match self.cold().get(run).await {
            Ok(found) => found.is_some(),
            // What cannot be read can be deleted.
            Err(error) if error.is_unreadable() => true,
            Err(error) => return Err(error),
        };
        match self.hot().remove(run, force, TOMBSTONE).await? {
            // A keeper that meets the tombstone first finishes the deletion; it was this call's all the same.
            Removed::Removed => Ok(self.cold().delete(run).await? || existed),
            Removed::Held { by, until, idle } => Err(StoreError::precondition(
                format!("run {run}"),
                format!(
                    "{by} holds it until {until} and changed it {:.1} s ago; cancel it first, or force the deletion",
                    idle.as_secs_f64()
                ),
            )),
        }
    }
}

pub(crate) fn not_found(run: RunId) -> StoreError {
    StoreError::not_found(format!("run {run}"))
}

/// What a seal means to someone who wanted to write.
pub(crate) fn sealed(seal: &Seal) -> String {
    match seal {
        Seal::Ended(state) => format!("it has ended as {state}"),
        Seal::Deleted => "it was deleted".to_owned(),
    }
}
