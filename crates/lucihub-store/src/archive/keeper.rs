//! The keeper's loop.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};
use lucihub_models_core::cold::PendingRun;
use lucihub_models_core::{DeviceId, Digest, Positions, Result, RunId, StoreError, Timestamp, WriterId};
use tokio::time::Instant;
use tracing::Instrument;

use super::ahead::Verified;
use super::fill::Fill;
use super::options::KeeperOptions;
use super::stops::Stopped;
use super::tails::{Room, Tails};
use super::turns::Turns;
use crate::devices::registry_entry;
use crate::observe::keeping;
use crate::store::Store;

/// Moves runs from hot to cold storage.
///
/// ```no_run
/// # async fn f(store: lucihub_store::Store) -> Result<(), lucihub_models_core::StoreError> {
/// use lucihub_store::{Keeper, KeeperOptions};
/// let keeper = Keeper::new(store, KeeperOptions::default());
/// let report = keeper.walk().await?; // once; or `keeper.watch(shutdown)` for ever
/// println!("{} archived", report.archived);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Keeper {
    pub(super) store: Store,
    pub(super) options: KeeperOptions,
    pub(super) writer: WriterId,
    /// What this keeper remembers of live runs: hints that make it quick. Nothing
    /// depends on them.
    pub(super) memory: Mutex<HashMap<RunId, Memory>>,
    pub(super) room: Room,
    pub(super) fill: Fill,
    turns: Turns,
    seen: Mutex<HashMap<DeviceId, Seen>>,
}

/// What a keeper remembers of a live run.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// When it last wrote a checkpoint, by hot storage's clock, as all times here.
    pub(super) checkpointed_at: Option<Timestamp>,
    /// What was confirmed when, oldest first: what is old enough may be trimmed.
    pub(super) confirmed: Vec<(Timestamp, Positions)>,
    /// What was read back of it already.
    pub(super) verified: Verified,
    /// What is encoded of the cells that grow.
    pub(super) tails: Tails,
    /// Where its columns go no further.
    pub(super) stopped: Stopped,
    /// Up to when all that hot storage had was in cold storage, by hot storage's clock.
    pub(super) safe_until: Option<Timestamp>,
    /// How old the oldest content may have been at the last look that only hot storage had.
    pub(super) lag: Duration,
    /// Which of its events cold storage has, as a digest of their ids.
    pub(super) carried: Option<Digest>,
    /// When its attachments were last looked at.
    pub(super) attachments_at: Option<Timestamp>,
    /// Since when hot storage has not had it, by no clock.
    pub(super) lost_since: Option<Instant>,
    /// The end of a lease that has run out, and when that was first seen.
    pub(super) run_out: Option<(Timestamp, Timestamp)>,
}

/// When a device was last seen, and the digest of its entity then.
type Seen = (Timestamp, Option<String>);

/// What a walk did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct WalkReport {
    /// Runs opened in hot storage.
    pub opened: u64,
    /// Runs whose mirror moved.
    pub mirrored: u64,
    /// Checkpoints written.
    pub checkpoints: u64,
    /// Runs failed because their worker died.
    pub failed: u64,
    /// Runs put back into hot storage after it had lost them.
    pub rescued: u64,
    /// Attachments moved to cold storage.
    pub attachments: u64,
    /// Runs archived.
    pub archived: u64,
    /// Archived runs that hot storage will let go of.
    pub expired: u64,
    /// Devices entered or renewed in the registry.
    pub devices: u64,
    /// What went wrong, by run. The next walk tries again.
    pub errors: Vec<(RunId, StoreError)>,
    /// Why active devices could not all be entered. The next walk tries again.
    pub devices_error: Option<StoreError>,
}

impl WalkReport {
    fn add(&mut self, other: Self) {
        let Self {
            opened,
            mirrored,
            checkpoints,
            failed,
            rescued,
            attachments,
            archived,
            expired,
            devices,
            errors,
            devices_error,
        } = other;
        self.opened += opened;
        self.mirrored += mirrored;
        self.checkpoints += checkpoints;
        self.failed += failed;
        self.rescued += rescued;
        self.attachments += attachments;
        self.archived += archived;
        self.expired += expired;
        self.devices += devices;
        self.errors.extend(errors);
        self.devices_error = self.devices_error.take().or(devices_error);
    }
}

impl Keeper {
    /// A keeper of a store.
    #[must_use]
    pub fn new(store: Store, options: KeeperOptions) -> Self {
        let writer = store.ids().writer_id();
        Self {
            store,
            options,
            writer,
            memory: Mutex::default(),
            room: Room::default(),
            fill: Fill::default(),
            turns: Turns::default(),
            seen: Mutex::default(),
        }
    }

    /// Attends once to every run that is not yet archived and released, and
    /// enters active devices into the registry.
    ///
    /// # Errors
    /// When the pending runs cannot be read. Failures of single runs and of the
    /// registry are in the report.
    pub async fn walk(&self) -> Result<WalkReport> {
        keeping::walk(self.walk_pending()).await
    }

    async fn walk_pending(&self) -> Result<WalkReport> {
        const PAGE: usize = 500;
        self.fill.forget();
        let mut report = WalkReport::default();
        let mut after: Option<PendingRun> = None;
        let mut open = Vec::new();
        loop {
            let page = self.store.cold().pending(after, PAGE).await?;
            after = page.last().copied();
            let runs: Vec<RunId> = page.iter().map(|pending| pending.id).collect();
            report.add(self.attend_all(runs.clone()).await);
            open.extend(runs);
            if page.len() < PAGE {
                break;
            }
        }
        // Runs that ended elsewhere, or were deleted, are forgotten.
        let open: std::collections::HashSet<RunId> = open.into_iter().collect();
        let lag = {
            let mut memory = self.memory();
            memory.retain(|run, _| open.contains(run));
            memory.values().map(|memory| memory.lag).max().unwrap_or_default()
        };
        keeping::walked(open.len(), lag);
        // Last, so that a device that cannot be entered keeps no run waiting.
        match self.register_devices(&mut report).await {
            Ok(()) => {
                if let Ok(health) = self.store.hot().health().await {
                    keeping::hot(&health);
                }
            }
            // Hot storage that is away is not waited for once more.
            Err(error) => report.devices_error = Some(error),
        }
        Ok(report)
    }

    /// Walks until `stop` is ready: every [`KeeperOptions::walk`], and attends at once to what hot storage wakes it for.
    /// `report` sees what each walk and each wake-up came to. What is under way when it stops comes to its end.
    pub async fn watch(&self, stop: impl Future<Output = ()>, mut report: impl FnMut(Result<WalkReport>)) {
        tokio::pin!(stop);
        let mut wakes = self.store.hot().wakes();
        let mut walk = tokio::time::interval(self.options.walk);
        walk.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut walking, mut woken) = (FuturesUnordered::new(), FuturesUnordered::new());
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(walked) = walking.next() => report(walked),
                Some(attended) = woken.next() => report(Ok(attended)),
                _ = walk.tick(), if walking.is_empty() => walking.push(self.walk()),
                Some(run) = wakes.next(), if woken.len() < self.options.at_once.max(1) => {
                    woken.push(self.attend_all(vec![run]));
                }
            }
        }
        while let Some(attended) = woken.next().await {
            report(Ok(attended));
        }
        while let Some(walked) = walking.next().await {
            report(walked);
        }
    }

    async fn attend_all(&self, runs: Vec<RunId>) -> WalkReport {
        stream::iter(runs)
            .map(|run| self.attend_in_turn(run))
            .buffer_unordered(self.options.at_once.max(1))
            .fold(WalkReport::default(), |mut all, one| async move {
                all.add(one);
                all
            })
            .await
    }

    /// Attends to a run, unless this keeper does so already: then that takes one look more.
    async fn attend_in_turn(&self, run: RunId) -> WalkReport {
        let mut report = WalkReport::default();
        let mut turn = self.turns.begin(run);
        while let Some(present) = turn {
            if let Err(error) = self.attend(run, &mut report).instrument(keeping::attend(run)).await {
                self.failed(run, error, &mut report).await;
            }
            turn = present.end();
        }
        keeping::attended(run, &report);
        report
    }

    async fn failed(&self, run: RunId, error: StoreError, report: &mut WalkReport) {
        // Where this keeper gets no answer, its worker may get none either: it has the time anew. What cannot be read was
        // an answer.
        let clear = |memory: &mut Memory| {
            memory.lost_since = None;
            memory.run_out = memory.run_out.filter(|_| error.is_unreadable());
        };
        clear(self.memory().entry(run).or_default());
        // Deleted meanwhile, or just being deleted, whatever the error made of it: nothing is left to do.
        let gone = matches!(self.store.cold().get(run).await, Ok(None));
        if !gone && !matches!(self.is_deleted(run).await, Ok(true)) {
            report.errors.push((run, error));
        }
    }

    async fn register_devices(&self, report: &mut WalkReport) -> Result<()> {
        for active in self.store.hot().active().await? {
            let known = self.seen().get(&active.seen.id).cloned();
            if known.as_ref().is_none_or(|(at, _)| *at < active.seen_at) {
                let entry = registry_entry(&active);
                self.store.cold().put_seen(&entry).await?;
                if known.and_then(|(_, digest)| digest) != entry.entity_digest {
                    self.keep_entity(&active).await?;
                }
                self.seen().insert(entry.id, (entry.seen_at, entry.entity_digest));
                report.devices += 1;
            }
        }
        Ok(())
    }

    /// What is remembered. A panic while it was held leaves it usable: it is hints.
    pub(super) fn memory(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Memory>> {
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<DeviceId, Seen>> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
