//! The Python that tests read exported files with.

use std::env;

use anyhow::Result;

use crate::programs;
use crate::python::{PYTHON, VENV, environment};
use crate::workspace::Workspace;

/// The variable that names it.
pub(super) const VARIABLE: &str = "LUCIHUB_TEST_PYTHON";

/// Its packages, with all they need.
const REQUIREMENTS: &str = "crates/lucihub-cli/tests/transfer/requirements.txt";

/// Sees to it that there is one, unless it is named from outside.
///
/// # Errors
/// Where programs are missing and must not, or cannot, be installed; where a package cannot be had.
pub(super) fn provide(workspace: &Workspace, may_install: bool) -> Result<String> {
    if let Some(python) = env::var(VARIABLE).ok().filter(|python| !python.is_empty()) {
        return Ok(python);
    }
    programs::provide(workspace, "tests", &[PYTHON, VENV], may_install, |_, _, _| Ok(()))?;
    let folder = workspace.target().join("test-python");
    let programs = environment(&folder, &workspace.root().join(REQUIREMENTS), "what reads exported files in tests")?;
    Ok(programs.join("python").display().to_string())
}
