//! A cold store of plain maps: the oracle of the suite and the store of simulations.

mod archive;
mod attachments;
mod devices;
mod events;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use lucihub_models_core::cold::{Archived, ColdRun, ColdRuns, ColdUsage, Created, PendingRun, Quota, RunUpdate, Usage};
use lucihub_models_core::{
    Clock, Device, DeviceId, DeviceType, Invalid, Limits, LogCell, Order, PageCursor, PageRequest, Positions, Result,
    RunFilter, RunHead, RunId, RunPage, RunPrefix, RunSummary, SampleCell, StoreError, StoreEvent, Timestamp,
};

/// A cold store of plain maps behind one lock: no codec, no threads, no order
/// of its own, so that the same calls always give the same answers.
///
/// Lists walk all runs; it is written to be obviously right, not to be fast.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use lucihub_models_core::{Clock, JobType, RunHead, cold::{ColdRuns, Created}};
/// use lucihub_testkit::{ManualClock, reference::cold::ReferenceCold};
///
/// let clock = Arc::new(ManualClock::new());
/// let store = ReferenceCold::new(clock.clone());
/// let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
/// let head = RunHead::queued(id, JobType::Run, clock.now());
/// assert_eq!(store.create(&head).await.unwrap(), Created::Created);
/// assert_eq!(store.get(id).await.unwrap().unwrap().head, head);
/// # });
/// ```
pub struct ReferenceCold {
    clock: Arc<dyn Clock>,
    limits: Limits,
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    runs: BTreeMap<RunId, Row>,
    devices: BTreeMap<DeviceId, Device>,
    /// Owner and kind of device, and the minutes in which runs were created.
    usage: BTreeMap<(String, Option<DeviceType>), Vec<Timestamp>>,
    attachments: attachments::Attachments,
}

struct Row {
    /// What it was created with: a repeated `create` is compared with this.
    born: RunHead,
    head: RunHead,
    positions: Positions,
    mirrored_at: Timestamp,
    archived: Option<Archived>,
    released: bool,
    lines: BTreeMap<u64, LogCell>,
    samples: BTreeMap<(u32, u64), SampleCell>,
    events: Vec<StoreEvent>,
}

impl ReferenceCold {
    /// An empty store with the documented limits.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, limits: Limits::default(), tables: Mutex::default() }
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// When a run's head was last written by create, mirror or commit, by the
    /// store's clock: simulations measure the lag of the mirror with it.
    #[must_use]
    pub fn mirrored_at(&self, run: RunId) -> Option<Timestamp> {
        self.tables().runs.get(&run).map(|row| row.mirrored_at)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Nothing panics while it is held, and every write is one step.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_page(&self, limit: usize) -> Result<(), Invalid> {
        if (1..=self.limits.page).contains(&limit) {
            return Ok(());
        }
        Err(Invalid::new("page", format!("{limit} items")).hint(format!("use 1 to {}", self.limits.page)))
    }
}

impl fmt::Debug for ReferenceCold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.tables();
        f.debug_struct("ReferenceCold")
            .field("runs", &tables.runs.len())
            .field("devices", &tables.devices.len())
            .finish_non_exhaustive()
    }
}

impl Tables {
    fn run(&mut self, run: RunId) -> Result<&mut Row> {
        self.runs.get_mut(&run).ok_or_else(|| StoreError::not_found(format!("run {run}")))
    }

    fn by_creation(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.runs.values().collect();
        rows.sort_by_key(|row| row.place());
        rows
    }
}

impl Row {
    fn new(head: &RunHead, now: Timestamp) -> Self {
        Self {
            born: head.clone(),
            head: head.clone(),
            positions: Positions { states: head.states.len() as u64, ..Positions::default() },
            mirrored_at: now,
            archived: None,
            released: false,
            lines: BTreeMap::new(),
            samples: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    fn place(&self) -> (Timestamp, RunId) {
        (self.head.created_at, self.head.id)
    }

    /// A head with no fewer states than are there, of a run that is not archived.
    fn mirror(&mut self, head: &RunHead, now: Timestamp) {
        if self.archived.is_none() && head.states.len() >= self.head.states.len() {
            self.replace_head(head, now);
        }
    }

    /// Labels are people's, here: a head from the worker's side never brings any.
    fn replace_head(&mut self, head: &RunHead, now: Timestamp) {
        let labels = std::mem::take(&mut self.head.labels);
        self.head = head.clone();
        self.head.labels = labels;
        self.positions.states = head.states.len() as u64;
        self.positions.phases = head.phases.len() as u64;
        self.mirrored_at = now;
    }

    fn matches(&self, filter: &RunFilter) -> bool {
        fn has<T: PartialEq>(wanted: Option<&Vec<T>>, value: Option<&T>) -> bool {
            wanted.is_none_or(|list| value.is_some_and(|value| list.contains(value)))
        }
        let head = &self.head;
        has(filter.owners.as_ref(), head.owner.as_ref())
            && has(filter.devices.as_ref(), head.device.as_ref())
            && has(filter.device_types.as_ref(), head.device_type.as_ref())
            && has(filter.job_types.as_ref(), Some(&head.job_type))
            && has(filter.states.as_ref(), Some(head.state()))
            && filter.labels.iter().all(|(name, values)| has(Some(values), head.labels.get(name)))
            && filter.related_to.as_ref().is_none_or(|runs| head.related_to.iter().any(|r| runs.contains(&r.run)))
            && filter.created_from.is_none_or(|from| head.created_at >= from)
            && filter.created_to.is_none_or(|to| head.created_at <= to)
    }
}

impl ReferenceCold {
    fn create_counted(&self, head: &RunHead, quota: Option<&Quota>) -> Result<Created> {
        head.check_new(&self.limits)?;
        let now = self.clock.now();
        let mut tables = self.tables();
        match tables.runs.get(&head.id) {
            Some(row) if row.born == *head => Ok(Created::Existing),
            Some(_) => Err(StoreError::AlreadyExists { what: format!("run {}", head.id) }),
            None => {
                if let Some(owner) = head.owner.clone() {
                    let minutes = tables.usage.entry((owner, head.device_type.clone())).or_default();
                    quota.map_or(Ok(()), |quota| quota.check(&used(head.device_type.clone(), minutes, now)))?;
                    minutes.push(Usage::minute(now));
                }
                tables.runs.insert(head.id, Row::new(head, now));
                Ok(Created::Created)
            }
        }
    }
}

fn used(device_type: Option<DeviceType>, minutes: &[Timestamp], now: Timestamp) -> Usage {
    let mut usage = Usage { device_type, last_hour: 0, last_day: 0 };
    minutes.iter().for_each(|minute| usage.add(*minute, 1, now));
    usage
}

#[async_trait]
impl ColdUsage for ReferenceCold {
    async fn create_within(&self, head: &RunHead, quota: &Quota) -> Result<Created> {
        if head.owner.is_none() {
            return Err(Invalid::new("owner", "a quota is somebody's")
                .hint("give the run an owner, or no quota")
                .into());
        }
        self.create_counted(head, Some(quota))
    }

    async fn usage(&self, owner: &str) -> Result<Vec<Usage>> {
        let now = self.clock.now();
        let tables = self.tables();
        let mut all: Vec<Usage> = tables
            .usage
            .iter()
            .filter(|((whose, _), _)| whose == owner)
            .map(|((_, kind), minutes)| used(kind.clone(), minutes, now))
            .filter(|usage| usage.last_day > 0)
            .collect();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(all)
    }
}

#[async_trait]
impl ColdRuns for ReferenceCold {
    async fn create(&self, head: &RunHead) -> Result<Created> {
        self.create_counted(head, None)
    }

    async fn get(&self, run: RunId) -> Result<Option<ColdRun>> {
        Ok(self.tables().runs.get(&run).map(|row| ColdRun {
            head: row.head.clone(),
            positions: row.positions.clone(),
            archived: row.archived,
        }))
    }

    async fn update(&self, run: RunId, update: &RunUpdate) -> Result<()> {
        let RunUpdate { labels, output, error } = update.clone();
        let mut tables = self.tables();
        let row = tables.run(run)?;
        if row.archived.is_none() && (output.is_some() || error.is_some()) {
            let why = "its worker writes output and error until it is archived; wait for that";
            return Err(StoreError::precondition(format!("run {run}"), why));
        }
        let mut head = row.head.clone();
        head.labels = labels.unwrap_or(head.labels);
        head.output = output.or(head.output);
        head.error = error.or(head.error);
        head.check(&self.limits)?;
        row.head = head;
        Ok(())
    }

    async fn list(&self, filter: &RunFilter, page: &PageRequest) -> Result<RunPage> {
        page.check(filter, &self.limits)?;
        let tables = self.tables();
        let mut rows = tables.by_creation();
        if page.order == Order::Newest {
            rows.reverse();
        }
        let after = |row: &&&Row| match (page.after.map(|cursor| (cursor.created_at(), cursor.id())), page.order) {
            (None, _) => true,
            (Some(last), Order::Newest) => row.place() < last,
            (Some(last), Order::Oldest) => row.place() > last,
        };
        rows.retain(|row| row.matches(filter));
        let total = page.total.then_some(rows.len() as u64);
        let found: Vec<&Row> = rows.iter().filter(after).skip(page.offset).copied().collect();
        let runs: Vec<RunSummary> = found
            .iter()
            .take(page.limit)
            .map(|row| RunSummary::of(&row.head, row.archived.map(|archived| archived.at)))
            .collect();
        let last = runs.last().map(|run| PageCursor::new(filter, page.order, run.created_at, run.id));
        Ok(RunPage { next: last.filter(|_| found.len() > runs.len()), runs, total })
    }

    async fn ids(&self, prefix: &RunPrefix, limit: usize) -> Result<Vec<RunId>> {
        let tables = self.tables();
        let mut ids: Vec<RunId> = tables.by_creation().iter().map(|row| row.head.id).collect();
        ids.retain(|id| prefix.begins(*id));
        ids.sort_unstable();
        ids.truncate(limit);
        Ok(ids)
    }

    async fn pending(&self, after: Option<PendingRun>, limit: usize) -> Result<Vec<PendingRun>> {
        let after = after.map(|last| (last.created_at, last.id));
        let tables = self.tables();
        let rows = tables.by_creation();
        let open = rows.iter().filter(|row| !row.released && after.is_none_or(|last| row.place() > last));
        Ok(open
            .take(limit)
            .map(|row| PendingRun {
                id: row.head.id,
                created_at: row.head.created_at,
                states: row.head.states.len() as u64,
            })
            .collect())
    }

    async fn delete(&self, run: RunId) -> Result<bool> {
        let mut tables = self.tables();
        tables.drop_attachments(&run.into());
        Ok(tables.runs.remove(&run).is_some())
    }
}
