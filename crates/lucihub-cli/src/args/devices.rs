//! What can be typed after `lucihub devices`.

use clap::{Args, Subcommand};

use super::Place;

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
