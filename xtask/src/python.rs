//! Virtual environments of Python with pinned packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::installed::{is_installed, say_installed};
use crate::job::Job;
use crate::programs::{Program, is_in_path};

/// Python itself.
pub(crate) const PYTHON: Program = Program { name: "python3", package: "python3", is_there: is_in_path };
/// What makes environments.
pub(crate) const VENV: Program =
    Program { name: "python3 -m venv", package: "python3-venv", is_there: makes_environments };

/// Debian parts what makes an environment from the rest of Python.
fn makes_environments(_: &str) -> bool {
    Command::new("python3").args(["-c", "import ensurepip, venv"]).output().is_ok_and(|output| output.status.success())
}

/// Makes an environment below a folder, unless it is there, with what a file pins, and returns where its programs are.
/// `what` it has, for the words that say so.
///
/// # Errors
/// Where it cannot be made, or a package cannot be had.
pub(crate) fn environment(folder: &Path, requirements: &Path, what: &str) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let programs = folder.join("environment/bin");
    let version = Job::new("python3", ["--version"], folder).capture()?;
    let pins = format!("{version}{}", fs::read_to_string(requirements)?);
    if is_installed(folder, &pins)? {
        return Ok(programs);
    }
    println!("installing {what} into {}", folder.display());
    Job::new("python3", ["-m", "venv", "--clear", "environment"], folder).run()?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
    let from = ["--only-binary", ":all:", "-r", &requirements.display().to_string()].map(str::to_owned);
    let arguments = install.into_iter().map(str::to_owned).chain(from);
    Job::program(&programs.join("python"), arguments, folder).run()?;
    say_installed(folder, &pins)?;
    Ok(programs)
}
