//! The fields of a schema by their place in a document, and which of them a document has.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compare::{alternatives, resolve};

/// Every field, as `/run/head/states/*/reason`.
pub(super) fn of_schema(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(schema, schema, None, "", &mut Vec::new(), &mut found);
    found
}

/// The fields of a schema that a document has.
pub(super) fn of_document(schema: &Value, document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(schema, schema, Some(document), "", &mut Vec::new(), &mut found);
    found
}

/// Without a document, all fields there may be; types within themselves are entered once.
fn walk(
    root: &Value,
    schema: &Value,
    value: Option<&Value>,
    place: &str,
    within: &mut Vec<String>,
    found: &mut BTreeSet<String>,
) {
    let name = schema.get("$ref").and_then(Value::as_str);
    if let Some(name) = name {
        if value.is_none() && within.iter().any(|outer| outer == name) {
            return;
        }
        within.push(name.to_owned());
    }
    let resolved = resolve(root, schema);
    for choice in alternatives(&resolved).unwrap_or_default() {
        walk(root, &choice, value, place, within, found);
    }
    for (field, schema) in resolved.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let below = value.map(|value| value.get(field));
        if below != Some(None) {
            let place = format!("{place}/{field}");
            walk(root, schema, below.flatten(), &place, within, found);
            found.insert(place);
        }
    }
    if let Some(items) = resolved.get("items") {
        let place = format!("{place}/*");
        match value {
            None => walk(root, items, None, &place, within, found),
            Some(list) => {
                for item in list.as_array().into_iter().flatten() {
                    walk(root, items, Some(item), &place, within, found);
                }
            }
        }
    }
    if name.is_some() {
        within.pop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_named_by_their_place() {
        let schema = json!({
            "properties": {
                "a": { "anyOf": [{ "$ref": "#/$defs/A" }, { "type": "null" }] },
                "list": { "type": "array", "items": { "$ref": "#/$defs/A" } },
            },
            "$defs": { "A": { "properties": { "b": { "type": "string" }, "again": { "$ref": "#/$defs/A" } } } },
        });
        let all = of_schema(&schema);
        assert_eq!(all.iter().collect::<Vec<_>>(), ["/a", "/a/again", "/a/b", "/list", "/list/*/again", "/list/*/b"]);
        let document = json!({ "a": null, "list": [{ "b": "x" }, { "again": { "b": "y" } }], "other": 1 });
        let some = of_document(&schema, &document);
        assert_eq!(some.iter().collect::<Vec<_>>(), ["/a", "/list", "/list/*/again", "/list/*/again/b", "/list/*/b"]);
    }
}
