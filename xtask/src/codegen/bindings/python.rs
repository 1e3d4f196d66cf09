//! Python: pydantic models by datamodel-code-generator, a module for each version.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lucihub_models_core::Version;
use serde_json::Value;

use super::super::capital;
use super::bundle::document;
use super::{Tools, versions_by_kind};
use crate::job::Job;
use crate::python::environment;

/// The package, below `docs/bindings`.
const PACKAGE: &str = "python/lucihub_models";

/// A module of models with types by their names, fields that stay absent, and unknown fields that are kept.
const GENERATOR: &[&str] = &[
    "--input-file-type",
    "jsonschema",
    "--output-model-type",
    "pydantic_v2.BaseModel",
    "--target-python-version",
    "3.11",
    "--use-annotated",
    "--use-standard-collections",
    "--use-union-operator",
    "--use-type-alias",
    "--use-schema-description",
    "--use-field-description",
    "--strict-nullable",
    "--disable-timestamp",
    "--formatters",
    "builtin",
    "--custom-file-header",
    "# Written by `cargo xtask codegen` with datamodel-code-generator. Change the models in Rust, not this file.",
];

fn folder(tools: &Tools) -> PathBuf {
    tools.installed.join("python")
}

/// Makes a virtual environment with what is pinned.
///
/// # Errors
/// Where it cannot be made, or a package cannot be had.
pub(super) fn install(tools: &Tools) -> Result<()> {
    let requirements = tools.sources.join("python/requirements.txt");
    environment(&folder(tools), &requirements, "what makes Python types").map(drop)
}

/// The modules, and the package's front with the unions over the versions.
///
/// # Errors
/// Where the generator fails.
pub(super) fn files(tools: &Tools, bundles: &BTreeMap<Version, Value>) -> Result<BTreeMap<String, String>> {
    let folder = folder(tools);
    let mut files = BTreeMap::new();
    for (version, bundle) in bundles {
        let (schema, module) = (folder.join(format!("{version}.json")), folder.join(format!("{version}.py")));
        fs::write(&schema, bundle.to_string())?;
        let places =
            ["--input".to_owned(), schema.display().to_string(), "--output".to_owned(), module.display().to_string()];
        let arguments = GENERATOR.iter().map(|argument| (*argument).to_owned()).chain(places);
        Job::program(&folder.join("environment/bin/datamodel-codegen"), arguments, &folder).capture()?;
        let text = fs::read_to_string(&module).with_context(|| format!("no module for {version}"))?;
        files.insert(format!("{PACKAGE}/{version}.py"), text);
    }
    files.insert(format!("{PACKAGE}/__init__.py"), front(bundles)?);
    files.insert(format!("{PACKAGE}/py.typed"), String::new());
    Ok(files)
}

fn front(bundles: &BTreeMap<Version, Value>) -> Result<String> {
    let modules: Vec<_> = bundles.keys().map(|version| version.as_str()).collect();
    let modules = modules.join(", ");
    let mut text = format!(
        "# Written by `cargo xtask codegen`. Change the models in Rust, not this file.
\"\"\"Runs and devices of LuciHub: a module of pydantic models for each version, and unions told apart by `version`.\"\"\"

from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter

from . import {modules}
"
    );
    for (kind, versions) in versions_by_kind(bundles) {
        let choices: Vec<_> = versions.iter().map(|version| format!("{version}.{}", document(kind))).collect();
        let union = match &choices[..] {
            [only] => only.clone(),
            several => format!("Annotated[{}, Field(discriminator=\"version\")]", several.join(" | ")),
        };
        write!(
            text,
            "
Any{name} = {union}
_any_{kind}: TypeAdapter[Any{name}] = TypeAdapter(Any{name})


def read_{kind}(text: str | bytes) -> Any{name}:
    \"\"\"Reads a {kind} of any version; raises `pydantic.ValidationError` for anything else.\"\"\"
    return _any_{kind}.validate_json(text)

",
            name = capital(kind),
        )?;
    }
    text.push_str(
        "
def _note_changes(value: object) -> None:
    # Appending to a list that was absent sets no field, so pydantic would leave it out.
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            inner = getattr(value, name)
            if name not in value.model_fields_set and inner != field.get_default(call_default_factory=True):
                value.model_fields_set.add(name)
            _note_changes(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            _note_changes(inner)
    elif isinstance(value, list) and value and not isinstance(value[0], float):
        for inner in value:
            _note_changes(inner)


def write(document: BaseModel) -> str:
    \"\"\"Writes a document. What was never set or changed stays absent: an absent input and `null` are two things.\"\"\"
    _note_changes(document)
    return document.model_dump_json(by_alias=True, exclude_unset=True)
",
    );
    Ok(text)
}

/// Runs the program that reads and writes documents, on the package as it stands in `docs/bindings`.
///
/// # Errors
/// Where it fails.
pub(super) fn round_trip(tools: &Tools, root: &Path, given: &Path, written: &Path) -> Result<()> {
    let program = tools.sources.join("python/round_trip.py");
    let arguments = [&program, &given.to_owned(), &written.to_owned()].map(|path| path.display().to_string());
    let package = root.join("docs/bindings/python").display().to_string();
    Job::program(&folder(tools).join("environment/bin/python"), arguments, &folder(tools))
        .with_environment("PYTHONPATH", package)
        .with_environment("PYTHONDONTWRITEBYTECODE", "1")
        .capture()
        .map(|_| ())
}
