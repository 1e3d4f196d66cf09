//! The strict JSON reader: one pass, and the text keeps its bytes.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Invalid;
use crate::limits::Limits;
use pointer::{Pointer, Trail, Untold};

pub(crate) mod pointer;

/// A JSON document as text, byte for byte as it was given. Written as a field of
/// a larger document it keeps its bytes too, but for white space around it.
///
/// ```
/// use lucihub_models_core::{JsonText, Limits};
/// let json = JsonText::parse("input", "{\"ic\": -0.0, \"k\": 1e4}\n", &Limits::default())?;
/// assert_eq!(json.as_str(), "{\"ic\": -0.0, \"k\": 1e4}\n");
/// assert!(JsonText::parse("input", "{\"a\":1,\"a\":2}", &Limits::default()).is_err());
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(Arc<str>);

impl JsonText {
    /// Reads a document strictly: no duplicate keys, no `NaN` or `Infinity`
    /// tokens, no number beyond f64, no lone surrogates, not too deep, not too
    /// large. `thing` names the document in the error.
    ///
    /// # Errors
    /// [`Invalid`] with the pointer, line and column of the first fault.
    ///
    /// ```
    /// # use lucihub_models_core::JsonText;
    /// let error = "{\"a\": [0, NaN]}".parse::<JsonText>().unwrap_err();
    /// assert_eq!(error.pointer(), Some("/a/1"));
    /// ```
    pub fn parse(thing: &str, text: &str, limits: &Limits) -> Result<Self, Invalid> {
        let text = Self(text.into());
        text.check(thing, limits)?;
        Ok(text)
    }

    /// Takes text that was validated before it was stored.
    #[must_use]
    pub fn from_stored(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Reads the text again under these limits.
    ///
    /// # Errors
    /// [`Invalid`] with the pointer, line and column of the first fault.
    pub fn check(&self, thing: &str, limits: &Limits) -> Result<(), Invalid> {
        if self.0.len() > limits.json_bytes {
            return Err(Invalid::new(thing, format!("{} bytes of JSON", self.0.len()))
                .hint(format!("the limit is {} bytes", limits.json_bytes)));
        }
        if self.0.trim_ascii().is_empty() {
            return Err(Invalid::new(thing, "the document is empty").hint("give a JSON value, for example {}"));
        }
        self.walk(limits, &mut Untold).map_err(|_| self.fault(thing, limits))
    }

    /// Whether a document of a model is strict: a key that stands twice would lose a value.
    pub(crate) fn check_document(text: &str) -> Result<(), String> {
        let mut reader = serde_json::Deserializer::from_str(text);
        // The parser has a limit of its own on the depth.
        Strict { depth: 0, limit: usize::MAX, trail: &mut Untold }.deserialize(&mut reader).map_err(|e| e.to_string())
    }

    /// Walks the document strictly.
    fn walk(&self, limits: &Limits, trail: &mut impl Trail) -> serde_json::Result<()> {
        let mut reader = serde_json::Deserializer::from_str(&self.0);
        Strict { depth: 0, limit: limits.json_depth, trail }.deserialize(&mut reader)?;
        reader.end()
    }

    /// What is wrong with a document that is not strict, and where. A walk that keeps its way is slower, so it is gone
    /// only then.
    fn fault(&self, thing: &str, limits: &Limits) -> Invalid {
        let mut way = Pointer::default();
        let Err(error) = self.walk(limits, &mut way) else {
            return Invalid::new(thing, "not strict JSON");
        };
        let place = match way.as_str() {
            "" => String::new(),
            way => format!(" at {:?}", crate::id::shorten(way)),
        };
        Invalid::new(thing, format!("not strict JSON{place}: {error}")).at(way.as_str())
    }

    /// Tells the pointer of each value, in the order they stand in the document; strict up to the first fault.
    #[cfg(feature = "check")]
    pub(crate) fn places(&self, limits: &Limits, tell: impl FnMut(&str)) {
        // A fault ends the walk; whoever wants to know of it checks.
        let _ = self.walk(limits, &mut pointer::Told::new(tell));
    }

    /// The document.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for JsonText {
    type Err = Invalid;

    /// Reads a document strictly, under the default limits.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse("JSON document", text, &Limits::default())
    }
}

impl Serialize for JsonText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0)
            .map_err(|e| serde::ser::Error::custom(format!("not JSON: {e}")))?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(raw.get().into()))
    }
}

/// `#[serde(deserialize_with)]` for an optional document: a field that is there
/// holds one, also if that is `null`.
pub(crate) fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<JsonText>, D::Error> {
    JsonText::deserialize(deserializer).map(Some)
}

impl JsonSchema for JsonText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "Any JSON value; its bytes are kept." })
    }
}

/// Walks a value, keeps nothing but its way, and refuses what is not strict.
struct Strict<'a, T> {
    depth: usize,
    limit: usize,
    trail: &'a mut T,
}

impl<T: Trail> Strict<'_, T> {
    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth == self.limit {
            return Err(E::custom(format!("nested deeper than {} levels", self.limit)));
        }
        Ok(())
    }

    fn inner(&mut self) -> Strict<'_, T> {
        Strict { depth: self.depth + 1, limit: self.limit, trail: self.trail }
    }
}

impl<'de, T: Trail> DeserializeSeed<'de> for Strict<'_, T> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.trail.arrive();
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Trail> Visitor<'de> for Strict<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.check_depth()?;
        let mut index = 0;
        loop {
            // What fails leaves the trail as it is: at the fault.
            self.trail.item(index);
            let item = items.next_element_seed(self.inner())?;
            self.trail.back();
            if item.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.check_depth()?;
        let mut keys = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.trail.key(&key);
            if let Some(twice) = keys.replace(key) {
                return Err(A::Error::custom(format!("the key {:?} stands twice", crate::id::shorten(&twice))));
            }
            entries.next_value_seed(self.inner())?;
            self.trail.back();
        }
        Ok(())
    }
}

/// The first integer in a JSON text that neither i64 nor u64 holds, but for those below these keys.
///
/// Model documents are parsed into numbers, where such an integer would
/// silently become a nearby float; input and output stay text and may hold it.
pub(crate) fn wide_integer<'a>(text: &'a str, floats: &[&str]) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let (mut at, mut string, mut key) = (0, "", "");
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                let start = at;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                string = text.get(start..at).unwrap_or_default();
                at += 1;
            }
            b':' => {
                key = string;
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let start = at;
                while at < bytes.len() && matches!(bytes[at], b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
                    at += 1;
                }
                let token = text.get(start..at)?;
                let whole = !token.contains(['.', 'e', 'E']);
                if whole && !floats.contains(&key) && token.parse::<i64>().is_err() && token.parse::<u64>().is_err() {
                    return Some(token);
                }
            }
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<JsonText, Invalid> {
        JsonText::parse("input", text, &Limits::default())
    }

    #[test]
    fn refuses_what_is_not_strict() {
        for text in [
            "",
            " \n",
            "{",
            "{} {}",
            "NaN",
            "[1,NaN]",
            "{\"a\":Infinity}",
            "{\"a\":1,\"b\":2,\"a\":3}",
            "[{\"x\":{\"y\":1,\"y\":1}}]",
            "1e400",
            "\"\\ud800\"",
            "[1,]",
            "'a'",
            "\u{feff}{}",
            "{\"a\":1,\"\\u0061\":2}",
        ] {
            assert!(parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_fault_is_named_with_its_place() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
        let at_the_depth = format!("/a{}", "/0".repeat(63));
        let cases = [
            ("NaN", ""),
            ("{} {}", ""),
            ("[1,NaN]", "/1"),
            ("[1 2]", "/1"),
            ("[[0],[", "/1/0"),
            ("{\"a\":{\"b\":[0,1,-Infinity]}}", "/a/b/2"),
            ("{\"a\":1,\"b\":{\"a\":2,\"a\":3}}", "/b/a"),
            ("{\"a/b~c\":1e400}", "/a~1b~0c"),
            ("{\"a\":1,}", ""),
            ("{\"\":{\"a\":1", "/"),
            (&deep, &at_the_depth),
        ];
        for (text, pointer) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(error.pointer(), Some(pointer), "{text}: {error}");
            assert!(error.to_string().contains("at line 1 column "), "{error}");
        }
        let error = parse("{\n  \"k\": [\n    NaN\n  ]\n}").unwrap_err().to_string();
        assert_eq!(error, "input: not strict JSON at \"/k/0\": expected value at line 3 column 5");
        assert_eq!(parse("").unwrap_err().pointer(), None);
    }

    #[test]
    fn a_long_way_is_cut_for_people_only() {
        let key = "k\u{1b}".repeat(500);
        let error = parse(&format!("{{{}:nul}}", serde_json::to_string(&key).unwrap())).unwrap_err();
        assert_eq!(error.pointer(), Some(&*format!("/{key}")));
        assert!(error.to_string().len() < 400 && !error.to_string().contains('\u{1b}'), "{error}");
    }

    #[test]
    fn keeps_bytes_of_what_is_strict() {
        for text in
            ["0", "-0.0", "[ 1e3 ,2 ]\n", "\"\\u0000\\u2028\"", "{\"a\":{\"a\":1}}", "123456789012345678901234567890"]
        {
            assert_eq!(parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn depth_and_size_at_the_limit_and_one_past_it() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(parse(&nested(64)).is_ok());
        let error = parse(&nested(65)).unwrap_err().to_string();
        assert!(error.contains("deeper than 64 levels"), "{error}");

        let sized = |n: usize| format!("\"{}\"", "x".repeat(n - 2));
        assert!(parse(&sized(1024 * 1024)).is_ok());
        let error = parse(&sized(1024 * 1024 + 1)).unwrap_err().to_string();
        assert!(error.contains("the limit is 1048576 bytes"), "{error}");
    }

    #[test]
    fn wide_integers_are_found_outside_strings_only() {
        assert_eq!(wide_integer("{\"a\":18446744073709551616}", &["b"]), Some("18446744073709551616"));
        assert_eq!(wide_integer("[-9223372036854775809]", &[]), Some("-9223372036854775809"));
        assert_eq!(
            wide_integer("[18446744073709551615, -9223372036854775808, 1e300, \"99999999999999999999\\\"\"]", &[]),
            None
        );
    }
}
