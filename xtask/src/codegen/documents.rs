//! The kinds of documents that core reads and writes, with their versions: all that is generated begins here.

use anyhow::{Context, Result};
use lucihub_models_core::{AnyDevice, AnyRun, HeadDocument, Version};
use serde_json::Value;

/// One kind of document: what core says of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// The name of the field beside `version`.
    pub(super) name: &'static str,
    pub(super) versions: &'static [Version],
    schema: fn(Version) -> Option<String>,
    rewrite: fn(&str) -> Result<String>,
}

/// Every kind. A new one is a row here.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "run",
        versions: AnyRun::VERSIONS,
        schema: AnyRun::schema,
        rewrite: |text| {
            let run = AnyRun::from_json(text)?;
            let latest = AnyRun::from(run.clone().into_latest());
            AnyRun::from_json(&latest.to_json()?).context("in the newest version")?;
            Ok(run.to_json()?)
        },
    },
    Kind {
        name: "device",
        versions: AnyDevice::VERSIONS,
        schema: AnyDevice::schema,
        rewrite: |text| {
            let device = AnyDevice::from_json(text)?;
            let latest = AnyDevice::from(device.clone().into_latest());
            AnyDevice::from_json(&latest.to_json()?).context("in the newest version")?;
            Ok(device.to_json()?)
        },
    },
    Kind {
        name: "head",
        versions: HeadDocument::VERSIONS,
        schema: HeadDocument::schema,
        rewrite: |text| Ok(HeadDocument::write(&HeadDocument::read(text)?)?),
    },
];

impl Kind {
    /// The kind of that name.
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Reads a document as the newest version of its kind, and writes it in its own. Heads are written in the newest.
    ///
    /// # Errors
    /// Where core refuses it.
    pub(super) fn rewrite(&self, text: &str) -> Result<String> {
        (self.rewrite)(text)
    }
}

/// The schema of one version of a kind.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) kind: &'static str,
    pub(super) version: Version,
    pub(super) schema: Value,
}

/// The schemas of all versions of all kinds, as the sources say now.
///
/// # Errors
/// Where core has no schema for one of its own versions.
pub(super) fn models() -> Result<Vec<Model>> {
    let mut models = Vec::new();
    for kind in KINDS {
        for version in kind.versions.iter().copied() {
            let text =
                (kind.schema)(version).with_context(|| format!("core has no schema for {} {version}", kind.name))?;
            models.push(Model { kind: kind.name, version, schema: serde_json::from_str(&text)? });
        }
    }
    Ok(models)
}
