//! What a schema says to people: each field is described, each number has a unit.

use serde_json::{Map, Value};

use super::compare::{alternatives, resolve};
use super::documents::Model;

/// The fields of types that lack one of them. `x-unit` is `1` for a plain number.
pub(super) fn check(models: &[Model]) -> Vec<String> {
    let mut problems = Vec::new();
    for Model { kind, version, schema } in models {
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            for (field, part) in definition["properties"].as_object().into_iter().flatten() {
                let problem = |what: &str| format!("{kind} of {version}: {name}.{field} {what}");
                let resolved = resolve(schema, part);
                if !resolved.get("description").is_some_and(Value::is_string) {
                    problems.push(problem("has no description; write a doc comment"));
                }
                if is_number(schema, &resolved) && !resolved.contains_key("x-unit") {
                    problems
                        .push(problem("is a number without a unit; write #[schemars(extend(\"x-unit\" = \"ns\"))]"));
                }
            }
        }
    }
    problems
}

/// Whether numbers stand there, also in lists.
fn is_number(root: &Value, schema: &Map<String, Value>) -> bool {
    let named = |name: &Value| name == "number" || name == "integer";
    schema
        .get("type")
        .is_some_and(|types| named(types) || types.as_array().is_some_and(|names| names.iter().any(named)))
        || schema.get("items").is_some_and(|items| is_number(root, &resolve(root, items)))
        || alternatives(schema).unwrap_or_default().iter().any(|choice| is_number(root, &resolve(root, choice)))
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::Version;
    use serde_json::json;

    use super::super::documents::models;
    use super::*;

    #[test]
    fn every_field_of_the_models_is_described_and_every_number_has_a_unit() {
        assert_eq!(check(&models().unwrap()), [""; 0]);
    }

    #[test]
    fn what_lacks_one_is_named() {
        let schema = json!({ "$defs": { "A": { "properties": {
            "plain": { "description": "Text.", "type": "string" },
            "silent": { "type": "string" },
            "bare": { "description": "A number.", "type": ["integer", "null"] },
            "list": { "description": "Numbers.", "type": "array", "items": { "$ref": "#/$defs/Exact" } },
        } }, "Exact": { "anyOf": [{ "type": "number" }, { "type": "string" }] } } });
        let problems = check(&[Model { kind: "run", version: Version::V2, schema }]);
        let starts =
            ["run of v2: A.bare is a number", "run of v2: A.list is a number", "run of v2: A.silent has no des"];
        assert_eq!(problems.len(), starts.len(), "{problems:?}");
        assert!(problems.iter().zip(starts).all(|(problem, start)| problem.starts_with(start)), "{problems:?}");
    }
}
