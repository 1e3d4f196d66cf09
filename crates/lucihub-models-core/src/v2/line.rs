//! One line of a log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::extra::Extra;
use crate::timestamp::Timestamp;

/// One line of a run's log.
///
/// Its text is any Unicode: newline, U+2028 and NUL are characters like others
/// and come back as part of this one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LogLine {
    /// The text.
    pub text: String,
    /// When it was written. Version 1 did not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How grave it is, in the writer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["warning"]))]
    pub level: Option<String>,
    /// Which part wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["worker"]))]
    pub source: Option<String>,
    /// The length in bytes before the recorder cut it to the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "byte"))]
    pub cut_from: Option<u64>,
    /// Fields of newer components.
    #[serde(flatten)]
    pub extra: Extra,
}

impl LogLine {
    /// A line with its time.
    #[must_use]
    pub fn new(at: Timestamp, text: impl Into<String>) -> Self {
        Self { at: Some(at), ..Self::from(text.into()) }
    }

    /// The line that stands in for one that the store has lost, so that every
    /// number keeps its meaning.
    #[must_use]
    pub fn lost() -> Self {
        Self::from("the store lost this line".to_owned()).level("lost").source("store")
    }

    /// Says how grave it is.
    #[must_use]
    pub fn level(mut self, level: impl Into<String>) -> Self {
        self.level = Some(level.into());
        self
    }

    /// Says which part wrote it.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Cuts the text to at most `limit` bytes, at a character's edge, and marks
    /// the original length.
    #[must_use]
    pub fn cut(mut self, limit: usize) -> Self {
        if self.text.len() > limit {
            self.cut_from.get_or_insert(self.text.len() as u64);
            self.text.truncate(self.text.floor_char_boundary(limit));
        }
        self
    }

    /// Checks it against the limits.
    ///
    /// # Errors
    /// [`Invalid`](crate::Invalid) naming what is too long and the limit.
    pub fn check(&self, limits: &crate::Limits) -> Result<(), crate::Invalid> {
        crate::check::check_line(self, limits)
    }

    /// Bytes that this line counts against limits and memory.
    #[must_use]
    pub fn size(&self) -> usize {
        let text = |t: &Option<String>| t.as_ref().map_or(0, String::len);
        self.text.len() + text(&self.level) + text(&self.source) + self.extra.size() + 16
    }
}

impl From<String> for LogLine {
    fn from(text: String) -> Self {
        Self { text, at: None, level: None, source: None, cut_from: None, extra: Extra::default() }
    }
}
