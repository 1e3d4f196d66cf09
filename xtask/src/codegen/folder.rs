//! A folder of generated files: what is there, and what shall be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The text files below a folder, by their path from there.
#[derive(Debug)]
pub(super) struct Folder {
    place: PathBuf,
    name: &'static str,
    files: BTreeMap<String, String>,
}

impl Folder {
    /// Reads the folder `name` of the repository; one that does not exist is empty.
    ///
    /// # Errors
    /// Where a file cannot be read as text.
    pub(super) fn open(root: &Path, name: &'static str) -> Result<Self> {
        let place = root.join(name);
        let mut files = BTreeMap::new();
        if place.is_dir() {
            read(&place, "", &mut files)?;
        }
        Ok(Self { place, name, files })
    }

    /// Of the folder `name` only these files, for it holds others that are not generated.
    ///
    /// # Errors
    /// Where one of them is there and cannot be read as text.
    pub(super) fn of_files<'a>(
        root: &Path,
        name: &'static str,
        names: impl Iterator<Item = &'a String>,
    ) -> Result<Self> {
        let place = root.join(name);
        let mut files = BTreeMap::new();
        for file in names.filter(|file| place.join(file).exists()) {
            let text = fs::read_to_string(place.join(file)).with_context(|| format!("cannot read {name}/{file}"))?;
            files.insert(file.clone(), text);
        }
        Ok(Self { place, name, files })
    }

    /// What is there.
    pub(super) fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Makes the folder hold the wanted files, and no others but those that are `kept`. With `check`, only compares.
    ///
    /// # Errors
    /// Where a file cannot be written; with `check`, where one differs: the error lists all of them.
    pub(super) fn settle(
        &self,
        wanted: &BTreeMap<String, String>,
        kept: impl Fn(&str) -> bool,
        check: bool,
    ) -> Result<()> {
        let stale: Vec<_> = wanted.iter().filter(|(name, text)| self.files.get(*name) != Some(text)).collect();
        let left: Vec<_> = self.files.keys().filter(|name| !wanted.contains_key(*name) && !kept(name)).collect();
        if check {
            let stale = stale.iter().map(|(name, _)| format!("{}/{name} is not what the models say", self.name));
            let left = left.iter().map(|name| format!("{}/{name} is written by nothing any more", self.name));
            let list: Vec<_> = stale.chain(left).collect();
            if !list.is_empty() {
                bail!("{}\nrun `cargo xtask codegen` and look at what it changes", list.join("\n"));
            }
            println!("ok     {}: {} generated files are what the models say", self.name, wanted.len());
            return Ok(());
        }
        for name in left {
            fs::remove_file(self.place.join(name)).with_context(|| format!("cannot remove {}/{name}", self.name))?;
            println!("removed {}/{name}", self.name);
        }
        for (name, text) in stale {
            let file = self.place.join(name);
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&file, text).with_context(|| format!("cannot write {}/{name}", self.name))?;
            println!("wrote {}/{name}", self.name);
        }
        Ok(())
    }
}

fn read(place: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(place).with_context(|| format!("cannot read {}", place.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if name.ends_with("__pycache__") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &format!("{name}/"), files)?;
        } else {
            let text = fs::read_to_string(entry.path()).with_context(|| format!("cannot read {name}"))?;
            files.insert(name, text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_compared_and_then_settled() -> Result<()> {
        let root = std::env::temp_dir().join(format!("lucihub-xtask-folder-{}", std::process::id()));
        fs::create_dir_all(root.join("made/deep"))?;
        for (name, text) in [("deep/kept", "k"), ("old", "o"), ("same", "s"), ("stale", "before")] {
            fs::write(root.join("made").join(name), text)?;
        }
        let wanted = [("same", "s"), ("stale", "after"), ("deep/new", "n")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let wanted = BTreeMap::from(wanted);
        let kept = |name: &str| name == "deep/kept";
        let error = Folder::open(&root, "made")?.settle(&wanted, kept, true).unwrap_err().to_string();
        Folder::open(&root, "made")?.settle(&wanted, kept, false)?;
        let after = Folder::open(&root, "made")?;
        let checked = after.settle(&wanted, kept, true);
        let names: Vec<_> = after.files().keys().cloned().collect();
        fs::remove_dir_all(&root)?;
        assert_eq!(
            error,
            "made/deep/new is not what the models say\nmade/stale is not what the models say\n\
             made/old is written by nothing any more\nrun `cargo xtask codegen` and look at what it changes"
        );
        assert_eq!(names, ["deep/kept", "deep/new", "same", "stale"]);
        checked
    }
}
