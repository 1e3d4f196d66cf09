//! Fields of a document that this version does not know.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Unknown fields of a known version. They survive reading and writing.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(transparent)]
pub struct Extra(Map<String, Value>);

impl Serialize for Extra {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        sorted(&self.0).serialize(serializer)
    }
}

/// With the keys of all objects in order. A map is sorted already, unless some crate of the program asks `serde_json` to
/// keep the order of keys; digests must not depend on that.
fn sorted(fields: &Map<String, Value>) -> Map<String, Value> {
    fn below(value: &Value) -> Value {
        match value {
            Value::Object(fields) => Value::Object(sorted(fields)),
            Value::Array(items) => Value::Array(items.iter().map(below).collect()),
            plain => plain.clone(),
        }
    }
    let mut entries: Vec<_> = fields.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries.into_iter().map(|(key, value)| (key.clone(), below(value))).collect()
}

impl Extra {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the unknown fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How deep the fields are nested: 0 without any, 1 for plain values.
    #[must_use]
    pub fn depth(&self) -> usize {
        fn below(value: &Value) -> usize {
            match value {
                Value::Array(items) => 1 + items.iter().map(below).max().unwrap_or(0),
                Value::Object(fields) => 1 + fields.values().map(below).max().unwrap_or(0),
                _ => 0,
            }
        }
        if self.is_empty() { 0 } else { 1 + self.0.values().map(below).max().unwrap_or(0) }
    }

    /// The fields as one JSON object, its keys in order.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(sorted(&self.0)).to_string()
    }

    /// Bytes that the fields count against limits and memory: 0 without any.
    #[must_use]
    pub fn size(&self) -> usize {
        if self.is_empty() { 0 } else { self.to_json().len() }
    }
}

impl JsonSchema for Extra {
    fn schema_name() -> Cow<'static, str> {
        "Extra".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object", "additionalProperties": true })
    }
}
