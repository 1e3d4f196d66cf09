//! What can be typed after `lucihub status`.

use std::time::Duration;

use clap::Args;

use super::span::span;
use super::{One, Place};

/// `lucihub status`
#[derive(Debug, Args)]
#[command(after_help = "\
Asks both storages, waits two seconds for each at most, and looks again after --over to see how hot storage grows. Exit \
code 1 if one of them cannot do its work: it does not answer, is full, or is not to be used.

Examples:
  lucihub status
  lucihub status --over 10s
  lucihub status --json")]
pub(crate) struct StatusArgs {
    /// How long to watch hot storage grow; 0s does not watch.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = span)]
    pub(crate) over: Duration,
    #[command(flatten)]
    pub(crate) one: One,
    #[command(flatten)]
    pub(crate) place: Place,
}
