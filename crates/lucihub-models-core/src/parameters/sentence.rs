//! What a violation says to people: the thing, what is wrong, the limit.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use crate::id::shorten;

/// The sentence. `value` is what stands there, `title` what the schema calls it.
pub(super) fn of(kind: &Kind, value: &Value, title: Option<&str>) -> String {
    let shown = shown(value);
    let size = value.as_array().map_or_else(|| value.as_object().map_or(0, serde_json::Map::len), Vec::len);
    let said = match kind {
        Kind::Maximum { limit } => format!("{shown} is greater than {limit}, the greatest value"),
        Kind::Minimum { limit } => format!("{shown} is less than {limit}, the least value"),
        Kind::ExclusiveMaximum { limit } => format!("{shown} is not less than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("{shown} is not greater than {limit}"),
        Kind::Enum { options } => format!("{shown} is none of {}", shorten(&options.to_string())),
        Kind::Constant { expected_value } => format!("{shown} is not {}", shorten(&expected_value.to_string())),
        Kind::MaxItems { limit } => format!("one of {size} items; at most {limit} are allowed"),
        Kind::MinItems { limit } => format!("{size} items; at least {limit} are needed"),
        Kind::MaxProperties { limit } => format!("{size} keys; at most {limit} are allowed"),
        Kind::MinProperties { limit } => format!("{size} keys; at least {limit} are needed"),
        Kind::MaxLength { limit } => format!("{shown} is longer than {limit} characters"),
        Kind::MinLength { limit } => format!("{shown} is shorter than {limit} characters"),
        Kind::Pattern { pattern } => format!("{shown} does not match {}", shorten(pattern)),
        Kind::Required { property } => format!("the key {property} is missing"),
        Kind::Type { kind: TypeKind::Single(kind) } => format!("{shown} is of another type than {kind}"),
        Kind::Type { kind: TypeKind::Multiple(kinds) } => {
            let kinds: Vec<String> = kinds.iter().map(|kind| kind.to_string()).collect();
            format!("{shown} is of another type than {}", kinds.join(" or "))
        }
        Kind::UniqueItems => "two of its items are equal".to_owned(),
        Kind::FalseSchema => "nothing may stand here; leave it out".to_owned(),
        other => format!("{shown} breaks {}", other.keyword()),
    };
    title.map_or(said.clone(), |title| format!("{title}: {said}"))
}

/// A key that the schema does not know.
pub(super) fn of_unknown_key(key: &str, title: Option<&str>) -> String {
    let thing = title.map_or_else(String::new, |title| format!("{title}: "));
    format!("{thing}the key {:?} is not one that may stand here; leave it out", shorten(key))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(keys) => format!("an object of {} keys", keys.len()),
        scalar => shorten(&scalar.to_string()),
    }
}
