//! Which schema of each version is in force, what of it may be written, and what is refused.
//!
//! A version that is not released is written as the sources say. A released one stays as it is, and the sources have to
//! say the same, annotations aside. What a released version may still gain are fields that its readers keep as unknown
//! ones: they are written beside it, as a revision (`v2/run.1.json`), once someone has decided that
//! (`cargo xtask codegen --revise`).

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use lucihub_models_core::Version;
use serde_json::Value;

use super::compare::{Difference, compare};
use super::documents::Model;
use super::released::{Released, is_of_a_version};
use super::text::text;

/// What to do instead; the recipe stands where the versions are.
const ADD_A_VERSION: &str = "add a version: see How to add a version in crates/lucihub-models-core/README.md";

/// A schema as it stands in the repository.
#[derive(Clone, Debug)]
pub(super) struct InForce {
    pub(super) kind: &'static str,
    pub(super) version: Version,
    /// Its file, relative to `docs/schemas`.
    pub(super) file: String,
    pub(super) schema: Value,
}

/// What is in force, and what is wrong.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) in_force: Vec<InForce>,
    pub(super) refused: Vec<String>,
}

/// Weighs what the sources say against what stands in `docs/schemas`.
///
/// # Errors
/// Where a released file is no JSON.
pub(super) fn weigh(
    models: &[Model],
    files: &BTreeMap<String, String>,
    released: &Released,
    revise: bool,
) -> Result<Outcome> {
    let mut outcome = Outcome { refused: released.broken(files), ..Outcome::default() };
    for Model { kind, version, schema } in models {
        let revisions = (0..).map(|n| file_of(kind, *version, n)).take_while(|file| released.has(file)).count();
        let next = file_of(kind, *version, revisions);
        let put = |file: String, schema: Value| InForce { kind, version: *version, file, schema };
        let Some(last) = revisions.checked_sub(1).map(|n| file_of(kind, *version, n)) else {
            outcome.in_force.push(put(next, schema.clone()));
            continue;
        };
        // One that is gone is refused already.
        let Some(frozen) = files.get(&last) else { continue };
        let frozen: Value = serde_json::from_str(frozen).with_context(|| format!("docs/schemas/{last}"))?;
        let differences = compare(&frozen, schema);
        if differences.is_empty() {
            outcome.in_force.push(put(last, frozen));
        } else if differences.iter().all(Difference::is_addition) && (revise || files.contains_key(&next)) {
            let mut revised = schema.clone();
            revised["$id"] =
                revised["$id"].as_str().unwrap_or_default().replace(&file_of(kind, *version, 0), &next).into();
            outcome.in_force.push(put(next, revised));
        } else {
            outcome.refused.push(refusal(&last, &next, &differences));
            outcome.in_force.push(put(last, frozen));
        }
    }
    outcome.refused.extend(unread(models, files, released)?);
    Ok(outcome)
}

/// `v2/run.json`, and `v2/run.1.json` for its first revision.
fn file_of(kind: &str, version: Version, revision: usize) -> String {
    match revision {
        0 => format!("{version}/{kind}.json"),
        n => format!("{version}/{kind}.{n}.json"),
    }
}

fn refusal(last: &str, next: &str, differences: &[Difference]) -> String {
    let list: String = differences.iter().map(|difference| format!("\n  {difference}")).collect();
    let way = if differences.iter().all(Difference::is_addition) {
        format!(
            "would an old reader misread a document without it? then {ADD_A_VERSION}; if not, it keeps the field as an \
             unknown one: `cargo xtask codegen --revise` writes docs/schemas/{next} beside it"
        )
    } else {
        ADD_A_VERSION.to_owned()
    };
    format!("docs/schemas/{last} is released and never changes, but the sources say otherwise:{list}\n  {way}")
}

/// `BACKWARD_TRANSITIVE`: whatever was released in any version, the readers of today understand.
fn unread(models: &[Model], files: &BTreeMap<String, String>, released: &Released) -> Result<Vec<String>> {
    let mut refused = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| released.has(file)) {
        let Some((version, kind)) = schema_of(file) else { continue };
        let reader = models.iter().find(|model| model.kind == kind && model.version.as_str() == version);
        let Some(reader) = reader else {
            refused.push(format!("docs/schemas/{file} is released, and nothing reads a {kind} of {version} any more"));
            continue;
        };
        let old: Value = serde_json::from_str(text).with_context(|| format!("docs/schemas/{file}"))?;
        let broken = compare(&old, &reader.schema).into_iter().filter(Difference::breaks);
        refused.extend(
            broken.map(|difference| format!("documents of docs/schemas/{file} are not understood: {difference}")),
        );
    }
    Ok(refused)
}

/// Version and kind of a schema's file; `None` for examples.
pub(super) fn schema_of(file: &str) -> Option<(&str, &str)> {
    let (version, name) = file.split_once('/').filter(|_| is_of_a_version(file))?;
    let name = name.strip_suffix(".json").filter(|name| !name.contains('/'))?;
    Some((version, name.split_once('.').map_or(name, |(kind, _)| kind)))
}

/// The texts of the files in force that are not released.
///
/// # Errors
/// Never, for JSON values.
pub(super) fn open_files(in_force: &[InForce], released: &Released) -> Result<BTreeMap<String, String>> {
    let open = in_force.iter().filter(|schema| !released.has(&schema.file));
    open.map(|schema| Ok((schema.file.clone(), text(&schema.schema)?))).collect()
}

#[cfg(test)]
mod tests;
