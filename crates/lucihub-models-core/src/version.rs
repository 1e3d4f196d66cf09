//! The versions of the models, oldest first.

use std::fmt;
use std::str::FromStr;

use crate::error::Invalid;
use crate::id::shorten;

/// A version of the models. Not every model has changed in every one.
///
/// ```
/// use lucihub_models_core::Version;
/// assert_eq!("v1".parse::<Version>()?, Version::V1);
/// assert!(Version::V1 < Version::V2);
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Version {
    /// The first draft.
    V1,
    /// Series with a time base and gaps, log lines with a time, states with a reason, heads.
    V2,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: &'static [Self] = &[Self::V1, Self::V2];

    /// The tag in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Version {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL.iter().copied().find(|version| version.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|version| version.as_str()).collect();
            Invalid::new("model version", format!("{:?} is not known", shorten(text)))
                .hint(format!("known versions are {}", known.join(", ")))
        })
    }
}
