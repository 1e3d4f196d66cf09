//! A parameter schema: read and compiled once, then asked about any number of inputs.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, Keyword, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::rules::Rule;
use super::violation::{Violation, Violations};
use super::{sentence, subset};
use crate::digest::Digest;
use crate::error::Invalid;
use crate::json::JsonText;
use crate::json::pointer::{push_item, push_key};
use crate::limits::Limits;

/// The keyword that names rules.
const RULES: &str = "x-lucihub-rules";
/// What an error names where an input is no strict JSON.
const INPUT: &str = "input";

/// What a valid input of a device looks like: JSON Schema 2020-12, a subset of it, and named rules beyond it. Cloning it
/// is cheap.
///
/// ```
/// use lucihub_models_core::{JsonText, ParameterSchema};
/// let schema: JsonText = r#"{"$id": "lab/1", "properties": {"k": {"enum": [100, 10000]}}}"#.parse()?;
/// let schema = ParameterSchema::parse(&schema)?;
/// let wrong = schema.check(&r#"{"k": 500}"#.parse()?).unwrap_err();
/// assert_eq!(wrong.violations[0].pointer, "/k");
/// assert_eq!(wrong.violations[0].to_string(), "500 is none of [100,10000]");
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Clone)]
pub struct ParameterSchema(Arc<Compiled>);

struct Compiled {
    id: String,
    text: JsonText,
    schema: Value,
    validator: Validator,
}

impl fmt::Debug for ParameterSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ParameterSchema").field(&self.0.id).finish()
    }
}

impl ParameterSchema {
    /// Reads and compiles a schema. Nothing is fetched.
    ///
    /// # Errors
    /// [`Invalid`] with the pointer to what is no JSON Schema, or beyond the subset.
    pub fn parse(text: &JsonText) -> Result<Self, Invalid> {
        text.check(subset::THING, &Limits::default())?;
        let mut schema = value(subset::THING, text)?;
        subset::check(&schema)?;
        let own = schema.as_object_mut().and_then(|keywords| {
            keywords.remove("$schema");
            keywords.remove("$id")
        });
        let digest = || format!("blake3:{}", Digest::of(text.as_str().as_bytes()));
        let id = own.as_ref().and_then(Value::as_str).map_or_else(digest, str::to_owned);
        // An engine without backtracking: no pattern takes longer than its length times that of the text.
        let patterns = PatternOptions::regex().size_limit(1 << 20).dfa_size_limit(1 << 20);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(patterns)
            .offline()
            .with_keyword(RULES, |_, names, _| Ok(Box::new(Rules::of(names))))
            .build(&schema)
            .map_err(|error| {
                let at = error.instance_path().as_str().to_owned();
                let said = crate::id::shorten(&error.to_string());
                Invalid::new(subset::THING, format!("no JSON Schema at {:?}: {said}", crate::id::shorten(&at))).at(at)
            })?;
        Ok(Self(Arc::new(Compiled { id, text: text.clone(), schema, validator })))
    }

    /// The schema of circuits of one LUCIDAC.
    ///
    /// # Errors
    /// None, unless this library was built wrong.
    pub fn lucidac() -> Result<Self, Invalid> {
        Self::parse(&JsonText::from_stored(include_str!("lucidac.json")))
    }

    /// The schema of circuits of a REDAC: carriers with up to three clusters.
    ///
    /// # Errors
    /// None, unless this library was built wrong.
    pub fn redac() -> Result<Self, Invalid> {
        Self::parse(&JsonText::from_stored(include_str!("redac.json")))
    }

    /// Its `$id`, or `blake3:` and the digest of its text.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &JsonText {
        &self.0.text
    }

    /// Checks an input. While it does, it holds some hundred bytes for each thing that is wrong.
    ///
    /// # Errors
    /// [`Violations`]: all that is wrong, in the order of the document.
    pub fn check(&self, input: &JsonText) -> Result<(), Violations> {
        let limits = Limits::default();
        let strict = input.check(INPUT, &limits).and_then(|()| value(INPUT, input));
        let instance = match strict {
            Ok(instance) => instance,
            Err(invalid) => return Err(Violations { violations: vec![not_strict(&invalid)], more: 0 }),
        };
        if self.0.validator.is_valid(&instance) {
            return Ok(());
        }
        if let Err(invalid) = check_ways(input, &limits) {
            return Err(Violations { violations: vec![not_strict(&invalid)], more: 0 });
        }
        let mut found = Vec::new();
        for error in self.0.validator.iter_errors(&instance) {
            self.tell(&error, &instance, &mut found);
        }
        sort(&mut found, input, &limits);
        let more = found.len().saturating_sub(Self::MOST);
        found.truncate(Self::MOST);
        Err(Violations { violations: found, more: more as u64 })
    }

    const MOST: usize = 1_000;

    fn tell(&self, error: &ValidationError<'_>, instance: &Value, found: &mut Vec<Violation>) {
        let at = error.instance_path().as_str();
        let title = self.title(error.schema_path().as_str());
        let mut push = |pointer: String, rule: &str, sentence: String| {
            let value = instance.pointer(&pointer).and_then(scalar);
            found.push(Violation { pointer, rule: rule.to_owned(), value, sentence });
        };
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    push(below(at, key), "additionalProperties", sentence::of_unknown_key(key, title));
                }
            }
            // Where a schema names no key at all, the validator says this of the object.
            Kind::FalseSchema if error.schema_path().as_str().ends_with("/additionalProperties") => {
                for key in instance.pointer(at).and_then(Value::as_object).into_iter().flat_map(|object| object.keys())
                {
                    push(below(at, key), "additionalProperties", sentence::of_unknown_key(key, title));
                }
            }
            Kind::PropertyNames { error: inner } => {
                let key = inner.instance().as_str().unwrap_or_default();
                let said = sentence::of(inner.kind(), inner.instance(), title);
                push(below(at, key), "propertyNames", said);
            }
            Kind::MaxItems { limit } => {
                let first = format!("{at}/{limit}");
                push(first, "maxItems", sentence::of(error.kind(), error.instance(), title));
            }
            Kind::Custom { message, .. } => {
                let (Some(rule), Some(value)) = (Rule::named(message), instance.pointer(at)) else { return };
                for broken in rule.broken(value) {
                    let mut pointer = at.to_owned();
                    broken.steps.iter().for_each(|step| push_item(&mut pointer, *step));
                    push(pointer, rule.name(), broken.sentence);
                }
            }
            kind => push(at.to_owned(), kind.keyword(), sentence::of(kind, error.instance(), title)),
        }
    }

    /// What the schema calls the thing that a keyword is about.
    fn title(&self, keyword: &str) -> Option<&str> {
        let (schema, _) = keyword.rsplit_once('/')?;
        self.0.schema.pointer(schema)?.get("title")?.as_str()
    }
}

fn value(thing: &str, text: &JsonText) -> Result<Value, Invalid> {
    serde_json::from_str(text.as_str()).map_err(|error| Invalid::new(thing, format!("not JSON: {error}")))
}

/// Refuses a document whose values, each with the way to it, are far larger than itself: long keys above many values.
/// What is wrong with each is told with its way.
fn check_ways(input: &JsonText, limits: &Limits) -> Result<(), Invalid> {
    const MOST: usize = 64 << 20;
    let mut bytes = 0_usize;
    input.places(limits, |pointer| bytes = bytes.saturating_add(pointer.len()));
    if bytes <= MOST {
        return Ok(());
    }
    Err(Invalid::new(INPUT, format!("it is not as its schema says, and the ways to its values have {bytes} bytes"))
        .hint(format!("the limit is {MOST} bytes; use shorter keys above many values")))
}

fn not_strict(invalid: &Invalid) -> Violation {
    Violation {
        pointer: invalid.pointer().unwrap_or_default().to_owned(),
        rule: "strict-json".to_owned(),
        value: None,
        sentence: invalid.to_string(),
    }
}

fn below(at: &str, key: &str) -> String {
    let mut pointer = at.to_owned();
    push_key(&mut pointer, key);
    pointer
}

/// What is short enough to be repeated.
fn scalar(value: &Value) -> Option<JsonText> {
    let text = match value {
        Value::Array(_) | Value::Object(_) => return None,
        scalar => scalar.to_string(),
    };
    (text.len() <= 256).then(|| JsonText::from_stored(text))
}

/// Into the order of the document; the validator goes through keys by name.
fn sort(found: &mut [Violation], input: &JsonText, limits: &Limits) {
    let mut ranks: HashMap<String, usize> = found.iter().map(|one| (one.pointer.clone(), usize::MAX)).collect();
    let mut rank = 0;
    input.places(limits, |pointer| {
        rank += 1;
        if let Some(place) = ranks.get_mut(pointer) {
            *place = rank;
        }
    });
    found.sort_by_key(|one| ranks.get(&one.pointer).copied());
}

/// The rules of one place of a schema, as a keyword of the validator.
struct Rules(Vec<Rule>);

impl Rules {
    fn of(names: &Value) -> Self {
        let names = names.as_array().map_or(&[][..], Vec::as_slice);
        Self(names.iter().filter_map(|name| Rule::named(name.as_str()?)).collect())
    }
}

impl<'i> Keyword<'i> for Rules {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        self.iter_errors(instance).next().map_or(Ok(()), Err)
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.0.iter().all(|rule| rule.broken(instance).is_empty())
    }

    fn iter_errors(&self, instance: &'i Value) -> Box<dyn Iterator<Item = ValidationError<'i>> + 'i> {
        let broken = self.0.iter().filter(|rule| !rule.broken(instance).is_empty());
        let errors: Vec<_> = broken.map(|rule| ValidationError::custom(rule.name())).collect();
        Box::new(errors.into_iter())
    }
}
