//! Workers: processes of their own, so that they die as processes do.
//!
//! A worker says what it was told, a word each, and the supervisor puts that into the ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lucihub_models_core::{IdSource, Positions, RunId, RunState, SystemIds, WriterId};
use lucihub_store::record::End;
use lucihub_store::{RecordError, RecordOptions, Recorder, Store, Urls};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::child::{Child, Role, Words, say, say_or_end};
use super::ledger::{Entry, Ledger, Outcome, now};
use super::noting::{Note, Noting};
use crate::signal;

/// Samples of a channel that are pushed together.
pub(crate) const CHUNK: u64 = 100;
/// Chunks between two flushes.
const GROUP: u64 = 4;
/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(100);
/// How long a lease lasts.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// What a worker is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) hot: String,
    /// Where it asks about its run before it puts that back. Without, it cannot know what an emptied store forgot.
    pub(crate) cold: Option<String>,
    pub(crate) name: String,
    pub(crate) run: RunId,
    pub(crate) writer: String,
    pub(crate) samples: u64,
    /// Milliseconds between two groups.
    pub(crate) pace: u64,
}

/// What a worker says.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Word {
    Note(Note),
    Taken { since: u64, from: Positions },
    Pushed { since: u64, from: Positions, to: Positions },
    Ok { since: u64, from: Positions, to: Positions },
    Confirmed { to: Positions },
    Ended { since: u64, state: String, from: Positions, to: Positions },
    Fail { why: String },
    Stats { batches: u64, retries: u64, restores: u64 },
}

/// The whole life of a worker.
///
/// # Errors
/// Where something hangs, or the supervisor does not listen.
pub(crate) async fn record(task: &Task) -> Result<()> {
    let Some((recorder, since)) = in_time("taking over", take(task)).await?? else { return Ok(()) };
    say(&Word::Taken { since, from: recorder.next() })?;
    if let Err(error) = in_time("recording", push_all(task, &recorder)).await? {
        say(&Word::Fail { why: error.to_string() })?;
    }
    let stats = recorder.stats();
    say(&Word::Stats { batches: stats.batches, retries: stats.retries, restores: stats.restores })
}

async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.with_context(|| format!("a worker hangs: {what}"))
}

async fn take(task: &Task) -> Result<Option<(Recorder, u64)>> {
    let writer = WriterId::from_bits(u128::from_str_radix(&task.writer, 16)?);
    let options = RecordOptions::default().with_lease(LEASE).with_writer(writer);
    let urls = match &task.cold {
        Some(cold) => Urls::new(&task.hot, cold),
        None => Urls::hot_only(&task.hot),
    };
    let store = loop {
        match Store::open(&urls).await {
            Ok(store) => break store,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let noting = Noting::new(store.hot().clone(), task.cold.is_some(), |note| say_or_end(&Word::Note(note)));
    let store = Store::new(noting, store.cold().clone());
    let begun = Instant::now();
    loop {
        let since = now();
        match store.record_with(task.run, &task.name, options.clone()).await {
            Ok(recorder) => return Ok(Some((recorder, since))),
            Err(refused @ (RecordError::Held { .. } | RecordError::NoRun(_) | RecordError::Store(_))) => {
                ensure!(begun.elapsed() < PATIENCE * 9 / 10, "run {} is not to be had: {refused}", task.run);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => {
                say(&Word::Fail { why: error.to_string() })?;
                return Ok(None);
            }
        }
    }
}

async fn push_all(task: &Task, recorder: &Recorder) -> Result<()> {
    let run = recorder.run();
    let channels = u32::try_from(recorder.head().channels.len())?;
    recorder.state(RunState::InProgress).await?;
    let mut state = RunState::Succeeded;
    while reached(recorder, channels) < task.samples {
        if recorder.cancel_requested() {
            state = RunState::Cancelled;
            break;
        }
        let (since, from) = (now(), recorder.next());
        for _ in 0..GROUP {
            let target = (reached(recorder, channels) / CHUNK + 1) * CHUNK;
            for channel in 0..channels {
                let first = recorder.next().sample(channel);
                let values: Vec<f64> = (first..target).map(|index| signal::sample(run, channel, index)).collect();
                if !values.is_empty() {
                    recorder.samples(channel, first, &values).await?;
                }
            }
            while recorder.next().lines < target / CHUNK {
                let number = recorder.next().lines;
                recorder.log(signal::line(run, number)).await?;
            }
        }
        let to = recorder.next();
        say(&Word::Pushed { since, from: from.clone(), to: to.clone() })?;
        recorder.flush().await?;
        say(&Word::Ok { since, from, to })?;
        say(&Word::Confirmed { to: recorder.confirmed() })?;
        tokio::time::sleep(Duration::from_millis(task.pace)).await;
    }
    let (since, from) = (now(), recorder.next());
    let to = recorder.finish(state.clone(), End::default()).await?;
    say(&Word::Ended { since, state: state.as_str().to_owned(), from, to })
}

/// How far the channel is that is behind.
fn reached(recorder: &Recorder, channels: u32) -> u64 {
    let next = recorder.next();
    (0..channels).map(|channel| next.sample(channel)).min().unwrap_or(0)
}

/// A worker's process; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child<Heard>,
    taken: Arc<AtomicBool>,
}

/// What was heard of a worker.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Heard {
    pub(crate) taken: bool,
    pub(crate) ended: bool,
    pub(crate) batches: u64,
    pub(crate) retries: u64,
    pub(crate) restores: u64,
    /// The longest time between sending and an answer, microseconds.
    pub(crate) stall: u64,
}

impl Worker {
    /// Starts one.
    pub(crate) fn start(task: Task, number: u64, ledger: &Arc<Ledger>) -> Result<Self> {
        let (ledger, run, taken) = (ledger.clone(), task.run, Arc::<AtomicBool>::default());
        let taking = taken.clone();
        let child = Child::start(&Role::Worker(task), move |words| listen(words, run, number, &ledger, &taking))?;
        Ok(Self { child, taken })
    }

    /// Freezes it.
    pub(crate) fn stop(&self) {
        self.child.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn cont(&self) {
        self.child.signal(Signal::CONT);
    }

    /// Whether it has its run.
    pub(crate) fn has_taken(&self) -> bool {
        self.taken.load(Ordering::SeqCst)
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        self.child.has_ended()
    }

    /// Kills it where it still runs, and returns what was heard of it.
    pub(crate) fn end(self) -> Result<Heard> {
        self.child.end()
    }
}

fn listen(words: Words, run: RunId, worker: u64, ledger: &Ledger, taken: &AtomicBool) -> Heard {
    let mut heard = Heard::default();
    for word in words.all() {
        let at = now();
        let none = Positions::default;
        let (since, from, to, outcome) = match word {
            Word::Taken { since, from } => {
                heard.taken = true;
                taken.store(true, Ordering::SeqCst);
                (since, from.clone(), from, Outcome::Taken)
            }
            Word::Pushed { since, from, to } => (since, from, to, Outcome::Unknown),
            Word::Ok { since, from, to } => {
                heard.stall = heard.stall.max(at.saturating_sub(since));
                (since, from, to, Outcome::Ok)
            }
            Word::Confirmed { to } => (at, none(), to, Outcome::Confirmed),
            Word::Ended { since, state, from, to } => {
                heard.ended = true;
                (since, from, to, Outcome::Ended(state))
            }
            Word::Fail { why } => (at, none(), none(), Outcome::Fail(why)),
            Word::Stats { batches, retries, restores } => {
                (heard.batches, heard.retries, heard.restores) = (batches, retries, restores);
                continue;
            }
            Word::Note(note) => {
                ledger.note(worker, note);
                continue;
            }
        };
        ledger.add(Entry { run, worker, since, at, from, to, outcome });
    }
    heard
}

/// A writer id nobody has.
pub(crate) fn new_writer() -> String {
    SystemIds.writer_id().to_string()
}
