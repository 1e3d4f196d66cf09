//! `cargo xtask tidy`: properties of the repository that no compiler checks.
//!
//! A check is a function from the [`Repository`] to [`Finding`]s. A new one is a file beside these and a row of [`CHECKS`].

mod machine_paths;
mod metadata;
mod migrations;
mod names;
mod public_types;
mod repository;
mod sources;
mod test_modules;

use std::fmt;

use anyhow::{Result, bail};

use self::repository::Repository;
use crate::workspace::Workspace;

/// One place that breaks a rule: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }

    /// About a file as a whole.
    fn file(path: &str, message: impl Into<String>) -> Self {
        Self::at(path, 0, message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Whether an `up.sql` has the header that every migration needs.
#[cfg(test)]
pub(crate) fn has_header(up: &str) -> bool {
    migrations::check_header("up.sql", up).is_none()
}

type Check = fn(&Repository, &Workspace) -> Result<Vec<Finding>>;

/// Name and check.
const CHECKS: &[(&str, Check)] = &[
    ("sources are short, say what they are, and expect instead of allow", sources::check),
    ("names of files say what is in them", names::check),
    ("no path of one machine", machine_paths::check),
    ("published crates are complete, Cargo.lock is tracked", metadata::check),
    ("migrations go up and down", migrations::check),
    ("files of tests are compiled", test_modules::check),
    ("no third-party type in public signatures", public_types::check),
];

/// Runs every check and prints all findings.
///
/// # Errors
/// Where there is a finding, or the repository cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let repository = Repository::open(workspace.root())?;
    let mut count = 0;
    for (name, check) in CHECKS {
        let mut findings = check(&repository, workspace)?;
        findings.sort();
        findings.dedup();
        println!("{} {name}", if findings.is_empty() { "ok    " } else { "FAILED" });
        for finding in &findings {
            println!("       {finding}");
        }
        count += findings.len();
    }
    if count > 0 {
        bail!("{count} finding(s) above; each says what to do");
    }
    Ok(())
}
