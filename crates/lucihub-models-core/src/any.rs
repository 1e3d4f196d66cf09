//! The envelopes: a document says its version first, then the whole model.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::ModelError;
use crate::json::wide_integer;
use crate::latest;
use crate::{v1, v2};

/// Declares the envelope of one model over its versions.
macro_rules! envelope {
    ($(#[$meta:meta])* $any:ident, $model:ident, $kind:literal, newest $newest:ident { $($variant:ident = $version:literal => $module:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
        #[serde(tag = "version", content = $kind)]
        #[non_exhaustive]
        pub enum $any {
            $(
                #[doc = concat!("Version ", $version, ".")]
                #[serde(rename = $version)]
                $variant($module::$model),
            )+
        }

        impl $any {
            /// Reads a document: its version first, then the whole of it.
            ///
            /// # Errors
            /// [`ModelError::NewerVersion`] for a version past the newest known one,
            /// [`ModelError::Malformed`] for anything else that is not such a document.
            pub fn from_json(text: &str) -> Result<Self, ModelError> {
                #[derive(Deserialize)]
                struct Tagged<'a> {
                    #[serde(borrow)]
                    version: std::borrow::Cow<'a, str>,
                    #[serde(borrow, rename = $kind)]
                    model: &'a RawValue,
                }
                const VERSIONS: &[&str] = &[$($version),+];
                let malformed = |version: &str, why: String| {
                    ModelError::Malformed { kind: $kind, version: version.to_owned(), why }
                };
                // The version alone is read first: of a newer one, nothing else is promised.
                let version = version_of(text).map_err(|e| malformed("versioned", e.to_string()))?;
                if is_newer(&version, VERSIONS) {
                    return Err(ModelError::NewerVersion {
                        found: version,
                        newest: VERSIONS[VERSIONS.len() - 1].to_owned(),
                    });
                }
                let tagged: Tagged<'_> =
                    serde_json::from_str(text).map_err(|e| malformed(&version, e.to_string()))?;
                let model = tagged.model.get();
                refuse_wide_integers(model).map_err(|why| malformed(&version, why))?;
                match &*tagged.version {
                    $( $version => serde_json::from_str(model).map(Self::$variant), )+
                    other => return Err(malformed(other, format!("known versions are {}", VERSIONS.join(", ")))),
                }
                .map_err(|e| malformed(&version, e.to_string()))
            }

            /// Writes the document.
            ///
            /// # Errors
            /// [`ModelError::NotRepresentable`] when this version cannot hold a value.
            pub fn to_json(&self) -> Result<String, ModelError> {
                serde_json::to_string(self).map_err(|e| ModelError::NotRepresentable {
                    what: $kind,
                    form: "JSON",
                    why: e.to_string(),
                })
            }

            /// The version of the document.
            #[must_use]
            pub const fn version(&self) -> &'static str {
                match self {
                    $( Self::$variant(_) => $version, )+
                }
            }
        }

        impl From<latest::$model> for $any {
            fn from(model: latest::$model) -> Self {
                Self::$newest(model)
            }
        }
    };
}

envelope! {
    /// A run of any version, as a document `{"version": "v2", "run": {...}}`.
    ///
    /// ```
    /// use lucihub_models_core::{AnyRun, ModelError};
    /// let newer = AnyRun::from_json(r#"{"version": "v9", "run": {"shape": "unknown"}}"#);
    /// assert!(matches!(newer, Err(ModelError::NewerVersion { .. })));
    /// ```
    #[expect(clippy::large_enum_variant, reason = "an envelope lives for one read or write")]
    AnyRun, Run, "run", newest V2 { V1 = "v1" => v1, V2 = "v2" => v2 }
}

envelope! {
    /// A device of any version, as a document `{"version": "v2", "device": {...}}`.
    AnyDevice, Device, "device", newest V2 { V1 = "v1" => v1, V2 = "v2" => v2 }
}

impl AnyRun {
    /// The run in the newest version. Every step of the chain is visible here.
    #[must_use]
    pub fn into_latest(self) -> latest::Run {
        match self {
            Self::V1(run) => v2::Run::from(run),
            Self::V2(run) => run,
        }
    }
}

impl AnyDevice {
    /// The device in the newest version. Every step of the chain is visible here.
    #[must_use]
    pub fn into_latest(self) -> latest::Device {
        match self {
            Self::V1(device) => v2::Device::from(device),
            Self::V2(device) => device,
        }
    }
}

/// The version tag of a document, whatever else is in it.
fn version_of(text: &str) -> Result<String, serde_json::Error> {
    #[derive(Deserialize)]
    struct VersionOnly {
        version: String,
    }
    serde_json::from_str::<VersionOnly>(text).map(|tag| tag.version)
}

/// Whether a tag `v<number>` is past the last of the known ones.
fn is_newer(version: &str, known: &[&str]) -> bool {
    let number = |tag: &str| {
        let digits = tag.strip_prefix('v').filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))?;
        Some(digits.parse().unwrap_or(u64::MAX))
    };
    let newest = known.iter().filter_map(|tag| number(tag)).max();
    number(version) > newest
}

/// Refuses integers that would silently change, outside input and output, which
/// keep their text.
fn refuse_wide_integers(model: &str) -> Result<(), String> {
    type Fields<'a> = std::collections::BTreeMap<std::borrow::Cow<'a, str>, &'a RawValue>;
    const KEPT_AS_TEXT: &[&str] = &["input", "output", "parameter_schema"];
    let fields: Fields<'_> = serde_json::from_str(model).map_err(|e| e.to_string())?;
    for (name, value) in &fields {
        if name == "head" {
            refuse_wide_integers(value.get())?;
        } else if !KEPT_AS_TEXT.contains(&&**name)
            && let Some(number) = wide_integer(value.get())
        {
            return Err(format!("{name}: the integer {number} has more than 64 bits"));
        }
    }
    Ok(())
}

/// A [`latest::RunHead`] as a document of its own: what cold storage embeds and
/// hot storage caches.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadDocument;

impl HeadDocument {
    /// The version that heads are written in.
    pub const VERSION: &'static str = "v2";

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

    /// Reads a head.
    ///
    /// # Errors
    /// [`ModelError::NewerVersion`] for a version past the newest known one,
    /// [`ModelError::Malformed`] for anything else that is not such a document.
    pub fn read(text: &str) -> Result<latest::RunHead, ModelError> {
        #[derive(Deserialize)]
        struct Tagged {
            head: latest::RunHead,
        }
        let malformed =
            |version: &str, why: String| ModelError::Malformed { kind: "head", version: version.to_owned(), why };
        let version = version_of(text).map_err(|e| malformed("versioned", e.to_string()))?;
        if is_newer(&version, &[Self::VERSION]) {
            return Err(ModelError::NewerVersion { found: version, newest: Self::VERSION.to_owned() });
        }
        refuse_wide_integers(text).map_err(|why| malformed(&version, why))?;
        serde_json::from_str::<Tagged>(text).map(|tagged| tagged.head).map_err(|e| malformed(&version, e.to_string()))
    }
}
