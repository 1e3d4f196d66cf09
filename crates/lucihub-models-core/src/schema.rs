//! JSON Schema 2020-12 of the documents of one version.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value};

use crate::version::Version;

/// Below this stand the schemas of the versions, as `v1/run.json`.
const BASE: &str = "https://raw.githubusercontent.com/anabrid/lucihub/main/docs/schemas";

/// The schema of a document `{"version": "v1", "run": {...}}`: `kind` is the second field, `T` what it holds.
pub(crate) fn document<T: JsonSchema>(kind: &str, version: Version) -> String {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let model = generator.subschema_for::<T>();
    let definitions = generator.take_definitions(true);
    let mut title: String = kind.to_owned();
    title[..1].make_ascii_uppercase();
    let mut schema = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{BASE}/{version}/{kind}.json"),
        "title": format!("{title}Document"),
        "description": format!("A {kind} of version {}, as a document that says its version first.", &version.as_str()[1..]),
        "type": "object",
        "properties": {
            "version": { "const": version.as_str(), "description": "The version of the document." },
            kind: model
        },
        "required": ["version", kind],
        "$defs": definitions
    });
    RecursiveTransform(for_readers_of_json).transform(&mut schema);
    Value::from(schema).to_string()
}

/// Documentation is written for readers of Rust: examples of code and links to items stay there.
fn for_readers_of_json(schema: &mut Schema) {
    let Some(fields) = schema.as_object_mut() else { return };
    if let Some(Value::String(text)) = fields.get_mut("description") {
        *text = plain(text);
    }
    // A number's range is said by its bounds; these formats are no standard ones.
    if fields.get("format").and_then(Value::as_str).is_some_and(|format| bounds(format).is_some()) {
        bound(fields);
    }
}

/// Replaces a format such as `uint32` by the bounds that it stands for.
fn bound(fields: &mut Map<String, Value>) {
    let Some(Value::String(format)) = fields.remove("format") else { return };
    if let Some((least, most)) = bounds(&format) {
        fields.entry("minimum").or_insert(least);
        fields.entry("maximum").or_insert(most);
    }
}

fn bounds(format: &str) -> Option<(Value, Value)> {
    match format {
        "uint32" => Some((0.into(), u32::MAX.into())),
        "uint64" => Some((0.into(), u64::MAX.into())),
        "int32" => Some((i32::MIN.into(), i32::MAX.into())),
        _ => None,
    }
}

/// A doc comment without code, links and line breaks inside paragraphs.
fn plain(text: &str) -> String {
    let mut code = false;
    let mut paragraphs = vec![String::new()];
    for line in text.lines().map(str::trim) {
        if line.starts_with("```") {
            code = !code;
        } else if line.is_empty() {
            paragraphs.push(String::new());
        } else if let Some(last) = paragraphs.last_mut().filter(|_| !code) {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(line);
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n").replace("[`", "`").replace("`]", "`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_for_readers_of_json() {
        let text = "One\nsentence on [`Run`].\n\n```\nlet code = 1;\n```\n\nAnd another.";
        assert_eq!(plain(text), "One sentence on `Run`.\n\nAnd another.");
    }

    #[test]
    fn numbers_have_bounds_and_no_format_of_rust() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Numbers {
            a: u32,
            b: Option<u64>,
            c: i32,
            #[schemars(range(max = 7))]
            d: u32,
        }
        let schema: Value = serde_json::from_str(&document::<Numbers>("run", Version::V2)).unwrap();
        let fields = &schema["$defs"]["Numbers"]["properties"];
        let bounds = |name: &str| (fields[name]["minimum"].clone(), fields[name]["maximum"].clone());
        assert_eq!(bounds("a"), (0.into(), u32::MAX.into()));
        assert_eq!(bounds("b"), (0.into(), u64::MAX.into()));
        assert_eq!(bounds("c"), (i32::MIN.into(), i32::MAX.into()));
        assert_eq!(bounds("d"), (0.into(), 7.into()));
        assert!(fields["a"].get("format").is_none(), "{fields}");
    }
}
