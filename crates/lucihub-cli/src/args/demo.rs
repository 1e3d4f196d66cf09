//! What can be typed after `lucihub demo`.

use std::path::PathBuf;

use clap::Args;

use super::Place;

/// `lucihub demo`
#[derive(Debug, Args)]
#[command(after_help = "\
The folder and its database are made if they are not there; the pictures lie in the folder, too. With DATABASE_URL the \
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
