//! Step `deny`: licences, banned crates and sources of all dependencies, by `deny.toml`.
//!
//! The database of advisories is not asked: CI machines cannot reach it.

use anyhow::{Context, Result};

use crate::{job::Job, workspace::Workspace};

/// The version that is installed where there is none.
const VERSION: &str = "0.20.2";

/// Installs cargo-deny where it is missing, and runs it.
///
/// # Errors
/// Where it cannot be installed, or finds something.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    match Job::cargo(["deny", "--version"], workspace.root()).capture() {
        Ok(version) => println!("{}", version.trim_end()),
        Err(_) => install(workspace)?,
    }
    Job::cargo(["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"], workspace.root()).run()
}

/// The published release profile (fat LTO, one codegen unit, optimised) costs minutes more than one check takes.
fn install(workspace: &Workspace) -> Result<()> {
    println!("cargo-deny is missing: installing version {VERSION} for this user, which takes a few minutes");
    Job::cargo(["install", "cargo-deny", "--version", VERSION, "--locked", "--quiet"], workspace.root())
        .with_environment("CARGO_PROFILE_RELEASE_LTO", "off")
        .with_environment("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .with_environment("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .run()
        .context("cargo-deny cannot be installed; install it by hand and repeat")
}
