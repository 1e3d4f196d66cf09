//! Writing a model in an older version: what that leaves out.

use std::fmt;

use serde_json::Value;

/// A part of a document that an older version has no place for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut(String);

impl LeftOut {
    /// Where it stands in the document of the newest version, as a JSON pointer: `/run/head/states/1/reason`.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands in `new` and does not come back by reading `old`, the same document by way of an older version.
pub(crate) fn left_out(new: &Value, old: &Value) -> Vec<LeftOut> {
    let mut found = Vec::new();
    compare("", new, Some(old), &mut found);
    found
}

fn compare(pointer: &str, new: &Value, old: Option<&Value>, found: &mut Vec<LeftOut>) {
    match (new, old) {
        (Value::Object(new), Some(Value::Object(old))) => {
            for (name, value) in new {
                let name_in_pointer = name.replace('~', "~0").replace('/', "~1");
                compare(&format!("{pointer}/{name_in_pointer}"), value, old.get(name), found);
            }
        }
        (Value::Array(new), Some(Value::Array(old))) => {
            for (at, value) in new.iter().enumerate() {
                compare(&format!("{pointer}/{at}"), value, old.get(at), found);
            }
        }
        // As text, since -0.0 equals 0.0 as a number.
        (Value::Number(new), Some(Value::Number(old))) if new.to_string() == old.to_string() => {}
        (new, Some(old)) if new == old && !new.is_number() => {}
        _ => found.push(LeftOut(pointer.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_out_is_named_by_json_pointers() {
        let new = json!({ "a": 1, "b": [{ "c": 1, "x/y~z": 2 }, 3], "d": { "e": null }, "f": -0.0, "g": 0.5 });
        let old = json!({ "a": 2, "b": [{ "c": 1 }], "d": {}, "f": 0.0, "g": 0.5, "made up": 1 });
        let names: Vec<_> = left_out(&new, &old).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["/a", "/b/0/x~1y~0z", "/b/1", "/d/e", "/f"]);
    }
}
