//! `cargo xtask bench`: what the storage costs, beside the limits of what it stands on.
//!
//! The work is that of the package `lucihub-bench`, built with optimisation from here: so that `cargo xtask` itself
//! compiles no database.

use anyhow::Result;
use clap::Args;

use crate::job::Job;
use crate::workspace::Workspace;

/// `cargo xtask bench`
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// What the benchmarks take: `--json FILE`, `--only hot|cold|store`, `--quick`, `--repeats N`, `--dir DIR`, `--help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds and runs the benchmarks, in the folder that this was called from.
///
/// # Errors
/// Where they do not build, or fail.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    Job::optimised(workspace, "lucihub-bench", &options.arguments)?.run()
}
