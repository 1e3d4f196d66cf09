//! How to open a SQLite file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lucihub_models_core::{Invalid, Limits, WriteAs};

/// Which file to open, and how.
///
/// ```
/// use lucihub_cold::SqliteOptions;
/// let options = SqliteOptions::file("lab.db").with_readers(4);
/// assert_eq!(options.readers, 4);
/// assert!(!options.migrate);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// The file.
    pub path: PathBuf,
    /// How many connections read at once, at least 1.
    pub readers: u32,
    /// How large things may be.
    pub limits: Limits,
    /// In which version heads are written, and under which name.
    pub writes: WriteAs,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// How long to wait for a connection while this process uses all of them.
    pub wait: Duration,
    /// Whether to bring an existing file to the present schema.
    pub migrate: bool,
}

impl SqliteOptions {
    /// A file with 8 readers, the documented limits and a busy timeout of 5 s.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 8,
            limits: Limits::default(),
            writes: WriteAs::default(),
            busy_timeout: Duration::from_secs(5),
            wait: Duration::from_secs(60),
            migrate: false,
        }
    }

    /// The file that a URL of the form `sqlite:PATH` names.
    ///
    /// # Errors
    /// [`Invalid`] for any other form.
    pub fn url(url: &str) -> Result<Self, Invalid> {
        // The URL itself is left out of the error: those of other databases hold passwords.
        let path = url
            .strip_prefix("sqlite:")
            .ok_or_else(|| Invalid::new("database URL", "not one of SQLite").hint("write sqlite:PATH"))?;
        Ok(Self::file(path.strip_prefix("//").unwrap_or(path)))
    }

    /// Sets how many connections read at once.
    #[must_use]
    pub const fn with_readers(mut self, readers: u32) -> Self {
        self.readers = readers;
        self
    }

    /// Sets in which version heads are written, and under which name.
    #[must_use]
    pub fn with_writes(mut self, writes: WriteAs) -> Self {
        self.writes = writes;
        self
    }

    /// Sets how large things may be.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long to wait for another process that writes.
    #[must_use]
    pub const fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets how long to wait for a connection while this process uses all of them.
    #[must_use]
    pub const fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Brings an existing file to the present schema.
    #[must_use]
    pub const fn with_migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// The name by which SQLite opens the file.
    pub(crate) fn name(&self) -> Result<String, Invalid> {
        let path = self.path.to_str().ok_or_else(|| Invalid::new("SQLite file", "its path is not UTF-8"))?;
        if path.is_empty() || path == ":memory:" {
            return Err(Invalid::new("SQLite file", format!("{path:?} is no file"))
                .hint("cold storage outlives the process: name a file"));
        }
        // `file:` in front would be read as a URI, with its own escapes.
        Ok(if Path::new(path).is_absolute() { path.to_owned() } else { format!("./{path}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files() {
        for (url, path) in [
            ("sqlite:lab.db", "lab.db"),
            ("sqlite:/var/lib/lucihub/lab.db", "/var/lib/lucihub/lab.db"),
            ("sqlite:///var/lab.db", "/var/lab.db"),
            ("sqlite:odd ?name%20.db", "odd ?name%20.db"),
        ] {
            assert_eq!(SqliteOptions::url(url).unwrap().path, Path::new(path));
        }
        let error = SqliteOptions::url("postgres://lucihub:secret@db/lab").unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn a_name_is_never_a_uri_or_memory() {
        assert_eq!(SqliteOptions::file("file:x?mode=memory").name().unwrap(), "./file:x?mode=memory");
        assert!(SqliteOptions::file(":memory:").name().is_err());
        assert!(SqliteOptions::file("").name().is_err());
    }
}
