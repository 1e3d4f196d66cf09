//! `cargo xtask chaos`: the storage under faults that are drawn from a seed.
//!
//! The work is that of the package `lucihub-chaos`, built from here.

use anyhow::Result;
use clap::Args;

use crate::job::Job;
use crate::workspace::Workspace;

/// `cargo xtask chaos`
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Build it as tests are, with checks of overflow and debug assertions. That compiles sooner and runs slower.
    #[arg(long)]
    checked: bool,
    /// What the suite takes, after `--checked`: `--level sim|real`, `--seed N`, `--histories N`, `--long [MINUTES]`, `--help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds and runs the suite, in the folder that this was called from.
///
/// # Errors
/// Where it does not build, or a gate does not hold.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let build = if options.checked { Job::checked } else { Job::optimised };
    build(workspace, "lucihub-chaos", &options.arguments)?.run()
}
