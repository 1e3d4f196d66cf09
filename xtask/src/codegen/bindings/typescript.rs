//! TypeScript: types by json-schema-to-typescript, a module for each version.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use lucihub_models_core::Version;
use serde_json::{Value, json};

use super::super::capital;
use super::bundle::document;
use super::{Tools, is_installed, say_installed, versions_by_kind};
use crate::job::Job;

const BANNER: &str =
    "// Written by `cargo xtask codegen` with json-schema-to-typescript. Change the models in Rust, not this file.";

fn folder(tools: &Tools) -> PathBuf {
    tools.installed.join("typescript")
}

/// Makes a folder of node modules with what is pinned.
///
/// # Errors
/// Where a package cannot be had.
pub(super) fn install(tools: &Tools) -> Result<()> {
    let folder = folder(tools);
    fs::create_dir_all(&folder)?;
    let source = tools.sources.join("typescript");
    let mut pins = Job::new("node", ["--version"], &folder).capture()?;
    for name in ["package.json", "package-lock.json"] {
        let text = fs::read_to_string(source.join(name))?;
        fs::write(folder.join(name), &text)?;
        pins.push_str(&text);
    }
    if is_installed(&folder, &pins)? {
        return Ok(());
    }
    println!("installing what makes TypeScript types into {}", folder.display());
    Job::new("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"], &folder).run()?;
    say_installed(&folder, &pins)
}

/// The modules, and an index with the unions over the versions.
///
/// # Errors
/// Where the generator fails.
pub(super) fn files(tools: &Tools, bundles: &BTreeMap<Version, Value>) -> Result<BTreeMap<String, String>> {
    let folder = folder(tools);
    let mut files = BTreeMap::new();
    for (version, bundle) in bundles {
        let (schema, module) = (folder.join(format!("{version}.json")), folder.join(format!("{version}.ts")));
        let mut bundle = bundle.clone();
        name_types(&mut bundle);
        // Else "any value" becomes an object of any fields.
        bundle["$defs"]["Json"]["tsType"] = json!("unknown");
        fs::write(&schema, bundle.to_string())?;
        let places = [&schema, &module].map(|path| path.display().to_string());
        let arguments = ["--no-additionalProperties", "--style.printWidth=120", "--bannerComment", BANNER];
        let arguments = arguments.into_iter().map(str::to_owned).chain(places);
        Job::program(&folder.join("node_modules/.bin/json2ts"), arguments, &folder).capture()?;
        files.insert(format!("typescript/{version}.ts"), fs::read_to_string(&module)?);
    }
    files.insert("typescript/index.ts".to_owned(), index(bundles)?);
    Ok(files)
}

/// What stands beside a reference makes another type of it for the generator; `allOf` keeps the name.
fn name_types(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(name_types);
            if fields.len() > 1
                && let Some(reference) = fields.remove("$ref")
            {
                fields.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(name_types),
        _ => {}
    }
}

fn index(bundles: &BTreeMap<Version, Value>) -> Result<String> {
    let mut text = String::from("// Written by `cargo xtask codegen`. Change the models in Rust, not this file.\n\n");
    for version in bundles.keys() {
        writeln!(text, "import type * as {version} from \"./{version}.js\";")?;
    }
    let modules: Vec<_> = bundles.keys().map(|version| version.as_str()).collect();
    writeln!(text, "\nexport type {{ {} }};", modules.join(", "))?;
    for (kind, versions) in versions_by_kind(bundles) {
        let choices: Vec<_> = versions.iter().map(|version| format!("{version}.{}", document(kind))).collect();
        writeln!(text, "\n/** A {kind} of any version; `version` says which. */")?;
        writeln!(text, "export type Any{} = {};", capital(kind), choices.join(" | "))?;
    }
    Ok(text)
}

/// Compiles the program that reads and writes documents against the types as they stand in `docs/bindings`, and runs it.
///
/// # Errors
/// Where it does not compile, or fails.
pub(super) fn round_trip(tools: &Tools, root: &Path, given: &Path, written: &Path) -> Result<()> {
    let folder = folder(tools);
    let source = tools.sources.join("typescript");
    for name in ["round_trip.ts", "tsconfig.json"] {
        fs::copy(source.join(name), folder.join(name))?;
    }
    let types = folder.join("lucihub");
    if types.exists() {
        fs::remove_dir_all(&types)?;
    }
    fs::create_dir_all(&types)?;
    for entry in fs::read_dir(root.join("docs/bindings/typescript"))? {
        let entry = entry?;
        fs::copy(entry.path(), types.join(entry.file_name()))?;
    }
    // The compiler tells its errors on standard output.
    Job::program(&folder.join("node_modules/.bin/tsc"), ["--project", "."], &folder).run()?;
    let arguments = [&folder.join("out/round_trip.js"), &given.to_owned(), &written.to_owned()];
    let arguments = arguments.map(|path| path.display().to_string());
    Job::new("node", arguments, &folder).capture().map(|_| ())
}
