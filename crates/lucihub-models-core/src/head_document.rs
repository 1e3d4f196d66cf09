//! The head of a run as a document of its own.

use serde::{Deserialize, Serialize};

use crate::any::{is_newer, refuse_wide_integers, version_of};
use crate::error::ModelError;
use crate::latest;
use crate::older::LeftOut;
use crate::v2;
use crate::version::Version;

/// A [`RunHead`](crate::RunHead) as a document of its own: what cold storage embeds and hot storage caches.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadDocument;

impl HeadDocument {
    /// The tag of the newest version of heads.
    pub const VERSION: &'static str = Self::newest().as_str();

    /// The versions of heads, oldest first. Version 1 had none.
    pub const VERSIONS: &'static [Version] = &[Version::V2];

    /// The newest of them.
    #[must_use]
    pub const fn newest() -> Version {
        Self::VERSIONS[Self::VERSIONS.len() - 1]
    }

    /// The JSON Schema (2020-12) of the documents of one version; `None` where heads have not changed in it.
    #[must_use]
    pub fn schema(version: Version) -> Option<String> {
        (version == Version::V2).then(|| crate::schema::document::<v2::RunHead>("head", version))
    }

    /// Writes a head as `{"version": "v2", "head": {...}}`.
    ///
    /// # Errors
    /// [`ModelError::NotRepresentable`] when a part is not JSON.
    pub fn write(head: &latest::RunHead) -> Result<String, ModelError> {
        #[derive(Serialize)]
        struct Tagged<'a> {
            version: &'static str,
            head: &'a latest::RunHead,
        }
        serde_json::to_string(&Tagged { version: Self::VERSION, head }).map_err(|e| ModelError::NotRepresentable {
            what: "head",
            form: "JSON",
            why: e.to_string(),
        })
    }

    /// Writes a head in the newest version of heads that is not newer than `to`, and says what that version has no place
    /// for.
    ///
    /// # Errors
    /// As [`write`](Self::write); and [`ModelError::NotRepresentable`] for version 1, which had no heads.
    pub fn downgrade(head: &latest::RunHead, to: Version) -> Result<(String, Vec<LeftOut>), ModelError> {
        if to < Version::V2 {
            return Err(ModelError::NotRepresentable {
                what: "head",
                form: "version 1",
                why: "version 1 has no heads; write the whole run".to_owned(),
            });
        }
        Ok((Self::write(head)?, Vec::new()))
    }

    /// Reads a head.
    ///
    /// # Errors
    /// [`ModelError::NewerVersion`] for a version past the newest known one,
    /// [`ModelError::Malformed`] for anything else that is not such a document.
    pub fn read(text: &str) -> Result<latest::RunHead, ModelError> {
        #[derive(Deserialize)]
        struct Tagged<H> {
            head: H,
        }
        let malformed = |version: &str, why: String| ModelError::malformed("head", version, &why);
        let version = version_of(text).map_err(|e| malformed("versioned", e.to_string()))?;
        if is_newer(&version, &[Self::VERSION]) {
            return Err(ModelError::newer(&version, Self::VERSION));
        }
        refuse_wide_integers(text).map_err(|why| malformed(&version, why))?;
        // Every step of the chain is visible here.
        let head: latest::RunHead = match &*version {
            "v2" => serde_json::from_str::<Tagged<v2::RunHead>>(text).map(|tagged| tagged.head),
            other => return Err(malformed(other, format!("known versions are {}", Self::VERSION))),
        }
        .map_err(|e| malformed(&version, e.to_string()))?;
        Ok(head)
    }
}
