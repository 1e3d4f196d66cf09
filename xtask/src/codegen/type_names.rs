//! A schema in the words of a table: `optional list of StateChange`.

use serde_json::Value;

/// The type in plain words, with links to the sections of named types.
pub(super) fn type_name(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let known: Vec<_> = choices.iter().filter(|choice| choice["type"] != "null").map(type_name).collect();
        return known.join(" or ");
    }
    let types = match &schema["type"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        name => Vec::from_iter(name.as_str()),
    };
    match types[..] {
        ["array"] => format!("list of {}", type_name(&schema["items"])),
        ["object"] if schema["additionalProperties"].is_object() => {
            format!("map to {}", type_name(&schema["additionalProperties"]))
        }
        ["string"] => "text".to_owned(),
        [] => "any JSON".to_owned(),
        _ => types.join(" or "),
    }
}

/// A description on one line, fit for a cell.
pub(super) fn plain(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_said_in_words() {
        for (schema, words) in [
            (json!({ "$ref": "#/$defs/Run" }), "[Run](#run)"),
            (json!({ "anyOf": [{ "$ref": "#/$defs/Run" }, { "type": "null" }] }), "[Run](#run)"),
            (json!({ "type": ["integer", "null"] }), "integer"),
            (
                json!({ "type": "array", "items": { "type": "array", "items": { "type": "number" } } }),
                "list of list of number",
            ),
            (json!({ "type": "object", "additionalProperties": { "type": "string" } }), "map to text"),
            (json!({ "description": "Any." }), "any JSON"),
        ] {
            assert_eq!(type_name(&schema), words);
        }
        assert_eq!(plain(&json!({ "description": "a | b\n\nc" })), "a \\| b c");
    }
}
