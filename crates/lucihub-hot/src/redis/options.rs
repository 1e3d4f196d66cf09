//! How the adapter reaches its server, and behaves.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lucihub_models_core::{Invalid, Limits, WriteAs};

/// How the adapter reaches its server, and behaves. Its `Debug` shows no password.
///
/// ```
/// use lucihub_hot::redis::RedisOptions;
/// let options = RedisOptions::new("redis://worker:secret@redis.lab:6379").with_prefix("lab-7");
/// assert!(!format!("{options:?}").contains("secret"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    /// Where the server is; see [`RedisHot`](super::RedisHot) for the forms.
    pub url: String,
    /// What every key begins with. Default `lh`.
    pub prefix: String,
    /// What requests are checked against.
    pub limits: Limits,
    /// In which version heads are written.
    pub writes: WriteAs,
    /// How long a call may take, with all its steps and retries; a long read may take that for each of its parts, 4 MiB
    /// at most. At least 10 ms, default 3 s.
    pub timeout: Duration,
    /// How long opening may take. Default 10 s.
    pub connect_timeout: Duration,
    /// Certificates of the authorities to trust, in PEM; default: the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether to use a server that throws data away when it is full. Default `false`: opening refuses it.
    pub allow_eviction: bool,
}

impl RedisOptions {
    /// The server at a URL, and the defaults.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "lh".to_owned(),
            limits: Limits::default(),
            writes: WriteAs::default(),
            timeout: Duration::from_secs(3),
            connect_timeout: Duration::from_secs(10),
            ca_file: None,
            allow_eviction: false,
        }
    }

    /// Refuses what cannot work, and shortens what is longer than anyone waits.
    pub(super) fn checked(mut self) -> Result<Self, Invalid> {
        const LEAST: Duration = Duration::from_millis(10);
        const MOST: Duration = Duration::from_secs(86_400);
        for (what, timeout) in [("timeout", &mut self.timeout), ("connect timeout", &mut self.connect_timeout)] {
            if *timeout < LEAST {
                return Err(Invalid::new(what, format!("{timeout:?}")).hint(format!("use {LEAST:?} or more")));
            }
            *timeout = (*timeout).min(MOST);
        }
        Ok(self)
    }

    /// Sets what every key begins with: 1 to 64 letters, digits and `. _ - :`.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets what requests are checked against.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets in which version heads are written.
    #[must_use]
    pub fn with_writes(mut self, writes: WriteAs) -> Self {
        self.writes = writes;
        self
    }

    /// Sets how long a call may take.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long opening may take.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Trusts the authorities of a PEM file instead of the system's.
    #[must_use]
    pub fn with_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// Uses a server although it throws data away when it is full: live runs may then lose samples unnoticed.
    #[must_use]
    pub const fn allowing_eviction(mut self) -> Self {
        self.allow_eviction = true;
        self
    }
}

impl RedisOptions {
    /// The server as people and logs may see it: scheme, host, port and socket of the URL, no user, no password.
    ///
    /// ```
    /// use lucihub_hot::redis::RedisOptions;
    /// assert_eq!(RedisOptions::new("redis://worker:secret@redis.lab:6379/1").server(), "redis://redis.lab:6379");
    /// ```
    #[must_use]
    pub fn server(&self) -> String {
        super::url::shown(&self.url)
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, prefix, limits, writes, timeout, connect_timeout, ca_file, allow_eviction } = self;
        f.debug_struct("RedisOptions")
            .field("server", &self.server())
            .field("prefix", prefix)
            .field("limits", limits)
            .field("writes", writes)
            .field("timeout", timeout)
            .field("connect_timeout", connect_timeout)
            .field("ca_file", ca_file)
            .field("allow_eviction", allow_eviction)
            .finish()
    }
}
