//! What can be typed after `lucihub runs report`.

use std::path::PathBuf;

use clap::Args;
use lucihub_models_core::RunPrefix;

use super::Place;

/// `lucihub runs report`
#[derive(Debug, Args)]
#[command(after_help = "\
The page needs no network and no other file. It shows what the run is, its states and phases, all channels with what \
they miss, its last 10,000 log lines, input, output and final values, and asks for nothing when it is opened. It can be \
sent by mail, and an archived run gives the same page to the byte each time.

Examples:
  lucihub runs report ID
  lucihub runs report ID --out lorenz.html --force
  lucihub runs report ID --out - | gzip > lorenz.html.gz")]
pub(crate) struct ReportArgs {
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
    /// The file to write, `-` for standard output [default: the run's id with .html, in the present folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace a file that is there already.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}
