//! The files of the repository: what git tracks, and what it would track.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::job::Job;

/// The files below one root, by their path from there.
#[derive(Debug)]
pub(super) struct Repository {
    root: PathBuf,
    files: Vec<String>,
    tracked: Vec<String>,
}

impl Repository {
    /// Asks git for the files.
    ///
    /// # Errors
    /// Where git is missing, or `root` is not in a work tree.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let tracked = list(root, &["--cached"])?;
        let mut files = tracked.clone();
        files.extend(list(root, &["--others", "--exclude-standard"])?);
        files.retain(|file| fs::symlink_metadata(root.join(file)).is_ok_and(|metadata| metadata.is_file()));
        files.sort();
        Ok(Self { root: root.to_owned(), files, tracked })
    }

    /// Files that git tracks or would track with the next `git add`, without symbolic links.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// The Rust sources of the crates and of xtask.
    pub(super) fn sources(&self) -> impl Iterator<Item = &str> {
        self.files().filter(|file| file.ends_with(".rs") && (file.starts_with("crates/") || file.starts_with("xtask/")))
    }

    /// Whether git tracks `file`.
    pub(super) fn tracks(&self, file: &str) -> bool {
        self.tracked.iter().any(|tracked| tracked == file)
    }

    /// The text of a file; `None` where it is not UTF-8 text.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn text(&self, file: &str) -> Result<Option<String>> {
        let bytes = fs::read(self.root.join(file)).with_context(|| format!("cannot read {file}"))?;
        Ok(String::from_utf8(bytes).ok())
    }
}

/// The owner of the directory is often another user on CI machines, where git would refuse.
fn list(root: &Path, selection: &[&str]) -> Result<Vec<String>> {
    let arguments = ["-c", "safe.directory=*", "ls-files", "-z"].iter().chain(selection).copied();
    let output = Job::new("git", arguments, root).capture().context("tidy asks git for the files of the repository")?;
    Ok(output.split_terminator('\0').map(str::to_owned).collect())
}
