//! Names of things: runs, devices, writers.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Invalid;

/// The identity of one execution.
///
/// New ids are UUIDv7, so that they sort by creation; any UUID is accepted.
///
/// ```
/// use lucihub_models_core::RunId;
/// let id: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse()?;
/// assert_eq!(id.to_string(), "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e");
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("examples" = ["0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e"]))]
pub struct RunId(Uuid);

impl RunId {
    /// Takes any UUID as the id of a run.
    #[must_use]
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID inside.
    #[must_use]
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

impl FromStr for RunId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Uuid::parse_str(text).map(Self).map_err(|_| {
            Invalid::new("run id", format!("{:?} is not a UUID", shorten(text)))
                .hint("give it as 8-4-4-4-12 hexadecimal digits")
        })
    }
}

/// The name of a device: 1 to 128 characters of `[A-Za-z0-9._:-]`.
///
/// ```
/// use lucihub_models_core::DeviceId;
/// assert!("lucidac-04:e9:e5".parse::<DeviceId>().is_ok());
/// assert!("no spaces".parse::<DeviceId>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct DeviceId(String);

impl DeviceId {
    /// The longest name, in characters.
    pub const MAX_LEN: usize = 128;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for DeviceId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
        let rule = "use 1 to 128 characters of A-Z a-z 0-9 . _ : -";
        if text.is_empty() || text.len() > Self::MAX_LEN {
            return Err(Invalid::new("device id", format!("{} characters", text.chars().count())).hint(rule));
        }
        match text.chars().find(|c| !allowed(*c)) {
            Some(c) => Err(Invalid::new("device id", format!("{c:?} is not allowed")).hint(rule)),
            None => Ok(Self(text)),
        }
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for DeviceId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DeviceId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "The name of a device.",
            "pattern": "^[A-Za-z0-9._:-]{1,128}$",
            "examples": ["lucidac-04-e9-e5"]
        })
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of one writer of a run: 128 random bits, drawn anew whenever a
/// worker starts.
///
/// Together with the epoch it fences: a store that forgot its counters still
/// never lets an earlier writer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WriterId(u128);

impl WriterId {
    /// A writer id from its 128 bits.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The 128 bits.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }
}

impl fmt::Display for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The identity of one [`StoreEvent`](crate::StoreEvent), however often it is told.
///
/// New ids are UUIDv7; any UUID is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct EventId(Uuid);

impl EventId {
    /// Takes any UUID as the id of an event.
    #[must_use]
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID inside.
    #[must_use]
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

/// Where new ids come from. A parameter everywhere, so that tests and
/// simulations repeat.
pub trait IdSource: Send + Sync {
    /// A new run id (UUIDv7).
    fn run_id(&self) -> RunId;
    /// A new writer id.
    fn writer_id(&self) -> WriterId;
    /// A new event id (UUIDv7).
    fn event_id(&self) -> EventId;
}

/// Ids from the operating system's randomness and clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that draws run ids")]
    fn run_id(&self) -> RunId {
        RunId(Uuid::now_v7())
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that draws writer ids")]
    fn writer_id(&self) -> WriterId {
        // Two v4 ids: each has six fixed bits, the mix of both has none.
        let (a, b) = (Uuid::new_v4().as_u128(), Uuid::new_v4().as_u128());
        WriterId(a ^ b.rotate_left(64))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that draws event ids")]
    fn event_id(&self) -> EventId {
        EventId(Uuid::now_v7())
    }
}

/// The start of a text, for an error that must stay one line.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain("...".chars()).collect() }
}
