//! What can be typed after `lucihub runs watch`.

use clap::Args;
use lucihub_models_core::RunPrefix;

use super::Place;

/// `lucihub runs watch`
#[derive(Debug, Args)]
#[command(after_help = "\
Keys: q, Esc or Ctrl-C quit; left and right choose a channel, or all; Tab goes from the overview to the plot, the log \
and the states; + and - choose the last seconds or all; p holds the picture while the run goes on.

Watching changes nothing: the run goes on without it. The exit code is 0 whether the run ended, however it ended, or \
the watching did, by a key, Ctrl-C or SIGTERM. Off a terminal it prints states and log lines, as \
`lucihub runs logs --follow` does.

Examples:
  lucihub runs watch ID
  lucihub runs watch ID --stay
  lucihub runs watch ID | tee run.log")]
pub(crate) struct WatchArgs {
    /// The run: its id, or as much of its beginning as no other has.
    #[arg(value_name = "ID")]
    pub(crate) run: RunPrefix,
    /// Stay on the screen when the run has ended.
    #[arg(long)]
    pub(crate) stay: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}
