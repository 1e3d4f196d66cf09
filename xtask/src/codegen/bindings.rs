//! Types for other languages: by the generators of those languages, and tried on the examples of every version.
//!
//! The generators' versions are pinned, with all they need, in `xtask/bindings`; they are installed below `target`.

mod bundle;
mod python;
mod round_trip;
mod spelling;
mod typescript;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lucihub_models_core::Version;
use serde_json::Value;

use self::bundle::bundles;
use super::documents::KINDS;
use super::frozen::InForce;
use crate::installed::{is_installed, say_installed};
use crate::programs::{Program, is_in_path, provide};
use crate::python::{PYTHON, VENV};
use crate::workspace::Workspace;

const PROGRAMS: &[Program] = &[
    Program { name: "node", package: "nodejs", is_there: is_in_path },
    Program { name: "npm", package: "npm", is_there: is_in_path },
    PYTHON,
    VENV,
];

/// Where the generators are: what they are pinned by, and where they are installed.
#[derive(Debug)]
pub(super) struct Tools {
    sources: PathBuf,
    installed: PathBuf,
}

/// Sees to it that the generators are there.
///
/// # Errors
/// Where programs are missing and must not, or cannot, be installed; where a package cannot be had.
pub(super) fn tools(workspace: &Workspace, may_install: bool) -> Result<Tools> {
    provide(workspace, "types for other languages", PROGRAMS, may_install, |_, _, _| Ok(()))?;
    let tools =
        Tools { sources: workspace.root().join("xtask/bindings"), installed: workspace.target().join("bindings") };
    python::install(&tools)?;
    typescript::install(&tools)?;
    Ok(tools)
}

/// The files of `docs/bindings`, from there.
///
/// # Errors
/// Where a generator fails.
pub(super) fn files(tools: &Tools, in_force: &[InForce]) -> Result<BTreeMap<String, String>> {
    let bundles = bundles(in_force)?;
    let mut files = python::files(tools, &bundles)?;
    files.extend(typescript::files(tools, &bundles)?);
    Ok(files)
}

/// Rust writes the examples, each language reads and writes them, and Rust reads the same again.
///
/// # Errors
/// Where a language refuses a document, or gives another one back.
pub(super) fn try_out(tools: &Tools, root: &Path, schemas: &BTreeMap<String, String>) -> Result<()> {
    let documents = round_trip::documents(schemas)?;
    for (language, program) in [
        ("Python", python::round_trip as fn(&Tools, &Path, &Path, &Path) -> Result<()>),
        ("TypeScript", typescript::round_trip),
    ] {
        let folder = tools.installed.join(language.to_lowercase());
        let (given, written) = (folder.join("given"), folder.join("written"));
        fs::write(&given, round_trip::to_lines(&documents))?;
        program(tools, root, &given, &written).with_context(|| format!("{language} reads and writes the examples"))?;
        let back = fs::read_to_string(&written)?;
        round_trip::compare(&documents, &back, language)
            .with_context(|| format!("from Rust to {language} and back"))?;
        println!("ok     {} documents from Rust to {language} and back", documents.len());
    }
    Ok(())
}

/// The kinds of documents, each with the versions that have it.
fn versions_by_kind(bundles: &BTreeMap<Version, Value>) -> Vec<(&'static str, Vec<Version>)> {
    let of = |kind: &'static str| {
        let name = bundle::document(kind);
        let has = |bundle: &&Value| bundle["$defs"].get(&name).is_some();
        bundles.iter().filter(|(_, bundle)| has(bundle)).map(|(version, _)| *version).collect()
    };
    KINDS.iter().map(|kind| (kind.name, of(kind.name))).collect()
}
