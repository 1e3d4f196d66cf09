//! `cargo xtask test`: sets up and runs every test of the workspace, documentation examples included.
//!
//! What the tests need beside cargo is set up here, before cargo starts. A thing that is needed and missing is an error, never a skipped
//! test that reads ok.

use anyhow::Result;
use clap::Args;

use crate::{job::Job, workspace::Workspace};

/// Options of `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Arguments of `cargo test`, such as `-p lucihub-hot`, a name, or `-- --nocapture`.
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

/// Runs the tests; cargo prints the summaries.
///
/// # Errors
/// Where a test fails or does not compile.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    Job::cargo(cargo_arguments(&options.arguments), workspace.root()).run()
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
