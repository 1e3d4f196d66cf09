//! What can be typed.

mod check;
mod maintain;
mod migrate;
mod models;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use lucihub_models_core::{DeviceId, RunId, Timestamp};

pub(crate) use check::CheckArgs;
pub(crate) use maintain::{GcArgs, SweepArgs, VerifyArgs, What};
pub(crate) use migrate::{ChangeArgs, DownArgs, LookArgs, MigrateVerb, UndoArgs};
pub(crate) use models::{ModelsArgs, ModelsVerb};

use crate::hot::Hot;
use crate::plot::{Edge, Pair, Which};
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
    /// Look at runs.
    #[command(subcommand)]
    Runs(RunsVerb),
    /// Look at devices.
    #[command(subcommand)]
    Devices(DevicesVerb),
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
const WRITE_VERSION: &str = "LUCIHUB_WRITE_VERSION";

/// The folder that `demo` writes to and the other verbs look into.
pub(crate) const DEFAULT_DIR: &str = "lucihub-demo";

/// `lucihub demo`
#[derive(Debug, Args)]
#[command(after_help = "\
The folder and its database are made if they are not there; the pictures lie in the folder, too. With DATABASE_URL the
run goes into that database, and with REDIS_URL through that server, as all runs of the lab.

Examples:
  lucihub demo
  lucihub demo --json --dir /tmp/try
  lucihub demo --circuit my-circuit.json
  lucihub demo --redis-url redis://127.0.0.1:6379 --no-keeper")]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Store this circuit as the run's input instead of the built-in one. The
    /// demo's worker solves the Lorenz system all the same.
    #[arg(long, value_name = "FILE")]
    pub(crate) circuit: Option<PathBuf>,
    /// Samples per channel.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = samples)]
    pub(crate) samples: u64,
    /// Record as fast as the store takes it, not at the pace of the device.
    #[arg(long)]
    pub(crate) fast: bool,
    /// Leave the archiving to a `lucihub archive --watch` elsewhere, and wait for it.
    #[arg(long)]
    pub(crate) no_keeper: bool,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

fn samples(text: &str) -> Result<u64, &'static str> {
    let number = text.parse().ok().filter(|number| (1_000..=5_000_000).contains(number));
    number.ok_or("use 1000 to 5000000")
}

/// `lucihub archive`
#[derive(Debug, Args)]
#[command(after_help = "\
Attends to every run that is not archived yet: checkpoints of live ones, the archive of ended ones. \
Any number of these may run, beside the one inside `lucihub demo` too.

Examples:
  lucihub archive --redis-url redis://127.0.0.1:6379
  lucihub archive --watch
  lucihub archive --watch --json
  lucihub archive --watch --listen 9464")]
pub(crate) struct ArchiveArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Go on until Ctrl-C or SIGTERM, as runs change. Makes the database if it
    /// is not there.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Answer HTTP on this port of this machine, or on an address with its port:
    /// /metrics for Prometheus, /healthz and /readyz with 200 or 503.
    #[arg(long, value_name = "ADDR", requires = "watch", value_parser = crate::archive::serve::address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Print one JSON object per report; with --watch, whenever there is news.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `lucihub runs ...`
#[derive(Debug, Subcommand)]
pub(crate) enum RunsVerb {
    /// List runs, newest first.
    List(ListArgs),
    /// Show one run.
    Show(ShowArgs),
    /// Say in one sentence how one run came to be as it is.
    Why(WhyArgs),
    /// Print the log of one run.
    Logs(LogsArgs),
    /// Draw one run: in the terminal, or as an SVG file.
    Plot(PlotArgs),
}

/// `lucihub runs plot`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lucihub runs plot ID --channel 0
  lucihub runs plot ID --channel 0,3 --from 640ms --to 0.7s
  lucihub runs plot ID --xy 0,2 --to 8000
  lucihub runs plot ID --svg run.svg")]
pub(crate) struct PlotArgs {
    /// The run.
    #[arg(value_name = "ID")]
    pub(crate) run: RunId,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Which channels, by number or name [default: all, of more than 8 the first 8].
    #[arg(long, value_name = "N,..", value_delimiter = ',', conflicts_with = "xy")]
    pub(crate) channel: Vec<Which>,
    /// Draw channel B over channel A, both by number: the phase portrait.
    #[arg(long, value_name = "A,B")]
    pub(crate) xy: Option<Pair>,
    /// Where to begin: a sample index, or a time after the start of OP in s, ms or us.
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    pub(crate) from: Option<Edge>,
    /// Where to end: the first sample, or the time, that is not drawn any more.
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    pub(crate) to: Option<Edge>,
    /// Write an SVG file instead of drawing in the terminal.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["width", "height"])]
    pub(crate) svg: Option<PathBuf>,
    /// Columns of the drawing [default: the terminal's, else 80].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..=400))]
    pub(crate) width: Option<u16>,
    /// Rows of the drawing [default: 24].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(12..=200))]
    pub(crate) height: Option<u16>,
}

/// `lucihub runs list`
#[derive(Debug, Args)]
#[command(after_help = "\
A flag that is given several times means any of its values, several flags mean all of them.

Examples:
  lucihub runs list
  lucihub runs list --state failed --state cancelled
  lucihub runs list --label series=chaos --from 2026-11-01T00:00:00Z --total
  lucihub runs list --limit 5 --json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Only runs of this owner. Repeat for several.
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Vec<String>,
    /// Only runs on this device. Repeat for several.
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Vec<DeviceId>,
    /// Only runs on this kind of device: LUCIDAC, REDAC, SIMULATOR. Repeat for several.
    #[arg(long, value_name = "KIND")]
    pub(crate) device_type: Vec<String>,
    /// Only runs of this type: compile, run, verify, simulate. Repeat for several.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) job_type: Vec<String>,
    /// Only runs in this state, in any letter case. Repeat for several.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Vec<String>,
    /// Only runs with this label. Repeat for several: the same name means either value, another name both.
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) label: Vec<(String, String)>,
    /// Only runs that are related to this one. Repeat for several.
    #[arg(long, value_name = "ID")]
    pub(crate) related_to: Vec<RunId>,
    /// Only runs created then or later, as in 2026-11-26T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Only runs created then or earlier.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<Timestamp>,
    /// Oldest first.
    #[arg(long)]
    pub(crate) oldest: bool,
    /// Also say how many there are in all.
    #[arg(long)]
    pub(crate) total: bool,
    /// How many runs.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Leave out so many first; --after costs less.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "after")]
    pub(crate) offset: usize,
    /// Go on after an earlier page.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is no label; use NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// `lucihub runs logs`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lucihub runs logs ID\n  lucihub runs logs ID --follow\n  lucihub runs logs ID --json"
)]
pub(crate) struct LogsArgs {
    /// The run.
    #[arg(value_name = "ID")]
    pub(crate) run: RunId,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Go on until the run has ended. With a Redis server, what another process
    /// records is seen at once; without, at its checkpoints, after two seconds.
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Print one JSON object per line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `lucihub runs why`
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The run.
    #[arg(value_name = "ID")]
    pub(crate) run: RunId,
    /// Print the events that are kept of it too: the last 200.
    #[arg(long)]
    pub(crate) events: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON object, with the events.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `lucihub runs show`
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The run.
    #[arg(value_name = "ID")]
    pub(crate) run: RunId,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `lucihub devices ...`
#[derive(Debug, Subcommand)]
pub(crate) enum DevicesVerb {
    /// List the registry of devices, by name.
    List(DevicesArgs),
}

/// `lucihub devices list`
#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}
