//! `cargo xtask recipe`: a copy of core gains a version by the recipe of its front page, and everything holds.
//!
//! [`steps`] are the files and edits of the recipe. The copy lies below `target`, with xtask and what is generated, and is as
//! after a release: all earlier versions are frozen. Its tests run, and its `codegen`; at the end that has to refuse
//! another name of a field in a frozen version.

mod steps;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::Args;

use self::steps::{EDITS, Edit, FILES, NewFile};
use crate::codegen;
use crate::job::Job;
use crate::workspace::Workspace;

/// Options of `cargo xtask recipe`.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Install nothing: where programs that make types for other languages are missing, fail with the list.
    #[arg(long)]
    no_install: bool,
}

/// The crate that gains a version.
const CORE: &str = "crates/lucihub-models-core";

/// What the copy consists of.
const COPIED: &[&str] =
    &["Cargo.toml", "Cargo.lock", CORE, "xtask", "docs/schemas", "docs/bindings", "docs/data-model.md"];

/// A workspace of two members, whose program does not take the place of this one.
const SMALLER: &[Edit] = &[
    Edit {
        file: "Cargo.toml",
        find: "members = [\"crates/*\", \"examples/toy-adapter\", \"xtask\", \"benches\", \"chaos\"]",
        with: "members = [\"crates/lucihub-models-core\", \"xtask\"]",
    },
    Edit {
        file: "xtask/Cargo.toml",
        find: "[lints]\n",
        with: "[[bin]]\nname = \"xtask-of-recipe\"\npath = \"src/main.rs\"\n\n[lints]\n",
    },
];

/// No step of the recipe: what nobody may do to a frozen version.
const ANOTHER_NAME: Edit = Edit {
    file: "crates/lucihub-models-core/src/v2/head.rs",
    find: "    /// The worker that executes it.\n",
    with: "    /// The worker that executes it.\n    #[serde(rename = \"worker_name\")]\n",
};

/// What is said then.
const REFUSAL: &[&str] = &[
    "docs/schemas/v2/run.json is released and never changes, but the sources say otherwise:",
    "/run/head/worker: the field is gone (rule: no field is removed)",
    "/run/head/worker_name: a new field",
    "add a version: see How to add a version in crates/lucihub-models-core/README.md",
];

/// Follows the recipe on a copy.
///
/// # Errors
/// Where the recipe does not fit the sources any more, and where something does not hold afterwards.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let copy = workspace.target().join("recipe");
    if copy.exists() {
        fs::remove_dir_all(&copy).with_context(|| format!("cannot remove {}", copy.display()))?;
    }
    for part in COPIED {
        copy_all(&workspace.root().join(part), &copy.join(part))?;
    }
    codegen::freeze(&copy)?;
    SMALLER.iter().chain(EDITS).try_for_each(|edit| edit.apply(&copy))?;
    FILES.iter().try_for_each(|file| file.write(&copy))?;

    // Its own: cargo names what it builds by the path within the workspace, so in a shared folder the next build here would
    // take what was built from the copy.
    let target = workspace.target().join("recipe-build").display().to_string();
    let cargo = |arguments: &[&str]| {
        Job::cargo(arguments.iter().copied(), &copy).with_environment("CARGO_TARGET_DIR", target.clone())
    };
    cargo(&["test", "--offline", "--quiet", "--package", "lucihub-models-core"])
        .run()
        .context("the tests of core with version 3")?;
    let codegen = ["run", "--offline", "--quiet", "--package", "xtask", "--", "codegen"];
    let codegen: Vec<_> = codegen.into_iter().chain(options.no_install.then_some("--no-install")).collect();
    cargo(&codegen).run().context("codegen with version 3")?;
    look(&copy)?;
    let check = cargo(&[&codegen[..], &["--check"]].concat());
    check.run().context("codegen --check with version 3")?;

    ANOTHER_NAME.apply(&copy)?;
    println!("$ {check}   # with a field of version 2 renamed: it has to fail");
    let refusal =
        check.capture().err().context("codegen takes another name of a field in a frozen version")?.to_string();
    for words in REFUSAL {
        ensure!(
            refusal.contains(words),
            "{words:?} is not in what codegen says of another name in a frozen version:\n{refusal}"
        );
    }
    println!("ok     the recipe holds: a copy of core has a version 3 of devices, and its version 2 is frozen");
    Ok(())
}

/// What has to be there, beside that all checks hold: among them, that released versions are as they were.
fn look(copy: &Path) -> Result<()> {
    for (file, part) in [
        ("docs/schemas/v3/device.json", "/docs/schemas/v3/device.json\""),
        ("docs/schemas/device.json", "\"$ref\": \"v3/device.json\""),
        ("docs/data-model.md", "## Version 3: what changed since version 2"),
        ("docs/data-model.md", "| `Device` |  |  | `entity_digest` |"),
        (
            "docs/bindings/typescript/index.ts",
            "export type AnyDevice = v1.DeviceDocument | v2.DeviceDocument | v3.DeviceDocument;",
        ),
        ("docs/bindings/python/lucihub_models/__init__.py", "from . import v1, v2, v3"),
    ] {
        let text = fs::read_to_string(copy.join(file)).with_context(|| format!("no {file} in the copy"))?;
        ensure!(text.contains(part), "{part} is not in {file} of the copy");
    }
    for untouched in ["docs/schemas/run.json", "docs/schemas/v3/run.json"] {
        let text = fs::read_to_string(copy.join(untouched)).unwrap_or_default();
        ensure!(!text.contains("v3"), "runs did not change, and {untouched} says they did");
    }
    Ok(())
}

/// Copies a file or a folder.
fn copy_all(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        return fs::copy(from, to).map(|_| ()).with_context(|| format!("cannot copy {}", from.display()));
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

impl Edit {
    fn apply(&self, copy: &Path) -> Result<()> {
        let file = copy.join(self.file);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", self.file))?;
        fs::write(file, self.applied(&text)?).with_context(|| format!("cannot write {}", self.file))
    }

    /// # Errors
    /// Where what is edited does not stand there exactly once.
    fn applied(&self, text: &str) -> Result<String> {
        let count = text.matches(self.find).count();
        ensure!(
            count == 1,
            "the recipe does not fit {} any more: {count} places in it are\n{}\nchange xtask/src/recipe/steps.rs, and the \
             recipe in {CORE}/README.md with it",
            self.file,
            self.find
        );
        Ok(text.replacen(self.find, self.with, 1))
    }
}

impl NewFile {
    fn write(&self, copy: &Path) -> Result<()> {
        let file = copy.join(self.file);
        ensure!(!file.exists(), "the recipe makes {}, which exists", self.file);
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(file, self.text).with_context(|| format!("cannot write {}", self.file))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The files that the recipe of the front page names, from the root of the repository.
    fn named() -> BTreeSet<String> {
        let front = include_str!("../../crates/lucihub-models-core/README.md");
        let (_, recipe) = front.split_once("## How to add a version\n").unwrap();
        let (recipe, _) = recipe.split_once("\n## ").unwrap();
        let words = recipe.split('`').skip(1).step_by(2);
        let files = words.filter(|word| word.ends_with(".rs") || word.ends_with(".json"));
        files
            .map(|file| match file.split_once('/') {
                Some(("docs", _)) => file.to_owned(),
                Some(("v3", _)) => format!("{CORE}/src/{file}"),
                _ => format!("{CORE}/{file}"),
            })
            .collect()
    }

    #[test]
    fn what_is_done_is_what_the_recipe_says() {
        let done: BTreeSet<String> =
            EDITS.iter().map(|edit| edit.file).chain(FILES.iter().map(|file| file.file)).map(str::to_owned).collect();
        let mut named = named();
        // Heads do not change in this version.
        assert!(named.remove(&format!("{CORE}/src/head_document.rs")));
        assert_eq!(named, done);
    }

    #[test]
    fn edits_fit_the_sources() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut files: std::collections::BTreeMap<&str, String> = std::collections::BTreeMap::new();
        for edit in SMALLER.iter().chain(EDITS).chain([&ANOTHER_NAME]) {
            let text = files.entry(edit.file).or_insert_with(|| fs::read_to_string(root.join(edit.file)).unwrap());
            *text = edit.applied(text).unwrap();
        }
    }

    #[test]
    fn an_edit_that_fits_nowhere_says_what_to_change() {
        let edit = Edit { file: "a.rs", find: "x", with: "y" };
        assert_eq!(edit.applied("a x b").unwrap(), "a y b");
        for text in ["a b", "x x"] {
            let error = edit.applied(text).unwrap_err().to_string();
            assert!(error.starts_with("the recipe does not fit a.rs any more"), "{error}");
        }
    }
}
