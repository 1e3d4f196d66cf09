//! Documents of each version, written by hand: the newest reader takes them and gives them back, and each field has one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::documents::Kind;
use super::fields;
use super::frozen::InForce;
use super::released::is_of_a_version;
use super::text::text;

/// An example: its place below `docs/schemas`, what kind of document it is, and its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Example<'a> {
    pub(super) file: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: &'a str,
    pub(super) text: &'a str,
}

/// The examples among the files of `docs/schemas`: `v2/examples/run-<what it shows>.json`.
pub(super) fn examples(files: &BTreeMap<String, String>) -> impl Iterator<Item = Example<'_>> {
    files.iter().filter(|(file, _)| is_of_a_version(file)).filter_map(|(file, text)| {
        let (version, name) = file.split_once("/examples/")?;
        let kind = name.split_once('-').map_or(name, |(kind, _)| kind);
        Some(Example { file, version, kind, text })
    })
}

/// What is wrong with the examples, and which fields have none.
pub(super) fn check(files: &BTreeMap<String, String>, in_force: &[InForce]) -> Vec<String> {
    let mut problems: Vec<String> = examples(files)
        .filter_map(|example| refusal(example).map(|why| format!("docs/schemas/{}: {why}", example.file)))
        .collect();
    for schema in in_force {
        let mut missing: BTreeSet<String> = fields::of_schema(&schema.schema);
        for example in examples(files) {
            if example.kind == schema.kind && example.version == schema.version.as_str() {
                let Ok(document) = serde_json::from_str(example.text) else { continue };
                fields::of_document(&schema.schema, &document).iter().for_each(|field| {
                    missing.remove(field);
                });
            }
        }
        let list: Vec<_> = missing.into_iter().collect();
        if !list.is_empty() {
            problems.push(format!(
                "no example in docs/schemas/{}/examples/{}-*.json has {}; write one",
                schema.version,
                schema.kind,
                list.join(", ")
            ));
        }
    }
    problems
}

fn refusal(example: Example<'_>) -> Option<String> {
    let Some(kind) = Kind::of(example.kind) else {
        return Some(format!(
            "{:?} is no kind of document; name the file run-, device- or head-<what it shows>",
            example.kind
        ));
    };
    let document: Value = match serde_json::from_str(example.text) {
        Ok(document) => document,
        Err(error) => return Some(error.to_string()),
    };
    if document["version"] != example.version {
        return Some(format!("is of version {}; the folder says {}", document["version"], example.version));
    }
    let back = match kind.rewrite(example.text) {
        Ok(back) => back,
        Err(error) => return Some(format!("is not understood any more: {error:#}")),
    };
    // As text, since -0.0 equals 0.0 as a number. Heads come back in the newest version.
    let same = serde_json::from_str(&back)
        .is_ok_and(|back: Value| back["version"] != document["version"] || text(&back).ok() == text(&document).ok());
    (!same).then(|| format!("comes back as another document: {back}"))
}

#[cfg(test)]
mod tests;
