//! `cargo xtask codegen`: what is generated from the models: schemas, the data model's page, types in other languages.
//!
//! [`documents`] asks core; [`frozen`] decides which schema of each version is in force, by the rules of [`compare`] and what
//! is [`released`]; all else is written from those.

mod annotations;
mod bindings;
mod compare;
mod data_model;
mod documents;
mod examples;
mod fields;
mod folder;
mod frozen;
mod released;
mod text;
mod type_names;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::Args;
use lucihub_models_core::Version;
use serde_json::{Value, json};

use self::documents::{KINDS, models};
use self::folder::Folder;
use self::frozen::InForce;
use self::released::{LOCK, Released};
use crate::workspace::Workspace;

/// Options of `cargo xtask codegen`.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Write nothing: fail where a file is not what the models say.
    #[arg(long)]
    check: bool,
    /// Install nothing: where programs that make types for other languages are missing, fail with the list.
    #[arg(long)]
    no_install: bool,
    /// Freeze these versions, or all: their schemas and examples never change after that.
    #[arg(long, value_name = "VERSION", num_args = 0.., conflicts_with = "check")]
    release: Option<Vec<Version>>,
    /// Write fields that a released version has gained, and that its readers keep as unknown ones, as a revision beside it.
    #[arg(long, conflicts_with = "check")]
    revise: bool,
}

/// `cargo xtask codegen --check`.
///
/// # Errors
/// As [`run`].
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    run(workspace, &Options { check: true, ..Options::default() })
}

/// Writes, or checks, all that is generated.
///
/// # Errors
/// Where a released version would change, an example is not understood, or a file is not what the models say.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let root = workspace.root();
    let schemas = Folder::open(root, "docs/schemas")?;
    let mut released = lock(&schemas)?;
    let models = models()?;
    let mut outcome = frozen::weigh(&models, schemas.files(), &released, options.revise)?;
    outcome.refused.extend(annotations::check(&models));
    outcome.refused.extend(examples::check(schemas.files(), &outcome.in_force));
    ensure!(outcome.refused.is_empty(), "{}", outcome.refused.join("\n"));

    let mut wanted = frozen::open_files(&outcome.in_force, &released)?;
    wanted.extend(unions(&outcome.in_force)?);
    if let Some(versions) = &options.release {
        let all: BTreeMap<_, _> = schemas.files().iter().chain(&wanted).map(|(k, v)| (k.clone(), v.clone())).collect();
        let versions = if versions.is_empty() { Version::ALL } else { versions };
        versions.iter().for_each(|version| released.add(version.as_str(), &all));
    }
    // After the release that may be asked for: it is what mends a tag that was set without one.
    if let Some((tag, tagged)) = released::last_tag(root)? {
        let broken = released.broken_by_tag(&tag, &tagged);
        ensure!(broken.is_empty(), "{}", broken.join("\n"));
    }
    wanted.insert(LOCK.to_owned(), released.to_text()?);
    let kept = |name: &str| released.has(name) || name.contains("/examples/");
    let pages = BTreeMap::from([("data-model.md".to_owned(), data_model::page(root, &outcome.in_force)?)]);
    schemas.settle(&wanted, kept, options.check)?;
    Folder::of_files(root, "docs", pages.keys())?.settle(&pages, |_| true, options.check)?;

    let tools = bindings::tools(workspace, !options.no_install)?;
    let types = bindings::files(&tools, &outcome.in_force)?;
    let by_hand = |name: &str| ["README.md", "python/pyproject.toml"].contains(&name);
    Folder::open(root, "docs/bindings")?.settle(&types, by_hand, options.check)?;
    bindings::try_out(&tools, root, schemas.files())
}

/// Freezes what stands below `root`, so that a copy is as after a release.
///
/// # Errors
/// Where the lock cannot be read or written.
pub(crate) fn freeze(root: &Path) -> Result<()> {
    let schemas = Folder::open(root, "docs/schemas")?;
    let mut released = lock(&schemas)?;
    Version::ALL.iter().for_each(|version| released.add(version.as_str(), schemas.files()));
    schemas.settle(&BTreeMap::from([(LOCK.to_owned(), released.to_text()?)]), |_| true, false)
}

fn lock(schemas: &Folder) -> Result<Released> {
    let lock = schemas.files().get(LOCK);
    let lock = lock.with_context(|| format!("docs/schemas/{LOCK} is missing; bring it back with git"))?;
    Released::from_text(lock).with_context(|| format!("docs/schemas/{LOCK}"))
}

/// One schema for each kind over all of its versions, told apart by the tag.
fn unions(in_force: &[InForce]) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for kind in KINDS {
        let of_kind: Vec<_> = in_force.iter().filter(|schema| schema.kind == kind.name).collect();
        let Some(first) = of_kind.first() else { continue };
        let id = first.schema["$id"].as_str().unwrap_or_default();
        let base = id.strip_suffix(&first.file).with_context(|| format!("{id} does not end with {}", first.file))?;
        let choices: Vec<Value> = of_kind.iter().map(|schema| json!({ "$ref": schema.file })).collect();
        let schema = json!({
            "$schema": first.schema["$schema"],
            "$id": format!("{base}{}.json", kind.name),
            "title": format!("Any{}Document", capital(kind.name)),
            "description": format!("A {} of any version; `version` says which.", kind.name),
            "oneOf": choices,
        });
        files.insert(format!("{}.json", kind.name), text::text(&schema)?);
    }
    Ok(files)
}

fn capital(name: &str) -> String {
    let mut text = name.to_owned();
    text[..1].make_ascii_uppercase();
    text
}
