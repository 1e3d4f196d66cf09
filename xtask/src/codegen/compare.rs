//! Two schemas of the same documents: what differs, by field and rule, and whether a reader of the newer one still
//! understands what was written by the older one.
//!
//! Annotations, such as descriptions and examples, make no difference. A unit does.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

/// What a field breaks, or only changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A field that documents have is not known any more.
    FieldRemoved,
    /// A new field; whether an older reader keeps it, and whether a document must have it.
    FieldAdded { kept: bool, demanded: bool },
    /// A field that may be absent must be there.
    Demanded,
    /// A field that was always there may be absent.
    Optional,
    /// Other values than before: which keyword of JSON Schema says so, and whether it takes all of the old ones.
    Values { keyword: &'static str, takes_old: bool },
    /// Unknown fields were kept, and are refused.
    Closed,
    /// Unknown fields were refused, and are kept.
    Opened,
    /// The same number means something else.
    Unit,
    /// What an absent field stands for.
    Default,
    /// A keyword that this comparison does not weigh.
    Unweighed(String),
}

/// A difference, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// By names of fields from the top of a document; `*` is each item of a list, `{}` each value of a map.
    pub(super) place: String,
    pub(super) rule: Rule,
    detail: String,
}

impl Difference {
    /// Whether a document of before would be refused, lose something, or mean something else.
    pub(super) fn breaks(&self) -> bool {
        match &self.rule {
            Rule::FieldRemoved | Rule::Demanded | Rule::Closed | Rule::Unit | Rule::Default | Rule::Unweighed(_) => {
                true
            }
            Rule::FieldAdded { demanded, .. } => *demanded,
            Rule::Values { takes_old, .. } => !takes_old,
            Rule::Optional | Rule::Opened => false,
        }
    }

    /// Whether readers of before keep it as an unknown field, and lose nothing without.
    pub(super) fn is_addition(&self) -> bool {
        self.rule == Rule::FieldAdded { kept: true, demanded: false }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, rule, detail } = self;
        match rule {
            Rule::FieldRemoved => write!(f, "{place}: the field is gone (rule: no field is removed)"),
            Rule::FieldAdded { demanded: true, .. } => {
                write!(f, "{place}: a new field that must be there (rule: a new field is optional)")
            }
            Rule::FieldAdded { kept: false, .. } => {
                write!(f, "{place}: a new field that older readers refuse or lose (rule: only open objects grow)")
            }
            Rule::FieldAdded { .. } => write!(f, "{place}: a new field"),
            Rule::Demanded => write!(f, "{place}: the field must be there (rule: an optional field stays optional)"),
            Rule::Optional => write!(f, "{place}: the field may be absent"),
            Rule::Values { keyword, takes_old: false } => {
                write!(f, "{place}: {keyword} {detail} (rule: every value of before is taken)")
            }
            Rule::Values { keyword, .. } => write!(f, "{place}: {keyword} {detail}"),
            Rule::Closed => write!(f, "{place}: unknown fields are refused (rule: an open object stays open)"),
            Rule::Opened => write!(f, "{place}: unknown fields are kept"),
            Rule::Unit => write!(f, "{place}: unit {detail} (rule: a number keeps its unit)"),
            Rule::Default => write!(f, "{place}: default {detail} (rule: an absent field keeps its meaning)"),
            Rule::Unweighed(keyword) => write!(f, "{place}: {keyword} {detail} (rule: {keyword} stays)"),
        }
    }
}

/// All differences between two schemas, from the top of a document.
pub(super) fn compare(old: &Value, new: &Value) -> Vec<Difference> {
    let mut comparison = Comparison { old, new, within: BTreeSet::new(), found: Vec::new() };
    comparison.schemas("", old, new);
    comparison.found
}

const ANNOTATIONS: &[&str] = &["$comment", "$defs", "$id", "$schema", "deprecated", "description", "examples", "title"];

#[derive(Debug)]
struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    /// The pairs of definitions that the present place is within: a type may hold itself.
    within: BTreeSet<(String, String)>,
    found: Vec<Difference>,
}

impl Comparison<'_> {
    fn report(&mut self, place: &str, rule: Rule, detail: impl Into<String>) {
        let place = if place.is_empty() { "/".to_owned() } else { place.to_owned() };
        self.found.push(Difference { place, rule, detail: detail.into() });
    }

    fn schemas(&mut self, place: &str, old: &Value, new: &Value) {
        let names = (reference(old).to_owned(), reference(new).to_owned());
        let named = !names.0.is_empty() || !names.1.is_empty();
        if named && !self.within.insert(names.clone()) {
            return;
        }
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        match (alternatives(&old), alternatives(&new)) {
            (None, None) => self.resolved(place, &old, &new),
            (before, after) => {
                let before = before.unwrap_or_else(|| vec![Value::Object(old)]);
                let after = after.unwrap_or_else(|| vec![Value::Object(new)]);
                self.choices(place, &before, &after);
            }
        }
        if named {
            self.within.remove(&names);
        }
    }

    /// As many as before: each is compared with its own. Else one of the new ones has to take each of the old ones.
    fn choices(&mut self, place: &str, before: &[Value], after: &[Value]) {
        if before.len() == after.len() {
            before.iter().zip(after).for_each(|(old, new)| self.schemas(place, old, new));
            return;
        }
        let taken = |old: &Value| {
            after.iter().any(|new| {
                let mut part =
                    Comparison { old: self.old, new: self.new, within: self.within.clone(), found: Vec::new() };
                part.schemas(place, old, new);
                !part.found.iter().any(Difference::breaks)
            })
        };
        let takes_old = before.iter().all(taken);
        let detail = format!("had {} choices, now {}", before.len(), after.len());
        self.report(place, Rule::Values { keyword: "anyOf", takes_old }, detail);
    }

    fn resolved(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let keywords: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for keyword in keywords {
            let (before, after) = (old.get(keyword), new.get(keyword));
            match &**keyword {
                "properties" | "required" | "additionalProperties" => {}
                "type" => self.types(place, before, after),
                "items" => match (before, after) {
                    (Some(before), Some(after)) => self.schemas(&format!("{place}/*"), before, after),
                    _ => self.values(place, "items", before, after, after.is_none()),
                },
                "minimum" => self.bound(place, "minimum", before, after, |old, new| new <= old),
                "maximum" => self.bound(place, "maximum", before, after, |old, new| new >= old),
                "const" => self.values(place, "const", before, after, after.is_none()),
                "enum" => self.values(place, "enum", before, after, after.is_none()),
                "pattern" => self.values(place, "pattern", before, after, after.is_none()),
                "format" => self.values(place, "format", before, after, after.is_none()),
                annotation if ANNOTATIONS.contains(&annotation) => {}
                _ if before == after => {}
                "x-unit" => self.report(place, Rule::Unit, change(before, after)),
                "default" => self.report(place, Rule::Default, change(before, after)),
                _ => self.report(place, Rule::Unweighed(keyword.clone()), change(before, after)),
            }
        }
        self.fields(place, old, new);
    }

    fn fields(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let none = Map::new();
        let properties =
            |schema: &Map<String, Value>| schema.get("properties").and_then(Value::as_object).unwrap_or(&none).clone();
        let demands = |schema: &Map<String, Value>, name: &str| {
            let names = schema.get("required").and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|demanded| demanded == name))
        };
        let (before, after) = (properties(old), properties(new));
        for (name, schema) in &before {
            let place = format!("{place}/{name}");
            let Some(now) = after.get(name) else {
                self.report(&place, Rule::FieldRemoved, "");
                continue;
            };
            match (demands(old, name), demands(new, name)) {
                (false, true) => self.report(&place, Rule::Demanded, ""),
                (true, false) => self.report(&place, Rule::Optional, ""),
                _ => {}
            }
            self.schemas(&place, schema, now);
        }
        // An object that says nothing of unknown fields drops them: only one that says so keeps them.
        let kept = old.get("additionalProperties") == Some(&Value::Bool(true));
        for name in after.keys().filter(|name| !before.contains_key(*name)) {
            let rule = Rule::FieldAdded { kept, demanded: demands(new, name) };
            self.report(&format!("{place}/{name}"), rule, "");
        }
        match (old.get("additionalProperties"), new.get("additionalProperties")) {
            (Some(Value::Object(_)), Some(Value::Object(_))) => {
                let (before, after) = (&old["additionalProperties"], &new["additionalProperties"]);
                self.schemas(&format!("{place}/{{}}"), before, after);
            }
            (before, after) if before == after => {}
            (Some(Value::Bool(false)), _) | (None, Some(Value::Bool(true))) => self.report(place, Rule::Opened, ""),
            _ => self.report(place, Rule::Closed, ""),
        }
    }

    fn types(&mut self, place: &str, before: Option<&Value>, after: Option<&Value>) {
        let names = |types: Option<&Value>| -> Option<BTreeSet<String>> {
            match types? {
                Value::Array(names) => Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
                name => Some(name.as_str().map(str::to_owned).into_iter().collect()),
            }
        };
        let (before_names, after_names) = (names(before), names(after));
        let takes_old = match (&before_names, &after_names) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(old), Some(new)) => {
                old.iter().all(|name| new.contains(name) || (name == "integer" && new.contains("number")))
            }
        };
        if before_names != after_names {
            self.values(place, "type", before, after, takes_old);
        }
    }

    fn bound(
        &mut self,
        place: &str,
        keyword: &'static str,
        before: Option<&Value>,
        after: Option<&Value>,
        holds: fn(f64, f64) -> bool,
    ) {
        let takes_old = match (before.and_then(Value::as_f64), after.and_then(Value::as_f64)) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(old), Some(new)) => holds(old, new),
        };
        self.values(place, keyword, before, after, takes_old);
    }

    fn values(
        &mut self,
        place: &str,
        keyword: &'static str,
        before: Option<&Value>,
        after: Option<&Value>,
        takes_old: bool,
    ) {
        if before != after {
            self.report(place, Rule::Values { keyword, takes_old }, change(before, after));
        }
    }
}

fn change(before: Option<&Value>, after: Option<&Value>) -> String {
    let text = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::to_string);
    format!("was {}, now {}", text(before), text(after))
}

fn reference(schema: &Value) -> &str {
    schema.get("$ref").and_then(Value::as_str).unwrap_or_default()
}

/// A schema with what it refers to in its own place; what stands beside a reference holds too.
pub(super) fn resolve(document: &Value, schema: &Value) -> Map<String, Value> {
    let Some(fields) = schema.as_object() else { return Map::new() };
    let Some(pointer) = reference(schema).strip_prefix('#') else { return fields.clone() };
    let mut resolved = document.pointer(pointer).map(|target| resolve(document, target)).unwrap_or_default();
    resolved
        .extend(fields.iter().filter(|(name, _)| *name != "$ref").map(|(name, value)| (name.clone(), value.clone())));
    resolved
}

/// The schemas of which one is to hold, where `anyOf` or `oneOf` lists them. What stands beside the list holds for each.
pub(super) fn alternatives(schema: &Map<String, Value>) -> Option<Vec<Value>> {
    let (keyword, listed) = ["anyOf", "oneOf"].iter().find_map(|word| Some((*word, schema.get(*word)?.as_array()?)))?;
    let mut beside = schema.clone();
    beside.retain(|name, _| name != keyword && !ANNOTATIONS.contains(&&**name));
    let with_beside = |schema: &Value| {
        let mut fields = schema.as_object().cloned().unwrap_or_default();
        fields.extend(beside.clone());
        Value::Object(fields)
    };
    Some(listed.iter().map(with_beside).collect())
}

#[cfg(test)]
mod tests;
