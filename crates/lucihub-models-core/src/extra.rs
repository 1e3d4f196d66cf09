//! Fields of a document that this version does not know.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Unknown fields of a known version. They survive reading and writing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extra(Map<String, Value>);

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

    /// The fields as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
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
