//! Errors, sorted by what the caller can do about them.

use std::fmt;

use thiserror::Error;

/// The result of a storage operation.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why a storage operation failed.
///
/// | variant | what to do |
/// | --- | --- |
/// | `NotFound`, `AlreadyExists`, `Precondition`, `Invalid` | change the request |
/// | `QuotaExceeded` | nothing was written: wait until some of the window has passed |
/// | `Unavailable` | nothing was written: try again later |
/// | `Unknown` | no answer came: it may have been written; send the same again |
/// | `Full` | make room, or wait until the keeper has |
/// | `Corrupt` | stored bytes are damaged; the rest stays readable |
/// | `Model` | the document is not readable by this version of the library |
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such thing.
    #[error("{what} does not exist")]
    NotFound {
        /// The missing thing, by name.
        what: String,
    },
    /// A different thing has that name already.
    #[error("{what} exists already, with other content")]
    AlreadyExists {
        /// The thing, by name.
        what: String,
    },
    /// The thing is not in the condition that the operation needs.
    #[error("{what}: {why}")]
    Precondition {
        /// The thing, by name.
        what: String,
        /// What stands in the way, and what to do about it.
        why: String,
    },
    /// The input breaks a rule; nothing was written.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// An owner has created as many runs as are allowed; nothing was written.
    #[error("quota exceeded: {what}; the limit is {limit}, wait until some of that time has passed")]
    QuotaExceeded {
        /// How many runs, in which window, on which kind of device.
        what: String,
        /// How many are allowed.
        limit: u64,
    },
    /// The storage cannot be reached; nothing was written.
    #[error("{store} is unavailable: {why}")]
    Unavailable {
        /// Which storage.
        store: String,
        /// What happened.
        why: String,
    },
    /// No answer came back; the operation may or may not have been applied.
    #[error("{store} gave no answer, the operation may have been applied: {why}")]
    Unknown {
        /// Which storage.
        store: String,
        /// What happened.
        why: String,
    },
    /// The storage has no room; nothing was written.
    #[error("{store} is full: {why}")]
    Full {
        /// Which storage.
        store: String,
        /// The limit, and what to do about it.
        why: String,
    },
    /// Stored bytes do not decode to what was written.
    #[error("{what} is corrupt: {why}")]
    Corrupt {
        /// Table, run, channel and cell.
        what: String,
        /// Which check failed.
        why: String,
    },
    /// A document is not of a version this library reads.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl StoreError {
    /// `NotFound` for a thing.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::NotFound { what: what.to_string() }
    }

    /// `Precondition` for a thing.
    pub fn precondition(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Precondition { what: what.to_string(), why: why.to_string() }
    }

    /// `Corrupt` for a thing.
    pub fn corrupt(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Corrupt { what: what.to_string(), why: why.to_string() }
    }

    /// `Unavailable` for a storage.
    pub fn unavailable(store: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Unavailable { store: store.to_string(), why: why.to_string() }
    }

    /// What kind of error it is, in one word: for a metric's label, or a program.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::AlreadyExists { .. } => "already_exists",
            Self::Precondition { .. } => "precondition",
            Self::Invalid(_) => "invalid",
            Self::QuotaExceeded { .. } => "quota_exceeded",
            Self::Unavailable { .. } => "unavailable",
            Self::Unknown { .. } => "unknown",
            Self::Full { .. } => "full",
            Self::Corrupt { .. } => "corrupt",
            Self::Model(_) => "model",
        }
    }

    /// Whether the thing is there and cannot be read: damaged, or of a version that this library does not know. It can
    /// still be deleted, and keeps nobody from the others.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Model(_))
    }

    /// Whether the same call may succeed later without a change of the request.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Unknown { .. } | Self::Full { .. })
    }
}

/// Input that breaks a rule: names the thing, what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{thing}: {problem}{}{}", if hint.is_empty() { "" } else { "; " }, hint)]
pub struct Invalid {
    thing: String,
    problem: String,
    hint: String,
    pointer: Option<String>,
}

impl Invalid {
    /// Names the thing and what is wrong with it.
    pub fn new(thing: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { thing: thing.into(), problem: problem.into(), hint: String::new(), pointer: None }
    }

    /// Adds where in a JSON document it is; the problem says it too, for people.
    #[must_use]
    pub(crate) fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The thing, by name.
    #[must_use]
    pub fn thing(&self) -> &str {
        &self.thing
    }

    /// Where in a JSON document it is, as a JSON pointer (RFC 6901), if it is in one. The empty pointer is the whole
    /// document.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }
}

/// Why a document could not become a model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// It is of a version that this library does not know yet.
    #[error("the document is of version {found}, this library reads up to {newest}; upgrade this component")]
    NewerVersion {
        /// The document's version.
        found: String,
        /// The newest version this library reads.
        newest: String,
    },
    /// It is not of the shape that its version demands.
    #[error("not a valid {version} {kind}: {why}")]
    Malformed {
        /// `run` or `device`.
        kind: &'static str,
        /// The version that the document claims.
        version: String,
        /// Field and position.
        why: String,
    },
    /// It has something that the wanted form cannot hold.
    #[error("{what} cannot be written as {form}: {why}")]
    NotRepresentable {
        /// The part.
        what: &'static str,
        /// The form.
        form: &'static str,
        /// Why.
        why: String,
    },
}

impl ModelError {
    /// `Malformed`. A document may repeat what it likes in its version and its names, and an error is one line.
    pub(crate) fn malformed(kind: &'static str, version: &str, why: &str) -> Self {
        Self::Malformed { kind, version: one_line(version, 60), why: one_line(why, 400) }
    }

    /// `NewerVersion`, as one line.
    pub(crate) fn newer(found: &str, newest: &str) -> Self {
        Self::NewerVersion { found: one_line(found, 60), newest: newest.to_owned() }
    }
}

/// The beginning and the end of a text, where a position may stand, without control characters.
fn one_line(text: &str, most: usize) -> String {
    let count = text.chars().count();
    let (head, tail) = (most - most / 4, most / 4);
    let mut line = String::new();
    for (at, c) in text.chars().enumerate() {
        match at {
            _ if count > most && at == head => line.push_str("..."),
            _ if count > most && at > head && at < count - tail => {}
            _ if c.is_control() => line.extend(c.escape_default()),
            _ => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_repeats_is_one_short_line() {
        let long = "k\u{1b}\n".repeat(100_000);
        let why = format!("unknown field `{long}` at line 1 column 7");
        let text = ModelError::malformed("run", &long, &why).to_string();
        assert!(text.len() < 2_000 && !text.chars().any(char::is_control), "{text}");
        assert!(text.contains("unknown field `k\\u{1b}") && text.ends_with("at line 1 column 7"), "{text}");
        assert!(ModelError::newer(&long, "v2").to_string().len() < 400);
        let short = ModelError::malformed("run", "v2", "an id at line 1");
        assert_eq!(short.to_string(), "not a valid v2 run: an id at line 1");
    }

    #[test]
    fn the_limit_of_a_line_is_exact() {
        assert_eq!(one_line("12345678", 8), "12345678");
        assert_eq!(one_line("123456789", 8), "123456...89");
    }
}
