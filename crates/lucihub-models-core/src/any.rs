//! The envelopes: a document says its version first, then the whole model.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::ModelError;
use crate::json::{JsonText, wide_integer};
use crate::latest;
use crate::older::{LeftOut, left_out};
use crate::version::Version;
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
            /// The versions of this model, oldest first.
            pub const VERSIONS: &'static [Version] = &[$(Version::$variant),+];

            /// The JSON Schema (2020-12) of the documents of one version; `None` where this model has not changed in it.
            #[must_use]
            pub fn schema(version: Version) -> Option<String> {
                const OF: &[(Version, fn(&str, Version) -> String)] =
                    &[$((Version::$variant, crate::schema::document::<$module::$model>)),+];
                OF.iter().find(|(of, _)| *of == version).map(|(_, write)| write($kind, version))
            }

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
                    ModelError::malformed($kind, version, &why)
                };
                // The version alone is read first: of a newer one, nothing else is promised.
                let version = version_of(text).map_err(|e| malformed("versioned", e.to_string()))?;
                if is_newer(&version, VERSIONS) {
                    return Err(ModelError::newer(&version, VERSIONS[VERSIONS.len() - 1]));
                }
                let tagged: Tagged<'_> =
                    serde_json::from_str(text).map_err(|e| malformed(&version, e.to_string()))?;
                let model = tagged.model.get();
                JsonText::check_document(model).map_err(|why| malformed(&version, why))?;
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

            const fn at(&self) -> Version {
                match self {
                    $( Self::$variant(_) => Version::$variant, )+
                }
            }

            /// The same in the newest version of this model that is not newer than `to`.
            fn down_to(mut self, to: Version) -> Result<Self, ModelError> {
                while self.at() > to {
                    self = self.older()?;
                }
                Ok(self)
            }

            /// What of a document does not come back by way of an older version.
            fn lost(model: latest::$model, to: Version) -> Result<Vec<LeftOut>, ModelError> {
                let value = |model| {
                    serde_json::to_value(Self::from(model)).map_err(|e| ModelError::NotRepresentable {
                        what: $kind,
                        form: "JSON",
                        why: e.to_string(),
                    })
                };
                let back = Self::from(model.clone()).down_to(to)?.into_latest();
                Ok(left_out(&value(model)?, &value(back)?))
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

    /// One step back on the chain.
    fn older(self) -> Result<Self, ModelError> {
        match self {
            Self::V1(_) => Err(no_older("run")),
            Self::V2(run) => v1::Run::try_from(run).map(Self::V1),
        }
    }

    /// A run in an older version, for readers that know no newer one, and what that version has no place for.
    ///
    /// It is the newest version of runs that is not newer than `to`.
    ///
    /// ```
    /// use lucihub_models_core::{AnyRun, JobType, Run, RunHead, RunState, Series, StateChange, Timestamp, Version};
    /// # let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse()?;
    /// let mut head = RunHead::queued(id, JobType::Run, Timestamp::EPOCH);
    /// head.device = Some("lucidac-1".parse()?);
    /// head.input_type = Some("circuit".into());
    /// head.input = Some("{}".parse()?);
    /// head.states.push(StateChange::new(RunState::Cancelled, Timestamp::EPOCH).because("not needed"));
    /// let run = Run { head, logs: Vec::new(), series: Vec::new(), extra: Default::default() };
    /// let (old, left_out) = AnyRun::downgrade(run, Version::V1)?;
    /// assert_eq!(old.version(), "v1");
    /// assert_eq!(left_out[0].pointer(), "/run/head/states/1/reason");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::NotRepresentable`] where something would be lost that the older version has: it demands a part
    /// that this run lacks, or would hold its samples at other times or with other values.
    pub fn downgrade(run: latest::Run, to: Version) -> Result<(Self, Vec<LeftOut>), ModelError> {
        // A step keeps all samples or is refused, so what is lost is looked for without them.
        let outline = latest::Run {
            head: run.head.clone(),
            logs: run.logs.clone(),
            series: vec![latest::Series::default(); run.series.len()],
            extra: run.extra.clone(),
        };
        Ok((Self::from(run).down_to(to)?, Self::lost(outline, to)?))
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

    /// One step back on the chain.
    fn older(self) -> Result<Self, ModelError> {
        match self {
            Self::V1(_) => Err(no_older("device")),
            Self::V2(device) => v1::Device::try_from(device).map(Self::V1),
        }
    }

    /// A device in an older version, and what that version has no place for; as [`AnyRun::downgrade`].
    ///
    /// # Errors
    /// [`ModelError::NotRepresentable`] where the older version demands a part that this device lacks.
    pub fn downgrade(device: latest::Device, to: Version) -> Result<(Self, Vec<LeftOut>), ModelError> {
        Ok((Self::from(device.clone()).down_to(to)?, Self::lost(device, to)?))
    }
}

fn no_older(what: &'static str) -> ModelError {
    ModelError::NotRepresentable { what, form: "an older version", why: "there is none of this model".to_owned() }
}

/// The version tag of a document, whatever else is in it.
pub(crate) fn version_of(text: &str) -> Result<String, serde_json::Error> {
    #[derive(Deserialize)]
    struct VersionOnly {
        version: String,
    }
    serde_json::from_str::<VersionOnly>(text).map(|tag| tag.version)
}

/// Whether a tag `v<number>` is past the last of the known ones.
pub(crate) fn is_newer(version: &str, known: &[&str]) -> bool {
    let number = |tag: &str| {
        let digits = tag.strip_prefix('v').filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))?;
        Some(digits.parse().unwrap_or(u64::MAX))
    };
    let newest = known.iter().filter_map(|tag| number(tag)).max();
    number(version) > newest
}

/// The fields of an object, and their text.
type Fields<'a> = std::collections::BTreeMap<std::borrow::Cow<'a, str>, &'a RawValue>;

/// Refuses integers that would silently change, outside input and output, which keep their text, and outside numbers
/// that are no integers: JavaScript writes 1e20 with all its digits.
pub(crate) fn refuse_wide_integers(model: &str) -> Result<(), String> {
    let fields: Fields<'_> = serde_json::from_str(model).map_err(|e| e.to_string())?;
    // In the newest version of a run, and in a document of a head, the fields of the head are one level below.
    match fields.get("head").and_then(|head| serde_json::from_str::<Fields<'_>>(head.get()).ok()) {
        Some(head) if head.contains_key("created_at") => {
            refuse_wide_integers_in(&head, &["input", "output"])?;
            refuse_wide_integers_in(&fields, &["head"])
        }
        _ => refuse_wide_integers_in(&fields, &["input", "output", "parameter_schema"]),
    }
}

fn refuse_wide_integers_in(fields: &Fields<'_>, but: &[&str]) -> Result<(), String> {
    for (name, value) in fields.iter().filter(|(name, _)| !but.contains(&&***name)) {
        // The keys below whose numbers are no integers.
        let floats: &[&str] = match &**name {
            "series" => &["values"],
            "final_values" => &["value"],
            "time_base" => &["rate_hz", "origin_s"],
            "measurements" => continue,
            _ => &[],
        };
        if let Some(number) = wide_integer(value.get(), floats) {
            return Err(format!("{name}: the integer {number} has more than 64 bits"));
        }
    }
    Ok(())
}
