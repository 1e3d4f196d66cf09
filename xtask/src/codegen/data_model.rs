//! `docs/data-model.md`: fields by version, what each version changed, and the states of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use lucihub_models_core::{RunState, Step, Version};
use serde_json::Value;

use super::documents::KINDS;
use super::frozen::InForce;
use super::type_names::{plain, type_name};

/// The types of each version, by name.
pub(super) type Types = BTreeMap<Version, BTreeMap<String, Value>>;

/// The definitions of all documents of each version together.
///
/// # Errors
/// Where two documents of one version say different things of a type.
pub(super) fn types(in_force: &[InForce]) -> Result<Types> {
    let mut types = Types::new();
    for schema in in_force {
        let of_version = types.entry(schema.version).or_default();
        for (name, definition) in schema.schema["$defs"].as_object().into_iter().flatten() {
            let known = of_version.entry(name.clone()).or_insert_with(|| definition.clone());
            if known != definition {
                bail!("{} says of {name} what another document of {} does not", schema.file, schema.version);
            }
        }
    }
    Ok(types)
}

/// The text of the page.
///
/// # Errors
/// Where the documentation of a version cannot be read.
pub(super) fn page(root: &Path, in_force: &[InForce]) -> Result<String> {
    let types = types(in_force)?;
    let mut page = String::from(INTRODUCTION);
    documents(&mut page, in_force)?;
    states(&mut page)?;
    for version in types.keys() {
        let (title, text) = documentation(root, *version)?;
        writeln!(page, "## {title}\n\n{text}")?;
        changes(&mut page, &types, *version)?;
    }
    fields(&mut page, &types)?;
    words(&mut page, &types)?;
    Ok(page.trim_end().to_owned() + "\n")
}

const INTRODUCTION: &str = "\
# Data model

<!-- Written by `cargo xtask codegen` from the models in crates/lucihub-models-core. Change those, not this page. -->

What runs and devices are, as JSON documents. A document says its version first, `{\"version\": \"v2\", \"run\": {...}}`; a
reader takes every version up to its newest, and refuses a newer one by name. JSON Schemas stand in [schemas](schemas),
types for TypeScript and Python in [bindings](bindings).

";

fn documents(page: &mut String, in_force: &[InForce]) -> Result<()> {
    page.push_str("## Documents\n\n| document | versions | of any version |\n| --- | --- | --- |\n");
    for kind in KINDS {
        let of_kind = in_force.iter().filter(|schema| schema.kind == kind.name);
        let links: Vec<_> = of_kind.map(|schema| format!("[{}](schemas/{})", schema.version, schema.file)).collect();
        writeln!(page, "| `{0}` | {1} | [{0}.json](schemas/{0}.json) |", kind.name, links.join(", "))?;
    }
    page.push('\n');
    Ok(())
}

fn states(page: &mut String) -> Result<()> {
    let mut states: Vec<RunState> = RunState::KNOWN.iter().map(|word| RunState::from(*word)).collect();
    states.push(RunState::Other("unknown".to_owned()));
    page.push_str("## States of a run\n\n```mermaid\nstateDiagram-v2\n    [*] --> queued\n");
    for from in &states {
        for to in &states {
            if from.step_to(to) == Some(Step::Change) {
                writeln!(page, "    {from} --> {to}")?;
            }
        }
    }
    for state in states.iter().filter(|state| state.is_terminal()) {
        writeln!(page, "    {state} --> [*]")?;
    }
    page.push_str(
        "```\n\nTo repeat the present state is a success that writes nothing. `unknown` stands for every word of a newer \
         component: it\nis kept, and has not ended.\n\n",
    );
    Ok(())
}

/// What the module of a version says of it: its first line, and the rest.
fn documentation(root: &Path, version: Version) -> Result<(String, String)> {
    let file = format!("crates/lucihub-models-core/src/{version}/mod.rs");
    let source = fs::read_to_string(root.join(&file)).with_context(|| format!("cannot read {file}"))?;
    let mut lines = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let title = lines.next().with_context(|| format!("{file} does not begin with a `//!` line"))?;
    let text = lines.collect::<Vec<_>>().join("\n");
    Ok((title.trim_end_matches('.').to_owned(), text.trim().to_owned() + "\n"))
}

/// By names of types and fields, since the version before.
fn changes(page: &mut String, types: &Types, version: Version) -> Result<()> {
    let Some((before, old)) = types.range(..version).next_back() else { return Ok(()) };
    page.push_str(&format!(
        "| type | new since {before} | gone | other than in {before} |\n| --- | --- | --- | --- |\n"
    ));
    for (name, definition) in &types[&version] {
        let Some(known) = old.get(name) else {
            writeln!(page, "| `{name}` | the type | | |")?;
            continue;
        };
        let (then, now) = (in_words(known), in_words(definition));
        let new = now.keys().filter(|field| !then.contains_key(*field));
        let gone = then.keys().filter(|field| !now.contains_key(*field));
        let other = now.iter().filter(|(field, words)| then.get(*field).is_some_and(|then| then != *words));
        let cells = [list(new), list(gone), list(other.map(|(field, _)| field))];
        if cells.iter().any(|cell| !cell.is_empty()) {
            writeln!(page, "| `{name}` | {} |", cells.join(" | "))?;
        }
    }
    page.push('\n');
    Ok(())
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The fields of a type, each with its type in words.
fn in_words(definition: &Value) -> BTreeMap<String, String> {
    let demanded =
        |field: &str| definition["required"].as_array().is_some_and(|names| names.iter().any(|name| name == field));
    let fields = definition["properties"].as_object().into_iter().flatten();
    fields
        .map(|(field, part)| {
            let optional = if demanded(field) { "" } else { "optional " };
            (field.clone(), format!("{optional}{}", type_name(part)))
        })
        .collect()
}

fn fields(page: &mut String, types: &Types) -> Result<()> {
    let mut newest: BTreeMap<&String, &Value> = BTreeMap::new();
    types.values().for_each(|of_version| newest.extend(of_version));
    page.push_str("## Fields\n\nAn optional field may be absent.\n\n");
    for (name, definition) in newest.iter().filter(|(_, definition)| definition["properties"].is_object()) {
        let openness = match definition.get("additionalProperties") {
            Some(Value::Bool(true)) => "Unknown fields are kept.",
            Some(Value::Bool(false)) => "Unknown fields are refused.",
            _ => "Unknown fields are dropped.",
        };
        writeln!(page, "### {name}\n\n{} {openness}\n", plain(definition))?;
        let heads: Vec<_> = types.keys().map(|version| version.as_str()).collect();
        writeln!(page, "| field | {} | unit | what it is |", heads.join(" | "))?;
        writeln!(page, "| --- |{} --- | --- |", " --- |".repeat(heads.len()))?;
        let mut all: BTreeMap<&String, &Value> = BTreeMap::new();
        for of_version in types.values() {
            all.extend(of_version.get(*name).and_then(|known| known["properties"].as_object()).into_iter().flatten());
        }
        for (field, last) in all {
            let cell = |of_version: &BTreeMap<String, Value>| in_words(of_version.get(*name)?).remove(field);
            let cells: Vec<_> = types.values().map(|types| cell(types).unwrap_or_else(|| "-".to_owned())).collect();
            let unit = last["x-unit"].as_str().unwrap_or_default();
            writeln!(page, "| `{field}` | {} | {unit} | {} |", cells.join(" | "), plain(last))?;
        }
        page.push('\n');
    }
    Ok(())
}

/// The types that are no objects.
fn words(page: &mut String, types: &Types) -> Result<()> {
    let mut newest: BTreeMap<&String, &Value> = BTreeMap::new();
    types.values().for_each(|of_version| newest.extend(of_version));
    page.push_str("## Words and plain values\n\n| type | form | what it is | known words, or an example |\n");
    page.push_str("| --- | --- | --- | --- |\n");
    for (name, definition) in newest.iter().filter(|(_, definition)| !definition["properties"].is_object()) {
        let form = ["format", "pattern"].iter().find_map(|keyword| definition[keyword].as_str());
        let form = form.map_or_else(|| type_name(definition), |form| format!("`{form}`"));
        let examples: Vec<_> =
            definition["examples"].as_array().into_iter().flatten().map(|example| format!("`{example}`")).collect();
        writeln!(
            page,
            "| <a id=\"{}\"></a>`{name}` | {form} | {} | {} |",
            name.to_lowercase(),
            plain(definition),
            examples.join(", ")
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::documents::models;
    use super::*;

    fn all() -> Vec<InForce> {
        let models = models().unwrap().into_iter();
        models
            .map(|model| InForce {
                kind: model.kind,
                version: model.version,
                file: format!("{}/{}.json", model.version, model.kind),
                schema: model.schema,
            })
            .collect()
    }

    fn text() -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        page(root, &all()).unwrap()
    }

    #[test]
    fn the_diagram_is_the_transition_table() {
        let page = text();
        for line in [
            "[*] --> queued",
            "queued --> inprogress",
            "inprogress --> failed",
            "unknown --> succeeded",
            "failed --> [*]",
        ] {
            assert!(page.contains(&format!("\n    {line}\n")), "{line}");
        }
        assert!(!page.contains("queued --> succeeded") && !page.contains("succeeded --> failed"));
    }

    #[test]
    fn fields_stand_by_version() {
        let page = text();
        for line in [
            "## Version 2: what changed since version 1",
            "| `StateChange` | `at`, `reason`, `state` | `status`, `timestamp` |  |",
            "| `Device` | `entity_digest`, `firmware`, `seen_at` |  | `input_type`, `parameter_schema` |",
            "| `timestamp` | [Timestamp](#timestamp) | - |  | When it changed. |",
            "| `op_time_ns` | - | optional integer | ns | How long it shall integrate, in nanoseconds. |",
            "| `head` | - | [RunHead](#runhead) |  | Everything but log lines and samples. |",
        ] {
            assert!(page.contains(line), "{line} is not in:\n{page}");
        }
    }

    #[test]
    fn a_type_means_one_thing_in_a_version() {
        let mut schemas = all();
        schemas[1].schema["$defs"]["RunHead"] = serde_json::json!({ "type": "string" });
        schemas[1].kind = "device";
        let error = types(&schemas).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("of RunHead what another document of v2 does not"), "{error}");
    }
}
