//! `cargo xtask migrate`: the schema of a database, from the sources.
//!
//! The work is `lucihub migrate`'s, built from here: so that `cargo xtask` itself compiles no database.

use anyhow::Result;
use clap::Args;

use crate::job::Job;
use crate::workspace::Workspace;

/// `cargo xtask migrate`
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// What `lucihub migrate` takes: `status`, `up` or `check`, and `--database-url sqlite:PATH` or `--dir DIR`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<String>,
}

/// Builds and calls `lucihub migrate`, in the folder that this was called from.
///
/// # Errors
/// Where it does not build, or fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let manifest = workspace.root().join("Cargo.toml");
    let cargo = ["run", "--quiet", "--manifest-path"].map(str::to_owned);
    let lucihub = ["--package", "lucihub-cli", "--", "migrate"].map(str::to_owned);
    let arguments = cargo
        .into_iter()
        .chain([manifest.display().to_string()])
        .chain(lucihub)
        .chain(options.arguments.iter().cloned());
    Job::cargo(arguments, &std::env::current_dir()?).run()
}
