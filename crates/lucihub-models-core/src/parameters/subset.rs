//! Which part of JSON Schema a parameter schema may use.
//!
//! What is left out either has no sentence that helps (`anyOf`, `not`), is checked in some programs and not in others
//! (`format`), or can cost any time (`patternProperties`, references that lead back).

use serde_json::{Map, Value};

use super::rules::Rule;
use crate::error::Invalid;
use crate::id::shorten;
use crate::json::pointer::{push_item, push_key};

/// What an error names.
pub(super) const THING: &str = "parameter schema";
/// The one dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// At the root alone.
const AT_ROOT: [&str; 3] = ["$schema", "$id", "$defs"];
/// Everywhere.
const KEYWORDS: [&str; 28] = [
    "$ref",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "required",
    "additionalProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "x-lucihub-rules",
];
/// Subschemas, each counted once for every way that leads to it: the work at one place of an input.
const MOST_SUBSCHEMAS: usize = 10_000;
/// Levels of subschemas, with what references lead to.
const MOST_LEVELS: usize = 128;
/// Values of one `enum`, and characters of one `pattern`.
const MOST_VALUES: usize = 1_000;

/// Checks that a schema uses nothing else, and that its size is bounded.
pub(super) fn check(schema: &Value) -> Result<(), Invalid> {
    Walk { root: schema, seen: 0 }.subschema(schema, &mut String::new(), 0)
}

struct Walk<'a> {
    root: &'a Value,
    seen: usize,
}

impl<'a> Walk<'a> {
    fn subschema(&mut self, schema: &'a Value, at: &mut String, level: usize) -> Result<(), Invalid> {
        self.seen += 1;
        if self.seen > MOST_SUBSCHEMAS {
            let problem = format!("more than {MOST_SUBSCHEMAS} subschemas, those behind $ref counted each time");
            return Err(Invalid::new(THING, problem).hint("make it smaller").at(at.as_str()));
        }
        if level > MOST_LEVELS {
            let problem = format!("subschemas nested deeper than {MOST_LEVELS} levels");
            return Err(Invalid::new(THING, problem).hint("let no $ref lead back to where it stands").at(at.as_str()));
        }
        let keywords = match schema {
            Value::Bool(_) => return Ok(()),
            Value::Object(keywords) => keywords,
            _ => return Err(wrong(at, "a schema is an object, true or false", "")),
        };
        for (keyword, value) in keywords {
            let (keyword, before) = (keyword.as_str(), at.len());
            push_key(at, keyword);
            let is_allowed = KEYWORDS.contains(&keyword) || level == 0 && AT_ROOT.contains(&keyword);
            if !is_allowed {
                let problem = format!("the keyword {:?} is not one that it may use", shorten(keyword));
                let hint = format!("use {}; at the root {} too", KEYWORDS.join(", "), AT_ROOT.join(", "));
                return Err(wrong(at, &problem, &hint));
            }
            self.keyword(keyword, value, at, level)?;
            at.truncate(before);
        }
        Ok(())
    }

    fn keyword(&mut self, keyword: &str, value: &'a Value, at: &mut String, level: usize) -> Result<(), Invalid> {
        match (keyword, value) {
            ("items" | "additionalProperties" | "propertyNames", inner) => self.subschema(inner, at, level + 1),
            ("properties" | "$defs", Value::Object(inner)) => self.named(inner, at, level),
            ("prefixItems", Value::Array(inner)) => {
                for (index, schema) in inner.iter().enumerate() {
                    let before = at.len();
                    push_item(at, index);
                    self.subschema(schema, at, level + 1)?;
                    at.truncate(before);
                }
                Ok(())
            }
            ("$ref", target) => {
                let name = target.as_str().and_then(|target| target.strip_prefix("#/$defs/"));
                let name = name.filter(|name| !name.contains(['/', '~', '%']));
                let target = name.and_then(|name| self.root.get("$defs")?.get(name));
                let target = target.ok_or_else(|| {
                    wrong(at, "it names no schema of this document", "use \"#/$defs/NAME\" with a NAME that is there")
                })?;
                self.subschema(target, at, level + 1)
            }
            ("$schema", Value::String(dialect)) if dialect == DIALECT => Ok(()),
            ("$schema", _) => Err(wrong(at, "another dialect of JSON Schema", &format!("use {DIALECT:?}"))),
            ("$id", Value::String(id)) if !id.is_empty() && id.len() <= 256 && !id.contains(char::is_whitespace) => {
                Ok(())
            }
            ("$id", _) => Err(wrong(at, "no id", "use 1 to 256 bytes without white space, or leave it out")),
            ("enum", Value::Array(values)) if values.len() > MOST_VALUES => {
                Err(wrong(at, &format!("{} values", values.len()), &format!("the limit is {MOST_VALUES}")))
            }
            ("pattern", Value::String(pattern)) if pattern.len() > MOST_VALUES => {
                Err(wrong(at, &format!("{} bytes", pattern.len()), &format!("the limit is {MOST_VALUES}")))
            }
            ("x-lucihub-rules", rules) => check_rules(rules, at),
            // Their values are checked by the meta-schema.
            _ => Ok(()),
        }
    }

    fn named(&mut self, schemas: &'a Map<String, Value>, at: &mut String, level: usize) -> Result<(), Invalid> {
        for (name, schema) in schemas {
            let before = at.len();
            push_key(at, name);
            self.subschema(schema, at, level + 1)?;
            at.truncate(before);
        }
        Ok(())
    }
}

fn check_rules(rules: &Value, at: &str) -> Result<(), Invalid> {
    let known = Rule::ALL.map(Rule::name).join(", ");
    let Some(names) = rules.as_array() else {
        return Err(wrong(at, "no list of rules", &format!("there are {known}")));
    };
    match names.iter().find(|name| name.as_str().and_then(Rule::named).is_none()) {
        Some(name) => {
            let name = shorten(&name.to_string());
            Err(wrong(at, &format!("there is no rule {name}"), &format!("there are {known}")))
        }
        None => Ok(()),
    }
}

fn wrong(at: &str, problem: &str, hint: &str) -> Invalid {
    Invalid::new(THING, format!("at {:?}: {problem}", shorten(at))).hint(hint).at(at)
}
