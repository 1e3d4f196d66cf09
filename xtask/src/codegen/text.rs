//! JSON as it stands in the repository: the same text on every machine, with what people look for first at the top.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// What comes before the other keys, and after them.
const FIRST: &[&str] = &["$schema", "$id", "about", "version", "title", "description", "type", "x-unit"];
const LAST: &[&str] = &["examples", "$defs"];

/// The text of a file.
///
/// # Errors
/// Never, for a JSON value.
pub(super) fn text(value: &Value) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Ordered(value)).map(|text| text + "\n")
}

/// A value whose keys come in one order, whatever order its maps keep.
struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => {
                let mut names: Vec<_> = fields.keys().collect();
                names.sort_by_key(|name| (rank(name), *name));
                let mut map = serializer.serialize_map(Some(names.len()))?;
                for name in names {
                    map.serialize_entry(name, &Ordered(&fields[name]))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Ordered(item))?;
                }
                list.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}

fn rank(name: &str) -> usize {
    let place = |list: &[&str]| list.iter().position(|known| *known == name);
    place(FIRST).or_else(|| place(LAST).map(|at| FIRST.len() + 1 + at)).unwrap_or(FIRST.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_come_in_one_order() {
        let value = json!({ "$defs": {}, "b": 1, "a": [{ "z": -0.0, "type": "x" }], "$id": "i" });
        let one_line = text(&value).unwrap().split_whitespace().collect::<String>();
        assert_eq!(one_line, r#"{"$id":"i","a":[{"type":"x","z":-0.0}],"b":1,"$defs":{}}"#);
    }
}
