//! `cargo xtask bench`: what the storage costs, beside the limits of what it stands on.
//!
//! The work is that of the package `lucihub-bench`, built with optimisation from here: so that `cargo xtask` itself
//! compiles no database.

use anyhow::Result;
use clap::Args;

use crate::job::Job;
use crate::python;
use crate::test::servers::provide_servers;
use crate::workspace::Workspace;

/// `cargo xtask bench`
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// What the benchmarks take: `--json FILE`, `--only hot|cold|store|growth|load|peers|builds`, `--peers`,
    /// `--compare OLD.json`, `--draw DIR`, `--quick`, `--repeats N`, `--dir DIR`, `--help`. Servers that are missing are
    /// installed first, but with `--no-install`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// What makes the environment of the peer, here.
const PEERS: &str = "--peers";
/// What installs nothing, here.
const NO_INSTALL: &str = "--no-install";
/// What measures nothing: it needs no servers.
const MEASURES_NOTHING: [&str; 3] = ["--help", "-h", "--with"];

/// Builds and runs the benchmarks, in the folder that this was called from.
///
/// # Errors
/// Where they do not build, or fail.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut arguments = options.arguments.clone();
    let before = arguments.len();
    arguments.retain(|argument| argument != NO_INSTALL);
    if !arguments.iter().any(|argument| MEASURES_NOTHING.contains(&argument.as_str())) {
        provide_servers(workspace, "benchmarks", arguments.len() == before)?;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == PEERS) {
        let requirements = workspace.root().join("benches/peers/requirements.txt");
        let folder = workspace.target().join("peers");
        let programs = python::environment(&folder, &requirements, "what plain Python is measured with")?;
        arguments.insert(at + 1, programs.join("python").display().to_string());
    }
    Job::optimised(workspace, "lucihub-bench", &arguments)?.run()
}
