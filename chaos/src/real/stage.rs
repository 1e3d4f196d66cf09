//! What everybody in a round shares: the runs, the ledger, what was found, what was done.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lucihub_models_core::RunId;
use lucihub_store::{Store, Urls};
use lucihub_testkit::Dice;

use super::ledger::{Ledger, now};
use crate::gates::{Findings, Gate};

/// How long anything may take before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Where servers are reached.
#[derive(Debug, Clone)]
pub(crate) struct Doors {
    /// Hot storage, for workers.
    pub(crate) workers: String,
    /// Both, for the API, readers, followers and keepers.
    pub(crate) hot: String,
    pub(crate) cold: String,
    /// PostgreSQL itself, for raw clients.
    pub(crate) raw_cold: String,
}

/// What everybody shares.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) doors: Doors,
    pub(crate) dice: Dice,
    pub(crate) ledger: Arc<Ledger>,
    /// Whether no new run is to begin.
    pub(crate) closing: AtomicBool,
    /// Whether readers, followers and keepers are to end.
    pub(crate) over: AtomicBool,
    findings: Mutex<Findings>,
    runs: Mutex<Vec<RunId>>,
    /// And since when.
    deleted: Mutex<BTreeMap<RunId, u64>>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    clients: AtomicU64,
    begun: Instant,
}

impl Stage {
    pub(crate) fn new(doors: Doors, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            doors,
            dice: Dice::new(seed),
            ledger: Arc::default(),
            closing: AtomicBool::new(false),
            over: AtomicBool::new(false),
            findings: Mutex::default(),
            runs: Mutex::default(),
            deleted: Mutex::default(),
            counts: Mutex::default(),
            clients: AtomicU64::new(0),
            begun: Instant::now(),
        })
    }

    /// Opens a store of its own, as a process has one.
    pub(crate) async fn open(&self) -> Result<Store> {
        let begun = Instant::now();
        loop {
            match Store::open(&Urls::new(&self.doors.hot, &self.doors.cold)).await {
                Ok(store) => return Ok(store),
                Err(error) if begun.elapsed() > PATIENCE => return Err(error).context("a store does not open"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub(crate) fn found(&self, gate: Gate, what: impl Into<String>) {
        locked(&self.findings).add(gate, what);
    }

    /// Judges with a checker that adds to what was found.
    pub(crate) fn judge(&self, judge: impl FnOnce(&mut Findings)) {
        judge(&mut locked(&self.findings));
    }

    pub(crate) fn findings(&self) -> Findings {
        locked(&self.findings).clone()
    }

    pub(crate) fn add_run(&self, run: RunId) {
        locked(&self.runs).push(run);
    }

    pub(crate) fn runs(&self) -> Vec<RunId> {
        locked(&self.runs).clone()
    }

    /// From now on nobody needs to find it.
    pub(crate) fn deletes(&self, run: RunId) {
        locked(&self.deleted).insert(run, now());
    }

    pub(crate) fn is_deleted(&self, run: RunId) -> bool {
        locked(&self.deleted).contains_key(&run)
    }

    /// Whether hot storage may have lost that it was deleted.
    pub(crate) fn may_be_back(&self, run: RunId) -> bool {
        let deleted = locked(&self.deleted).get(&run).copied();
        deleted.is_some_and(|at| self.ledger.losses(run).iter().any(|loss| loss.until >= at))
    }

    pub(crate) fn count(&self, what: &'static str, more: u64) {
        *locked(&self.counts).entry(what).or_default() += more;
    }

    /// Keeps the largest of a figure.
    pub(crate) fn most(&self, what: &'static str, value: u64) {
        let mut counts = locked(&self.counts);
        let most = counts.entry(what).or_default();
        *most = value.max(*most);
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        locked(&self.counts).clone()
    }

    /// Says on the terminal what happens, and when.
    pub(crate) fn note(&self, what: &str) {
        eprintln!("real: {:6.1} s: {what}", self.begun.elapsed().as_secs_f64());
    }

    /// A number for a process, by which the ledger knows it.
    pub(crate) fn next_client(&self) -> u64 {
        self.clients.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits with the limit; what hangs is named.
pub(crate) async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.with_context(|| format!("not in {PATIENCE:?}: {what}"))
}
