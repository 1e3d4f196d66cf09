//! All documents of one version in one schema, as the generators take it: each type once.

use std::collections::BTreeMap;

use anyhow::Result;
use lucihub_models_core::Version;
use serde_json::{Map, Value, json};

use super::super::capital;
use super::super::data_model::types;
use super::super::frozen::InForce;

/// The name of the type of a document.
pub(super) fn document(kind: &str) -> String {
    format!("{}Document", capital(kind))
}

/// A schema for each version.
///
/// # Errors
/// Where two documents of one version say different things of a type.
pub(super) fn bundles(in_force: &[InForce]) -> Result<BTreeMap<Version, Value>> {
    let mut bundles = BTreeMap::new();
    for (version, definitions) in types(in_force)? {
        let mut definitions: Map<String, Value> = definitions.into_iter().collect();
        let mut documents = Vec::new();
        for schema in in_force.iter().filter(|schema| schema.version == version) {
            let name = document(schema.kind);
            let mut top = schema.schema.clone();
            if let Some(fields) = top.as_object_mut() {
                fields.retain(|keyword, _| !keyword.starts_with('$'));
            }
            documents.push(json!({ "$ref": format!("#/$defs/{name}") }));
            definitions.insert(name, top);
        }
        let mut bundle = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Document",
            "description": format!("Any document of version {}.", &version.as_str()[1..]),
            "oneOf": documents,
            "$defs": definitions,
        });
        say_units(&mut bundle);
        bundles.insert(version, bundle);
    }
    Ok(bundles)
}

/// Generators drop keywords that they do not know, and keep descriptions.
fn say_units(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let unit = fields.get("x-unit").and_then(Value::as_str).filter(|unit| *unit != "1").map(str::to_owned);
            if let (Some(unit), Some(Value::String(description))) = (unit, fields.get_mut("description")) {
                description.push_str(&format!(" Unit: {unit}."));
            }
            fields.values_mut().for_each(say_units);
        }
        Value::Array(items) => items.iter_mut().for_each(say_units),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_stands_once_and_says_its_units() {
        let schema = |kind: &'static str| InForce {
            kind,
            version: Version::V2,
            file: format!("v2/{kind}.json"),
            schema: json!({
                "$id": "i", "title": document(kind), "properties": { kind: { "$ref": "#/$defs/T" } },
                "$defs": { "T": { "properties": {
                    "a": { "description": "A.", "x-unit": "ns" }, "b": { "description": "B.", "x-unit": "1" },
                } } },
            }),
        };
        let bundle = &bundles(&[schema("run"), schema("head")]).unwrap()[&Version::V2];
        assert_eq!(bundle["oneOf"], json!([{ "$ref": "#/$defs/RunDocument" }, { "$ref": "#/$defs/HeadDocument" }]));
        let names: Vec<_> = bundle["$defs"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["HeadDocument", "RunDocument", "T"]);
        assert!(bundle["$defs"]["RunDocument"].get("$id").is_none());
        let fields = &bundle["$defs"]["T"]["properties"];
        assert_eq!((&fields["a"]["description"], &fields["b"]["description"]), (&json!("A. Unit: ns."), &json!("B.")));
    }
}
