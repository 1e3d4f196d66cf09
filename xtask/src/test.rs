//! `cargo xtask test`: sets up and runs every test of the workspace, documentation examples included.
//!
//! What the tests need beside cargo is set up here, before cargo starts. A thing that is needed and missing is an error, never a skipped
//! test that reads ok.

mod python;
pub(crate) mod servers;

use anyhow::Result;
use clap::Args;

use crate::{job::Job, workspace::Workspace};

/// Options of `cargo xtask test`.
#[derive(Debug, Args)]
#[command(after_help = ENVIRONMENT)]
pub(crate) struct Options {
    /// Install nothing: where programs of test servers, or Python, are missing, fail with the list and the command that installs them.
    #[arg(long)]
    no_install: bool,
    /// Arguments of `cargo test`, such as `-p lucihub-hot`, a name, or `-- --nocapture`.
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

const ENVIRONMENT: &str = "\
Tests start servers of their own, on free ports of 127.0.0.1 and in temporary folders.

Environment:
  LUCIHUB_TEST_REDIS_URL     A Redis or Valkey that the suite uses instead of starting one, such as
                             redis://127.0.0.1:6379. Nobody else may need its keys.
  LUCIHUB_TEST_POSTGRES_URL  A PostgreSQL superuser's URL that the suite uses instead of starting
                             one, such as postgres://postgres:secret@127.0.0.1:5432/postgres. It
                             makes and drops databases of its own.
  LUCIHUB_TEST_PYTHON        A Python with numpy, pandas and polars that reads exported files, instead
                             of an environment below `target`, which is made once, by pip.

Tests that kill, freeze or empty a server start their own even then.";

/// Runs the tests; cargo prints the summaries.
///
/// # Errors
/// Where a program that tests start is missing and is not installed, and where a test fails or does not compile.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    servers::provide(workspace, !options.no_install)?;
    let python = python::provide(workspace, !options.no_install)?;
    Job::cargo(cargo_arguments(&options.arguments), workspace.root()).with_environment(python::VARIABLE, python).run()
}

/// The whole workspace unless packages are named, all features, and on past a failing test binary so that one run shows every failure.
fn cargo_arguments(arguments: &[String]) -> Vec<String> {
    let for_cargo = arguments.iter().take_while(|argument| *argument != "--");
    let names_packages =
        for_cargo.into_iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package"));
    let scope = if names_packages { None } else { Some("--workspace") };
    ["test"]
        .into_iter()
        .chain(scope)
        .chain(["--all-features", "--no-fail-fast"])
        .map(str::to_owned)
        .chain(arguments.iter().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        cargo_arguments(&arguments).join(" ")
    }

    #[test]
    fn the_whole_workspace_is_the_default() {
        assert_eq!(joined(&[]), "test --workspace --all-features --no-fail-fast");
        assert_eq!(
            joined(&["some_name", "--", "-p"]),
            "test --workspace --all-features --no-fail-fast some_name -- -p"
        );
    }

    #[test]
    fn named_packages_replace_the_workspace() {
        assert_eq!(joined(&["-p", "lucihub-hot"]), "test --all-features --no-fail-fast -p lucihub-hot");
        assert_eq!(joined(&["--package=lucihub-hot"]), "test --all-features --no-fail-fast --package=lucihub-hot");
    }
}
