//! `lucihub models ...`

use clap::{Args, Subcommand};

use super::Place;

/// `lucihub models ...`
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsVerb {
    /// Count the versions in use, and say which program wrote each last.
    Status(ModelsArgs),
}

/// `lucihub models status`
#[derive(Debug, Args)]
#[command(after_help = "\
Programs are upgraded one after the other. Those that are ahead write the older version, with \
LUCIHUB_WRITE_VERSION, until no program of the older one writes any more; then the variable \
goes. It looks at every run.

Examples:
  lucihub models status
  lucihub models status --json")]
pub(crate) struct ModelsArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
