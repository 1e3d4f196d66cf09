//! What must not happen, how often it did, and the line that says so.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

/// What must never happen. Each is counted; a history holds when all are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gate {
    /// Content that was confirmed, or acknowledged by a store that lost nothing since, is not there.
    LostDurable,
    /// A state, line or sample is there twice.
    Dup,
    /// Something between two things that are there is missing, and no gap says so.
    Holes,
    /// Two things are there in another order than they were recorded in.
    Inversions,
    /// A reader saw part of a batch, or content that does not belong where it was.
    TornReads,
    /// A writer that had been superseded was told that its batch is applied.
    FencedAccepts,
    /// Cold storage has a run, cell or line twice.
    ColdDup,
    /// A digest in the archive is not that of what is there, or two archivers disagreed.
    DigestMismatch,
    /// A run left hot storage before it was archived.
    HotExpiredUnarchived,
    /// A run that exists could not be found by a reader.
    NotFound,
    /// An answer was that of another call.
    WrongReply,
    /// Something panicked.
    Panics,
}

impl Gate {
    /// All of them, as they are printed.
    pub(crate) const ALL: [Self; 12] = [
        Self::LostDurable,
        Self::Dup,
        Self::Holes,
        Self::Inversions,
        Self::TornReads,
        Self::FencedAccepts,
        Self::ColdDup,
        Self::DigestMismatch,
        Self::HotExpiredUnarchived,
        Self::NotFound,
        Self::WrongReply,
        Self::Panics,
    ];

    /// Its name in the output.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::LostDurable => "lost_durable",
            Self::Dup => "dup",
            Self::Holes => "holes",
            Self::Inversions => "inversions",
            Self::TornReads => "torn_reads",
            Self::FencedAccepts => "fenced_accepts",
            Self::ColdDup => "cold_dup",
            Self::DigestMismatch => "digest_mismatch",
            Self::HotExpiredUnarchived => "hot_expired_unarchived",
            Self::NotFound => "not_found",
            Self::WrongReply => "wrong_reply",
            Self::Panics => "panics",
        }
    }
}

/// What was found: gates by count, and the first few of each in words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    counts: BTreeMap<Gate, u64>,
    words: Vec<String>,
}

impl Findings {
    /// Something happened that must not.
    pub(crate) fn add(&mut self, gate: Gate, what: impl Into<String>) {
        const WORDS: usize = 40;
        *self.counts.entry(gate).or_default() += 1;
        if self.words.len() < WORDS {
            self.words.push(format!("{}: {}", gate.name(), what.into()));
        }
    }

    /// Takes those of another history in.
    pub(crate) fn extend(&mut self, other: &Self) {
        for (gate, count) in &other.counts {
            *self.counts.entry(*gate).or_default() += count;
        }
        let room = 40_usize.saturating_sub(self.words.len());
        self.words.extend(other.words.iter().take(room).cloned());
    }

    /// How often something happened.
    pub(crate) fn count(&self, gate: Gate) -> u64 {
        self.counts.get(&gate).copied().unwrap_or(0)
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The first of what was found, in words.
    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }
}

/// What a level came to.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// `sim` or `real`.
    pub(crate) level: &'static str,
    /// What was found.
    pub(crate) findings: Findings,
    /// Faults that were injected, by kind, and how many of each there must be: a run that injected none shows nothing.
    pub(crate) faults: BTreeMap<&'static str, (u64, u64)>,
    /// Defects that were put in on purpose, and whether the checker noticed.
    pub(crate) mutants: BTreeMap<&'static str, bool>,
    /// Everything else that was counted or timed.
    pub(crate) figures: BTreeMap<&'static str, f64>,
}

impl Report {
    /// A level with nothing in it yet.
    pub(crate) fn new(level: &'static str) -> Self {
        let (findings, faults, mutants, figures) = Default::default();
        Self { level, findings, faults, mutants, figures }
    }

    /// Why it does not hold; empty if it does.
    pub(crate) fn failures(&self) -> Vec<String> {
        let gates = Gate::ALL.into_iter().filter(|&gate| self.findings.count(gate) > 0);
        let gates = gates.map(|gate| format!("{} is {}", gate.name(), self.findings.count(gate)));
        let faults = self.faults.iter().filter(|(_, (injected, least))| injected < least);
        let faults =
            faults.map(|(kind, (injected, least))| format!("{injected} faults of kind {kind}, {least} are asked for"));
        let mutants = self.mutants.iter().filter(|(_, caught)| !**caught);
        let mutants = mutants.map(|(name, _)| format!("the mutant {name} was not caught"));
        gates.chain(faults).chain(mutants).collect()
    }

    /// Whether every gate is zero, enough was injected, and every mutant was caught.
    pub(crate) fn holds(&self) -> bool {
        self.failures().is_empty()
    }

    fn json(&self) -> Value {
        let gates: Map<_, _> =
            Gate::ALL.into_iter().map(|gate| (gate.name().to_owned(), self.findings.count(gate).into())).collect();
        let faults = |number: fn(&(u64, u64)) -> u64| -> Map<String, Value> {
            self.faults.iter().map(|(kind, both)| ((*kind).to_owned(), number(both).into())).collect()
        };
        json!({
            "holds": self.holds(), "gates": gates, "faults": faults(|both| both.0), "least": faults(|both| both.1),
            "mutants": self.mutants, "figures": self.figures,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for word in self.findings.words() {
            writeln!(f, "{}: {word}", self.level)?;
        }
        match self.failures() {
            failures if failures.is_empty() => write!(f, "{}: every gate held", self.level),
            failures => write!(f, "{}: {}", self.level, failures.join("; ")),
        }
    }
}

/// The one line on standard output.
pub(crate) fn line(seed: u64, reports: &[Report]) -> Value {
    let mut all = Map::from_iter([("seed".to_owned(), seed.into())]);
    all.insert("holds".to_owned(), reports.iter().all(Report::holds).into());
    all.extend(reports.iter().map(|report| (report.level.to_owned(), report.json())));
    Value::Object(all)
}
