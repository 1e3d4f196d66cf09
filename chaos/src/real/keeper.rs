//! Keepers: processes of their own, so that they are killed wherever they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use lucihub_models_core::StoreError;
use lucihub_store::archive::WalkReport;
use lucihub_store::{KeeperOptions, Store, Urls};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::child::{Child, Role, Words, say, say_or_end};
use super::noting::{Note, Noting};
use super::stage::{PATIENCE, Stage};
use crate::gates::Gate;

/// What a keeper is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    hot: String,
    cold: String,
    /// Which of them: each has other settings.
    number: u32,
}

/// What a keeper says.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    /// It has both storages.
    Open,
    Note(Note),
    Walked(Walked),
}

/// What came of a walk.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Walked {
    refused: u64,
    checkpoints: u64,
    archived: u64,
    failed: u64,
    rescued: u64,
    errors: u64,
    /// Errors that no fault of a server excuses.
    wrong: Vec<String>,
}

impl From<Result<WalkReport, StoreError>> for Walked {
    fn from(report: Result<WalkReport, StoreError>) -> Self {
        let Ok(report) = report else { return Self { refused: 1, ..Self::default() } };
        let is_wrong = |error: &StoreError| matches!(error, StoreError::Corrupt { .. } | StoreError::Invalid(_));
        let wrong = report.errors.iter().filter(|(_, error)| is_wrong(error));
        Self {
            refused: 0,
            checkpoints: report.checkpoints,
            archived: report.archived,
            failed: report.failed,
            rescued: report.rescued,
            errors: report.errors.len() as u64,
            wrong: wrong.map(|(run, error)| format!("keeping {run}: {error}")).collect(),
        }
    }
}

/// The whole life of a keeper: it has none of its own end.
///
/// # Errors
/// Where the storages do not open.
pub(crate) async fn keep(task: &Task) -> Result<()> {
    let opening = async {
        loop {
            match Store::open(&Urls::new(&task.hot, &task.cold)).await {
                Ok(store) => break store,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let store = tokio::time::timeout(PATIENCE, opening).await.context("a keeper's store does not open")?;
    let noting = Noting::new(store.hot().clone(), true, |note| say_or_end(&Word::Note(note)));
    let store = Store::new(noting, store.cold().clone());
    say(&Word::Open)?;
    let mut options = KeeperOptions::default()
        .with_walk(Duration::from_millis(200))
        // Others' settings are other ones: all of them must come to the same cells.
        .with_checkpoint(Duration::from_millis(150 + 250 * u64::from(task.number)), 16 * 1024)
        .with_transaction_bytes((8 * 1024) << task.number)
        .with_trim_age(Duration::from_millis(1_500 * u64::from(task.number)))
        .with_patience(Duration::from_secs(2))
        .with_lost_patience(Duration::from_secs(4));
    options.grace = Duration::from_secs(3_600);
    let keeper = lucihub_store::Keeper::new(store, options);
    keeper.watch(std::future::pending(), |report| say_or_end(&Word::Walked(report.into()))).await;
    Ok(())
}

/// A keeper's process; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    child: Child<()>,
    open: Arc<AtomicBool>,
}

impl Keeper {
    /// Starts one.
    pub(crate) fn start(stage: &Arc<Stage>, number: u32) -> Result<Self> {
        let doors = &stage.doors;
        let task = Task { hot: doors.hot.clone(), cold: doors.cold.clone(), number };
        let (stage, client, open) = (stage.clone(), stage.next_client(), Arc::<AtomicBool>::default());
        let opening = open.clone();
        let child = Child::start(&Role::Keeper(task), move |words| listen(words, client, &stage, &opening))?;
        Ok(Self { child, open })
    }

    /// Whether it has begun to work.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }

    /// Whether it has ended by itself, which none should.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        self.child.has_ended()
    }

    /// Kills it (SIGKILL), wherever it is.
    pub(crate) fn kill(&self) {
        self.child.signal(Signal::KILL);
    }

    /// Kills it where it still runs, and waits for its last word.
    pub(crate) fn end(self) -> Result<()> {
        self.child.end()
    }
}

fn listen(words: Words, client: u64, stage: &Stage, open: &AtomicBool) {
    for word in words.all() {
        match word {
            Word::Open => open.store(true, Ordering::SeqCst),
            Word::Note(note) => stage.ledger.note(client, note),
            Word::Walked(walked) => {
                stage.count("walks_refused", walked.refused);
                stage.count("checkpoints", walked.checkpoints);
                stage.count("archived", walked.archived);
                stage.count("failed_by_keepers", walked.failed);
                stage.count("rescued", walked.rescued);
                stage.count("keeper_errors", walked.errors);
                walked.wrong.into_iter().for_each(|what| stage.found(Gate::WrongReply, what));
            }
        }
    }
}
