//! How long the workspace takes to build from nothing: two jobs, an empty folder, nothing to download.
//!
//! Measured only when asked for: these are minutes, once each.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::lab::Lab;
use crate::measure::{Figures, S, timed};

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
const CORE: &[&str] = &["-p", "lucihub-models-core"];
/// What a worker beside a device needs.
const WORKER: &[&str] = &["-p", "lucihub-store", "--no-default-features", "--features", "redis"];
/// The command that shows all of it.
const DEMO: &[&str] = &["-p", "lucihub-cli", "--release"];
/// What is built, by the name of its figure.
const BUILDS: [(&str, &[&str]); 3] =
    [("builds.core_s", CORE), ("builds.worker_s", WORKER), ("builds.demo_release_s", DEMO)];

/// What the group measures.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = String> {
    BUILDS.into_iter().map(|(name, _)| name.to_owned())
}

/// Measures the group.
pub(crate) fn measure(lab: &Lab, figures: &mut Figures) -> Result<()> {
    cargo("fetch", &["--locked"])?;
    for (name, what) in BUILDS {
        if !figures.wants(name) {
            continue;
        }
        let target = lab.file(name);
        let (seconds, ()) = timed(|| build(what, &target))?;
        // The largest is gigabytes.
        std::fs::remove_dir_all(&target).with_context(|| format!("cannot remove {}", target.display()))?;
        figures.push_values((name, S), vec![seconds])?;
    }
    Ok(())
}

fn build(what: &[&str], target: &Path) -> Result<()> {
    let target = target.to_str().context("the folder is not UTF-8")?;
    cargo("build", &[&["--locked", "--offline", "--jobs", "2", "--target-dir", target], what].concat())
}

fn cargo(command: &str, arguments: &[&str]) -> Result<()> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let status = Command::new(program)
        .args([command, "--quiet", "--manifest-path", MANIFEST])
        .args(arguments)
        // A cache of compiled crates would answer for the compiler.
        .env("RUSTC_WRAPPER", "")
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "cargo {command} {}: {status}", arguments.join(" "));
    Ok(())
}
