//! What can be typed after `lucihub runs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lucihub_models_core::RunPrefix;

use super::filter::Term;
use super::{
    CancelArgs, CreateArgs, DeleteArgs, ExportArgs, FilterArgs, ImportArgs, LabelArgs, Lists, One, Place, ReportArgs,
    SamplesArgs, WatchArgs,
};
use crate::plot::{Edge, Pair, Which};

/// `lucihub runs ...`
#[derive(Debug, Subcommand)]
pub(crate) enum RunsVerb {
    /// List runs, newest first.
    List(ListArgs),
    /// Find runs by what they have, and count them.
    Search(SearchArgs),
    /// Show one run.
    Show(ShowArgs),
    /// List what a run went through: its states, and the phases of its device.
    States(StatesArgs),
    /// Say in one sentence how one run came to be as it is.
    Why(WhyArgs),
    /// Print the log of one run.
    Logs(LogsArgs),
    /// Watch one run on a live screen until it ends.
    Watch(WatchArgs),
    /// Draw one run: in the terminal, or as an SVG file.
    Plot(PlotArgs),
    /// Write one run as a page of HTML that needs nothing else.
    Report(ReportArgs),
    /// Print a few samples of a channel.
    Samples(SamplesArgs),
    /// Write samples for other programs: CSV, JSON, npz, Arrow, Parquet.
    Export(ExportArgs),
    /// Make a finished run of a file of samples.
    Import(ImportArgs),
    /// Queue a run.
    Create(Box<CreateArgs>),
    /// Ask for the end of runs.
    Cancel(CancelArgs),
    /// Change the labels of a run.
    Label(LabelArgs),
    /// Delete runs with all that they recorded.
    Delete(DeleteArgs),
}

/// `lucihub runs states`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lucihub runs states ID
  lucihub runs states ID -o jsonl")]
pub(crate) struct StatesArgs {
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
    #[command(flatten)]
    pub(crate) lists: Lists,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `lucihub runs list`
#[derive(Debug, Args)]
#[command(after_help = "\
A flag that is given several times means any of its values, several flags mean all of them.

Examples:
  lucihub runs list
  lucihub runs list --state failed --state cancelled
  lucihub runs list --label series=chaos --from 2026-11-01 --total
  lucihub runs list --limit 5 --json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Also say how many there are in all.
    #[arg(long)]
    pub(crate) total: bool,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}

/// `lucihub runs search`
#[derive(Debug, Args)]
#[command(after_help = "\
A condition names a field and the values that it may have; conditions are joined by AND, values by OR. Fields: owner, \
device, kind (LUCIDAC, REDAC, SIMULATOR), type, state, label.NAME, related (to these runs), from, to, since.

Examples:
  lucihub runs search owner=ada state=failed,cancelled
  lucihub runs search label.series=chaos since=7d
  lucihub runs search device=lucidac-1 from=2026-11-01 to=2026-11-30 --output csv")]
pub(crate) struct SearchArgs {
    /// What they have.
    #[arg(value_name = "FIELD=VALUE,..", required = true)]
    pub(crate) terms: Vec<Term>,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}

/// A page of a list of runs.
#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    /// Oldest first.
    #[arg(long)]
    pub(crate) oldest: bool,
    /// How many runs.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Leave out so many first; --after costs less.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "after")]
    pub(crate) offset: usize,
    /// Go on after an earlier page.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
    #[command(flatten)]
    pub(crate) lists: Lists,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `lucihub runs show`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lucihub runs show ID\n  lucihub runs show ID --json")]
pub(crate) struct ShowArgs {
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) one: One,
}

/// `lucihub runs why`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lucihub runs why ID\n  lucihub runs why ID --events")]
pub(crate) struct WhyArgs {
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
    /// Print the events that are kept of it too: the last 200.
    #[arg(long)]
    pub(crate) events: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) one: One,
}

/// `lucihub runs logs`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lucihub runs logs ID\n  lucihub runs logs ID --tail 20 --follow\n  lucihub runs logs ID --json"
)]
pub(crate) struct LogsArgs {
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Go on until the run has ended. With a Redis server, what another process
    /// records is seen at once; without, at its checkpoints, after two seconds.
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Leave out all but the last so many lines of those that are there.
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) tail: Option<u64>,
    /// Print one JSON object per line.
    #[arg(long)]
    pub(crate) json: bool,
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
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
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
    /// Write an SVG file instead of drawing in the terminal, in the place of one that is there; `-` for standard output.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["width", "height"])]
    pub(crate) svg: Option<PathBuf>,
    /// Columns of the drawing [default: the terminal's, else 80].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..=400))]
    pub(crate) width: Option<u16>,
    /// Rows of the drawing [default: 24].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(12..=200))]
    pub(crate) height: Option<u16>,
}
