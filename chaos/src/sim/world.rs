//! What all clients of a history share: the stores, the weather, and what is written down.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lucihub_hot::embedded::{EmbeddedHot, EmbeddedOptions};
use lucihub_models_core::RunId;
use lucihub_models_core::hot::HotStore;
use lucihub_testkit::Dice;
use lucihub_testkit::reference::cold::ReferenceCold;
use tokio::time::Instant;

use super::clock::SimClock;
use super::mutants::{Broken, Mutant};
use super::plan::Plan;
use super::trace::{Step, Trace};
use super::truth::Truth;
use super::weather::Weather;
use crate::gates::{Findings, Gate};
use crate::ledger::{Ledger, What};

/// A history in progress.
pub(crate) struct World {
    pub(crate) plan: Plan,
    /// Hot storage as it is, for the nemesis.
    pub(crate) raw: Arc<EmbeddedHot>,
    /// Hot storage as clients find it: with a defect, if that is what is tried.
    pub(crate) hot: Arc<dyn HotStore>,
    pub(crate) cold: Arc<ReferenceCold>,
    pub(crate) weather: Weather,
    begun: Instant,
    notes: Mutex<Notes>,
}

/// What is written down.
#[derive(Default)]
struct Notes {
    ledger: Ledger,
    findings: Findings,
    trace: Trace,
    about: String,
    clients: Vec<(String, Arc<SimClock>)>,
    truth: BTreeMap<RunId, Truth>,
    keepers_say: String,
}

impl World {
    /// The stores of a history, empty.
    pub(crate) fn new(plan: Plan, mutant: Option<Mutant>) -> Arc<Self> {
        let begun = Instant::now();
        let clock = Arc::new(SimClock::new(begun));
        let options = EmbeddedOptions::default().with_max_bytes(plan.max_bytes);
        let raw = Arc::new(EmbeddedHot::new(options, clock.clone()));
        let hot: Arc<dyn HotStore> = match mutant {
            Some(mutant) => Arc::new(Broken::new(raw.clone(), mutant)),
            None => raw.clone(),
        };
        let cold = Arc::new(ReferenceCold::new(clock));
        let nemesis = ("nemesis".to_owned(), Arc::new(SimClock::new(begun)));
        let notes = Mutex::new(Notes { clients: vec![nemesis], ..Notes::default() });
        Arc::new(Self { weather: Weather::new(plan.rates), plan, raw, hot, cold, begun, notes })
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        // A panic is a finding of its own; what was written down until then stays.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new client. Returns its number.
    pub(crate) fn enter(&self, name: String) -> u16 {
        let mut notes = self.notes();
        notes.clients.push((name, Arc::new(SimClock::new(self.begun))));
        u16::try_from(notes.clients.len() - 1).unwrap_or(u16::MAX)
    }

    /// The clock of a client's machine.
    pub(crate) fn clock_of(&self, client: u16) -> Arc<SimClock> {
        let notes = self.notes();
        notes.clients.get(usize::from(client)).unwrap_or(&notes.clients[0]).1.clone()
    }

    /// One of the clients that there have been, of a kind if there is one.
    pub(crate) fn some_client(&self, dice: &Dice, kind: &str) -> u16 {
        let notes = self.notes();
        let all: Vec<usize> = (1..notes.clients.len()).filter(|no| notes.clients[*no].0.starts_with(kind)).collect();
        let drawn = usize::try_from(dice.below(all.len() as u64)).unwrap_or(0);
        all.get(drawn).and_then(|no| u16::try_from(*no).ok()).unwrap_or(0)
    }

    /// Whether a client is a keeper.
    pub(crate) fn is_keeper(&self, client: u16) -> bool {
        self.notes().clients.get(usize::from(client)).is_some_and(|(name, _)| name.starts_with("keeper"))
    }

    /// How long the history has lasted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// A step of the trace.
    pub(crate) fn step(&self, client: u16, call: &'static str, run: Option<RunId>, said: &'static str, number: u64) {
        let at = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        let run = run.and_then(|run| self.plan.runs.iter().position(|plan| plan.id == run));
        let run = run.and_then(|run| u8::try_from(run).ok()).unwrap_or(u8::MAX);
        let mut notes = self.notes();
        let words = std::mem::take(&mut notes.about);
        notes.trace.add(Step { at, client, call, run, said, number, words });
    }

    /// More about the next step, where the trace is for people.
    pub(crate) fn about(&self, words: impl FnOnce() -> String) {
        if super::wants_trace() {
            let words = words();
            self.notes().about = words;
        }
    }

    /// A line of the ledger.
    pub(crate) fn enter_line(&self, run: RunId, client: u16, what: What) {
        self.notes().ledger.add(run, client, what);
    }

    /// Reads the ledger.
    pub(crate) fn ledger<T>(&self, read: impl FnOnce(&Ledger) -> T) -> T {
        read(&self.notes().ledger)
    }

    /// Something happened that must not.
    pub(crate) fn find(&self, gate: Gate, what: impl Into<String>) {
        let what = what.into();
        self.step(0, "found", None, gate.name(), 0);
        self.notes().findings.add(gate, format!("seed {}: {what}", self.plan.seed));
    }

    /// What was found.
    pub(crate) fn findings(&self) -> Findings {
        self.notes().findings.clone()
    }

    /// Looks at what is true of a run, or changes it.
    pub(crate) fn truth<T>(&self, run: RunId, with: impl FnOnce(&mut Truth) -> T) -> T {
        with(self.notes().truth.entry(run).or_default())
    }

    /// The last thing that a keeper could not do.
    pub(crate) fn keepers_say(&self) -> String {
        self.notes().keepers_say.clone()
    }

    /// A keeper could not do something.
    pub(crate) fn keeper_says(&self, words: String) {
        self.notes().keepers_say = words;
    }

    /// The trace's hash, its length, and itself in words.
    pub(crate) fn trace(&self) -> (u64, usize, String) {
        let notes = self.notes();
        let names: Vec<String> = notes.clients.iter().map(|(name, _)| name.clone()).collect();
        let text =
            if notes.findings.is_empty() && !super::wants_trace() { String::new() } else { notes.trace.text(&names) };
        (notes.trace.hash(), notes.trace.len(), text)
    }
}
