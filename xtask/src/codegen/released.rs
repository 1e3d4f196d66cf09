//! What is released and so never changes: a lock of digests beside the schemas, and the last tag of git.
//!
//! The lock is written when a version is released (`cargo xtask codegen --release`), and holds in every copy of the
//! repository. The tag holds the lock: what was in `docs/schemas` of the last release is in the lock, and as it was.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use lucihub_models_core::Digest;
use serde_json::{Value, json};

use super::text::text;
use crate::job::Job;

/// The name of the lock, beside the folders of the versions.
pub(super) const LOCK: &str = "released.json";

const ABOUT: &str =
    "Released files and their digests (BLAKE3). They never change. Written by `cargo xtask codegen --release`.";

/// Names and digests of released files, relative to `docs/schemas`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Released(BTreeMap<String, String>);

impl Released {
    /// Reads the lock.
    ///
    /// # Errors
    /// Where it is not what [`to_text`](Self::to_text) writes.
    pub(super) fn from_text(lock: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(lock)?;
        let files = value.get("files").cloned().context("no field `files`")?;
        Ok(Self(serde_json::from_value(files)?))
    }

    /// The text of the lock.
    ///
    /// # Errors
    /// Never, for names and digests.
    pub(super) fn to_text(&self) -> Result<String> {
        Ok(text(&json!({ "about": ABOUT, "files": self.0 }))?)
    }

    /// Whether a file is released.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds the files of a version that are not released yet.
    pub(super) fn add(&mut self, folder: &str, files: &BTreeMap<String, String>) {
        for (name, text) in files {
            if name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')) && !self.has(name) {
                self.0.insert(name.clone(), Digest::of(text.as_bytes()).to_string());
            }
        }
    }

    /// Which released files are gone or edited.
    pub(super) fn broken(&self, files: &BTreeMap<String, String>) -> Vec<String> {
        let problem = |(name, digest): (&String, &String)| {
            let what = match files.get(name) {
                None => "is released, and gone",
                Some(text) if Digest::of(text.as_bytes()).to_string() != *digest => "is released, and was edited",
                Some(_) => return None,
            };
            Some(format!("docs/schemas/{name} {what}; a released file never changes: bring it back with git"))
        };
        self.0.iter().filter_map(problem).collect()
    }

    /// What the last tag has and the lock does not, or not so.
    pub(super) fn broken_by_tag(&self, tag: &str, tagged: &BTreeMap<String, String>) -> Vec<String> {
        let digest = |text: &String| Digest::of(text.as_bytes()).to_string();
        let other = tagged.iter().filter(|(name, text)| self.0.get(*name).is_some_and(|known| *known != digest(text)));
        let mut broken: Vec<_> = other
            .map(|(name, _)| {
                format!(
                    "docs/schemas/{name} is released in {tag}, and is another one in {LOCK}: bring both back with git"
                )
            })
            .collect();
        let missing: Vec<_> = tagged.keys().filter(|name| !self.has(name)).map(String::as_str).collect();
        if !missing.is_empty() {
            broken.push(format!(
                "released in {tag}, and not in docs/schemas/{LOCK}: {}; run `cargo xtask codegen --release` on them as they \
                 were there",
                missing.join(", ")
            ));
        }
        broken
    }
}

/// Whether a name below `docs/schemas` is of a version, as all that is ever released.
pub(super) fn is_of_a_version(name: &str) -> bool {
    let folder = name.split_once('/').map_or("", |(folder, _)| folder);
    folder.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// The last tag and the files of versions in it; `None` before the first release, and in a copy without history.
///
/// # Errors
/// Where git cannot show what it lists.
pub(super) fn last_tag(root: &Path) -> Result<Option<(String, BTreeMap<String, String>)>> {
    // The owner of the directory is often another user on CI machines, where git would refuse.
    let git = |arguments: &[&str]| {
        Job::new("git", ["-c", "safe.directory=*"].iter().chain(arguments).copied(), root).capture()
    };
    let Ok(tag) = git(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]) else { return Ok(None) };
    let tag = tag.trim().to_owned();
    let listed = git(&["ls-tree", "-r", "--name-only", "--full-tree", &tag, "docs/schemas"])?;
    let mut files = BTreeMap::new();
    for path in listed.lines() {
        let Some(name) = path.strip_prefix("docs/schemas/").filter(|name| is_of_a_version(name)) else { continue };
        files.insert(name.to_owned(), git(&["show", &format!("{tag}:{path}")])?);
    }
    Ok(Some((tag, files)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_released_file_is_neither_edited_nor_deleted() {
        let now = files(&[("v1/run.json", "{}"), ("v1/examples/run-a.json", "[]"), ("v10/run.json", "{}")]);
        let mut lock = Released::default();
        lock.add("v1", &now);
        assert_eq!(Released::from_text(&lock.to_text().unwrap()).unwrap(), lock);
        assert!(lock.has("v1/run.json") && !lock.has("v10/run.json"));
        assert!(lock.broken(&now).is_empty());
        let broken = lock.broken(&files(&[("v1/run.json", "{ }")]));
        assert!(broken[0].contains("run-a.json is released, and gone"), "{broken:?}");
        assert!(broken[1].contains("docs/schemas/v1/run.json is released, and was edited"), "{broken:?}");
    }

    #[test]
    fn what_was_released_once_is_not_released_again() {
        let mut lock = Released::default();
        lock.add("v1", &files(&[("v1/run.json", "{}")]));
        let edited = files(&[("v1/run.json", "{ }")]);
        lock.add("v1", &edited);
        assert_eq!(lock.broken(&edited).len(), 1);
    }

    #[test]
    fn the_last_tag_holds_the_lock() {
        let tagged = files(&[("v1/run.json", "{}"), ("v1/device.json", "{}")]);
        let mut lock = Released::default();
        lock.add("v1", &files(&[("v1/run.json", "{ }")]));
        let broken = lock.broken_by_tag("v0.1.0", &tagged);
        assert!(
            broken[0].starts_with("docs/schemas/v1/run.json is released in v0.1.0, and is another one"),
            "{broken:?}"
        );
        let words =
            "released in v0.1.0, and not in docs/schemas/released.json: v1/device.json; run `cargo xtask codegen";
        assert!(broken[1].starts_with(words), "{broken:?}");
        assert_eq!(broken.len(), 2);
        let mut mended = Released::default();
        mended.add("v1", &tagged);
        assert!(mended.broken_by_tag("v0.1.0", &tagged).is_empty());
    }

    #[test]
    fn folders_of_versions_are_told_from_others() {
        let of = ["v1/run.json", "v12/examples/run-a.json", "run.json", "v/run.json", "very/run.json", LOCK];
        assert_eq!(of.map(is_of_a_version), [true, true, false, false, false, false]);
    }
}
