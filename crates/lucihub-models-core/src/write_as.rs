//! How a program writes: in which version, and under which name.

use crate::error::Invalid;
use crate::head_document::HeadDocument;
use crate::id::shorten;
use crate::version::Version;

/// How a program writes heads into storages: in which version, and under which name.
///
/// Programs are upgraded one after the other. Those that are ahead go on writing the older version until the last one is
/// upgraded; `lucihub models status` says when that is.
///
/// ```
/// use lucihub_models_core::{Version, WriteAs};
/// let writes = WriteAs::program("api-server")?.in_version(Version::V2)?;
/// assert_eq!(writes.version(), Version::V2);
/// assert!(writes.name().starts_with("api-server (lucihub "));
/// assert!(WriteAs::default().in_version(Version::V1).is_err(), "version 1 has no heads");
/// # Ok::<(), lucihub_models_core::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteAs {
    version: Version,
    name: String,
}

/// The library, as it names itself.
const LIBRARY: &str = concat!("lucihub ", env!("CARGO_PKG_VERSION"));

/// The longest name of a program, in bytes.
const LONGEST: usize = 64;

impl Default for WriteAs {
    /// The newest version of heads, under the library's name.
    fn default() -> Self {
        Self { version: HeadDocument::newest(), name: LIBRARY.to_owned() }
    }
}

impl WriteAs {
    /// The newest version, under a program's name and the library's: 1 to 64 bytes of one line.
    ///
    /// # Errors
    /// [`Invalid`] for any other name.
    pub fn program(name: &str) -> Result<Self, Invalid> {
        if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
            return Err(Invalid::new("program", format!("{:?} is no name of one", shorten(name)))
                .hint(format!("use 1 to {LONGEST} bytes in one line")));
        }
        Ok(Self { name: format!("{name} ({LIBRARY})"), ..Self::default() })
    }

    /// Sets the version.
    ///
    /// # Errors
    /// [`Invalid`] for a version in which there are no heads.
    pub fn in_version(mut self, version: Version) -> Result<Self, Invalid> {
        if !HeadDocument::VERSIONS.contains(&version) {
            let known: Vec<_> = HeadDocument::VERSIONS.iter().map(|version| version.as_str()).collect();
            return Err(Invalid::new("write version", format!("{version} has no heads of runs"))
                .hint(format!("storages are written in {}", known.join(", "))));
        }
        self.version = version;
        Ok(self)
    }

    /// The version that heads are written in.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The name that heads are written under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
