//! What can be typed.

mod act;
mod archive;
mod check;
mod config;
mod demo;
mod devices;
mod filter;
mod format;
mod maintain;
mod migrate;
mod models;
mod moment;
mod record;
mod report;
mod runs;
mod shell;
mod span;
mod status;
mod transfer;
mod watch;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use act::{CancelArgs, CreateArgs, DeleteArgs, LabelArgs, LabelChange};
pub(crate) use archive::ArchiveArgs;
pub(crate) use check::CheckArgs;
pub(crate) use config::{ConfigArgs, ConfigVerb};
pub(crate) use demo::DemoArgs;
pub(crate) use devices::{AddArgs, DeviceArgs, DevicesArgs, DevicesVerb, Says, SetArgs, WithdrawArgs};
pub(crate) use filter::{FilterArgs, say_unknown};
pub(crate) use format::{Format, Lists, One};
pub(crate) use maintain::{GcArgs, SweepArgs, VerifyArgs, What};
pub(crate) use migrate::{ChangeArgs, DownArgs, LookArgs, MigrateVerb, UndoArgs};
pub(crate) use models::{ModelsArgs, ModelsVerb};
pub(crate) use record::RecordArgs;
pub(crate) use report::ReportArgs;
pub(crate) use runs::{ListArgs, LogsArgs, PageArgs, PlotArgs, RunsVerb, SearchArgs, ShowArgs, StatesArgs, WhyArgs};
pub(crate) use shell::{CompletionsArgs, ManArgs};
pub(crate) use status::StatusArgs;
pub(crate) use transfer::{ExportArgs, ExportFormat, ImportArgs, ImportFormat, SamplesArgs, SamplesFormat, WindowArgs};
pub(crate) use watch::WatchArgs;

use crate::hot::Hot;
use crate::secret::Secret;

/// Record, look at and keep runs of analog-digital hybrid computers.
#[derive(Debug, Parser)]
#[command(name = "lucihub", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed or refused, 2 cancelled, 3 a storage could not be reached, \
4 conflict about a run or device, 124 timed out.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Record a live run, archive it, read it back bit for bit, and show it.
    Demo(DemoArgs),
    /// How both storages are: sizes, what waits, and when hot storage is full at the present rate.
    Status(StatusArgs),
    /// Look at runs, and act on them.
    #[command(subcommand)]
    Runs(RunsVerb),
    /// Look at devices, and say what they are.
    #[command(subcommand)]
    Devices(DevicesVerb),
    /// Record a run for a worker in any language: frames on standard input, answers on standard output.
    Record(RecordArgs),
    /// Move runs from hot to cold storage.
    Archive(ArchiveArgs),
    /// Find what belongs to nothing any more, and runs that are queued for too long; remove them on request.
    Sweep(SweepArgs),
    /// Delete archived runs by state and age.
    Gc(GcArgs),
    /// Read archived runs back, and compare checksums and digests; repair them from hot storage.
    Verify(VerifyArgs),
    /// Check an input against a parameter schema, or stored inputs against a new one.
    Check(CheckArgs),
    /// Look at the versions of the models that storages hold.
    #[command(subcommand)]
    Models(ModelsVerb),
    /// Look at the tables of a database and change them: bring them up to date, or undo that.
    #[command(subcommand)]
    Migrate(MigrateVerb),
    /// Look at the settings.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Print the completions for a shell.
    Completions(CompletionsArgs),
    /// Write the manual pages.
    Man(ManArgs),
}

/// Where cold storage is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Where {
    /// The folder with the database file `lucihub.sqlite` [default: lucihub-demo].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Cold storage by URL, `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`, where no --dir is given.
    #[arg(long, value_name = "URL", env = DATABASE_URL, hide_env_values = true)]
    pub(crate) database_url: Option<Secret>,
}

/// The variable that names cold storage.
pub(crate) const DATABASE_URL: &str = "DATABASE_URL";

/// Where both storages are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    pub(crate) cold: Where,
    #[command(flatten)]
    pub(crate) hot: Hot,
    /// Write heads of runs in this version of the models, for as long as older programs read them [default: the newest].
    #[arg(long, value_name = "VERSION", env = WRITE_VERSION, hide_env_values = true)]
    pub(crate) write_version: Option<String>,
}

/// The variable that names the version in which heads are written.
pub(crate) const WRITE_VERSION: &str = "LUCIHUB_WRITE_VERSION";

/// The folder that `demo` writes to and the other verbs look into.
pub(crate) const DEFAULT_DIR: &str = "lucihub-demo";
