//! f64 in JSON, bit for bit: a number where JSON has one, else 16 hex digits.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An f64 that survives JSON: finite values are numbers, NaN (with payload) and
/// infinities are the 16 hexadecimal digits of their bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExactF64(f64);

impl Serialize for ExactF64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.collect_str(&format_args!("{:016x}", self.0.to_bits()))
        }
    }
}

impl<'de> Deserialize<'de> for ExactF64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(f64),
            Bits(String),
        }
        let digits = match Form::deserialize(deserializer)? {
            Form::Number(value) => return Ok(Self(value)),
            Form::Bits(digits) => digits,
        };
        // `from_str_radix` would take a sign too.
        let all_digits = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = if all_digits { u64::from_str_radix(&digits, 16).ok() } else { None };
        bits.map(|bits| Self(f64::from_bits(bits)))
            .ok_or_else(|| serde::de::Error::custom(format!("{digits:?} is not 16 hexadecimal digits")))
    }
}

impl JsonSchema for ExactF64 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExactF64".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A 64-bit float, bit for bit. NaN and infinities are the 16 hexadecimal digits of their bits.",
            "anyOf": [{ "type": "number" }, { "type": "string", "pattern": "^[0-9A-Fa-f]{16}$" }],
            "examples": [-0.5, "7ff8000000000001"]
        })
    }
}

/// `#[serde(with)]` for one value.
pub(crate) mod one {
    use super::{Deserialize, Deserializer, ExactF64, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        ExactF64(*value).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(ExactF64::deserialize(deserializer)?.0)
    }
}

/// `#[serde(with)]` for a list of values.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, ExactF64, Serializer};

    pub(crate) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|v| ExactF64(*v)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::<ExactF64>::deserialize(deserializer)?.into_iter().map(|v| v.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_sixteen_digits_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<ExactF64>(text).map(|value| value.0.to_bits());
        assert_eq!(read("\"7FF8000000000001\"").unwrap(), 0x7ff8_0000_0000_0001);
        for text in ["\"+7ff800000000001\"", "\"7ff800000000001\"", "\"7ff80000000000010\"", "\"nan\"", "null"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
