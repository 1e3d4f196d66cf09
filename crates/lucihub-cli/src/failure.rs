//! What went wrong, and the exit code that says so.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use lucihub_models_core::hot::Seal;
use lucihub_models_core::{DeviceId, Invalid, RunId, RunState, StoreError};
use lucihub_store::{RecordError, record};
use thiserror::Error;

use crate::output::counted;
use crate::record::Left;

/// What went wrong, in one line.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Usage(String),
    #[error("{0}, above")]
    NotReady(&'static str),
    /// A storage could not be opened; and where its URL was given, if that is what is wrong.
    #[error("{error}{}", from.as_ref().map_or_else(String::new, |from| format!("; the URL is that of {from}")))]
    Unopened { error: StoreError, from: Option<String> },
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("cannot {what} {}: {why}", path.display())]
    File { what: &'static str, path: PathBuf, why: io::Error },
    #[error("{} is there already; --force replaces it, --out names another", .0.display())]
    FileExists(PathBuf),
    #[error("no database at {}; `lucihub demo` makes one, or name yours with --dir or DATABASE_URL", .0.display())]
    NoDatabase(PathBuf),
    #[error("--dir and --database-url name two databases; give one of them")]
    TwoDatabases,
    #[error("`{0}` needs a Redis server that processes share; name it with REDIS_URL or --redis-url")]
    NeedsServer(&'static str),
    #[error("{0} of the runs could not be attended to; the next walk tries {them} again", them = them(*.0 as u64))]
    Unkept(usize),
    #[error(
        "no keeper archived run {run} within {seconds} s; it waits in hot storage for a `lucihub archive --watch` that \
         keeps {database}"
    )]
    Unarchived { run: RunId, database: String, seconds: u64 },
    #[error("{} of the schema, above, with what to do", counted(*.0 as u64, "problem", "problems"))]
    Schema(usize),
    #[error("nothing was changed: `{0}` loses what is stored; look with --dry-run, then confirm with --yes")]
    Unconfirmed(&'static str),
    #[error(
        "nothing was changed: `lucihub sweep --remove` loses what it removes; look without it, then confirm with --yes"
    )]
    Unswept,
    #[error("{0} of the runs could not be seen to, above; the next `{1}` tries {them} again", them = them(*.0))]
    Unsettled(u64, &'static str),
    #[error("{damaged} of {} {} damaged, above", counted(*all, "run", "runs"), if *damaged == 1 { "is" } else { "are" })]
    Damaged { damaged: u64, all: u64 },
    #[error("{input} is not valid: {}, above", counted(*.violations, "violation", "violations"))]
    NotValid { input: String, violations: u64 },
    #[error("the input of {broken} of {} is not valid, above", counted(*all, "run", "runs"))]
    NotValidStored { broken: u64, all: u64 },
    #[error("device {0} has no parameter schema; name one with --schema")]
    NoSchema(DeviceId),
    #[error("device {0} has no parameter schema; `lucihub devices set` gives it one")]
    NoSchemaStored(DeviceId),
    #[error(
        "nothing was changed: run {0} is not archived, and no server is named that knows whether a worker has it; name it \
         with REDIS_URL, or use --force"
    )]
    OpenAndAlone(RunId),
    #[error("nothing was changed")]
    Declined,
    #[error("run {0} had ended before")]
    Ended(RunId),
    #[error("device {device} is active already, as {by} says; withdraw it first")]
    HeldDevice { device: DeviceId, by: String },
    #[error("an input has one schema; give --device or --schema, or check stored runs with --stored")]
    TwoSchemas,
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    #[error("stopped before run {run} was archived{}", if *waits { "; it waits in hot storage for a keeper" } else { "" })]
    Stopped { run: RunId, waits: bool },
    #[error("stopped: {0}")]
    Interrupted(String),
    #[error("run {0} was cancelled")]
    Cancelled(RunId),
    #[error(transparent)]
    Left(#[from] Left),
    #[error("no run is queued for device {0}; without --no-wait, `lucihub record` waits for one")]
    NoneQueued(String),
    #[error("standard input ended before a run was taken; none was taken")]
    NoInput,
    #[error("stopped before a run was taken")]
    StoppedWaiting,
    #[error("{what} took longer than {seconds} s")]
    TimedOut { what: &'static str, seconds: u64 },
    #[error("run {0}: what was read back differs from what was recorded; please report this")]
    Differs(RunId),
    #[error("cannot listen on {at}: {why}; name another with --listen, or end what has it")]
    Listen { at: SocketAddr, why: io::Error },
    #[error("a part of the command ended early: {0}")]
    Broken(String),
}

/// The exit code for what ended a recording: mostly somebody else, who has the run now or ended it.
fn recording(failure: &record::Failure) -> u8 {
    match failure {
        record::Failure::Sealed(Seal::Ended(RunState::Cancelled)) => 2,
        record::Failure::Sealed(_)
        | record::Failure::Fenced
        | record::Failure::Ended(_)
        | record::Failure::Conflict(_) => 4,
        _ => 1,
    }
}

const fn them(count: u64) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

impl Failure {
    /// The exit code: see `lucihub --help`.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Cancelled(_) | Self::Stopped { .. } | Self::StoppedWaiting | Self::Interrupted(_) => 2,
            Self::TimedOut { .. } | Self::Unarchived { .. } | Self::NoneQueued(_) => 124,
            Self::Left(left) => left.code(),
            Self::Record(RecordError::Failed { failure, .. }) => recording(failure),
            Self::Store(error) | Self::Record(RecordError::Store(error)) => match error {
                StoreError::Unavailable { .. } | StoreError::Unknown { .. } => 3,
                StoreError::AlreadyExists { .. } | StoreError::Precondition { .. } => 4,
                _ => 1,
            },
            Self::Unopened { error: StoreError::Unavailable { .. } | StoreError::Unknown { .. }, .. } => 3,
            Self::Record(RecordError::Held { .. }) | Self::Schema(_) | Self::Ended(_) | Self::HeldDevice { .. } => 4,
            Self::Record(RecordError::Cancelled(_)) => 2,
            _ => 1,
        })
    }

    /// Whether a server, not a file, could not be reached: it may come yet.
    pub(crate) fn is_server_away(&self) -> bool {
        let Self::Unopened { error: StoreError::Unavailable { store, .. }, .. } = self else { return false };
        store.contains("://") || store.starts_with("PostgreSQL at ")
    }

    /// Whether whoever read the output has gone: nothing to complain about.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
