//! What is wrong with an input, place by place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::JsonText;

/// One thing that is wrong with an input. Shown, it is its sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Violation {
    /// Where: a JSON pointer (RFC 6901). Of a missing key, the object that lacks it.
    pub pointer: String,
    /// What is broken: a keyword of JSON Schema, a rule of `x-lucihub-rules`, or `strict-json`.
    pub rule: String,
    /// What stands there, if it is short: no list, no object, no long text.
    #[serde(default, deserialize_with = "crate::json::present", skip_serializing_if = "Option::is_none")]
    pub value: Option<JsonText>,
    /// What is wrong, for people.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// All that is wrong with an input, in the order of the document: the first thousand, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Violations {
    /// The first ones.
    pub violations: Vec<Violation>,
    /// How many more there are.
    pub more: u64,
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.violations.first() else { return f.write_str("the input is not valid") };
        write!(f, "{first}, at {:?}", first.pointer)?;
        match self.violations.len() as u64 - 1 + self.more {
            0 => Ok(()),
            others => write!(f, "; and {others} more"),
        }
    }
}

impl std::error::Error for Violations {}
