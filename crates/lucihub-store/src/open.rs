//! Opening a store from URLs.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use lucihub_models_core::cold::ColdStore;
use lucihub_models_core::hot::HotStore;
use lucihub_models_core::{Clock, Invalid, Limits, Result, SystemClock, WriteAs};

use crate::no_cold::{self, NoCold};
use crate::no_hot::{self, NoHot};
use crate::store::Store;

/// Where hot and cold storage are.
///
/// | URL | storage | feature |
/// | --- | --- | --- |
/// | `memory:` | hot, in this process, gone when it ends | `memory` |
/// | `redis://...`, and the [other forms](https://docs.rs/lucihub-hot/latest/lucihub_hot/redis/struct.RedisHot.html) | hot, on a server that processes share | `redis` |
/// | `sqlite:PATH` | cold, one file | `sqlite` |
/// | `postgres://...`, in the [form](https://docs.rs/lucihub-cold/latest/lucihub_cold/struct.PostgresOptions.html) of its options | cold, a database on a server | `postgres` |
/// | `none:` | no hot storage: enough for a reader of history. No cold storage: enough for a worker that is told what to record, and for a scanner | |
#[derive(Clone)]
#[non_exhaustive]
pub struct Urls {
    /// Hot storage.
    pub hot: String,
    /// Cold storage.
    pub cold: String,
    /// What requests are checked against.
    pub limits: Limits,
    /// What every key in Redis begins with; default `lh`.
    pub key_prefix: Option<String>,
    /// Certificates of the authorities that Redis over TLS is to be trusted by, in PEM; default: the system's.
    pub redis_ca_file: Option<PathBuf>,
    /// In which version heads are written, and under which program's name.
    pub writes: WriteAs,
}

impl Urls {
    /// Hot storage here, cold storage there.
    #[must_use]
    pub fn new(hot: impl Into<String>, cold: impl Into<String>) -> Self {
        Self {
            hot: hot.into(),
            cold: cold.into(),
            limits: Limits::default(),
            key_prefix: None,
            redis_ca_file: None,
            writes: WriteAs::default(),
        }
    }

    /// Hot storage alone: what a worker needs that is told what to record, and a scanner. What would need cold storage
    /// answers `Unavailable`.
    #[must_use]
    pub fn hot_only(hot: impl Into<String>) -> Self {
        Self::new(hot, no_cold::URL)
    }

    /// Cold storage alone: what a reader of history needs. Runs that are not archived are answered from their last
    /// checkpoint, marked [`Source::Stale`](crate::Source::Stale); what would need hot storage answers `Unavailable`.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use lucihub_models_core::JobType;
    /// use lucihub_store::{Source, Store, Urls};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let file = format!("sqlite:{}", dir.path().join("runs.sqlite").display());
    /// let store = Store::open(&Urls::cold_only(file)).await?;
    /// let head = store.new_run(JobType::Run);
    /// assert!(store.create(&head).await.is_err(), "the row stands, but nothing takes the run");
    /// assert_eq!(store.status(head.id).await?.source, Source::Stale);
    /// # Ok::<(), lucihub_models_core::StoreError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn cold_only(cold: impl Into<String>) -> Self {
        Self::new(no_hot::URL, cold)
    }

    /// Sets what requests are checked against.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl Urls {
    /// Sets what every key in Redis begins with.
    #[must_use]
    pub fn with_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = Some(prefix.into());
        self
    }

    /// Sets in which version heads are written, and under which program's name: what `lucihub models status` shows.
    ///
    /// ```
    /// use lucihub_models_core::{Version, WriteAs};
    /// use lucihub_store::Urls;
    /// let writes = WriteAs::program("api-server")?.in_version(Version::V2)?;
    /// let urls = Urls::new("memory:", "sqlite:lab.db").with_writes(writes);
    /// # Ok::<(), lucihub_models_core::Invalid>(())
    /// ```
    #[must_use]
    pub fn with_writes(mut self, writes: WriteAs) -> Self {
        self.writes = writes;
        self
    }

    /// Trusts the authorities of a PEM file for Redis over TLS, instead of the system's.
    #[must_use]
    pub fn with_redis_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.redis_ca_file = Some(file.into());
        self
    }
}

/// The passwords of URLs are not shown.
impl fmt::Debug for Urls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Urls")
            .field("hot", &scheme(&self.hot).unwrap_or_default())
            .field("cold", &scheme(&self.cold).unwrap_or_default())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens both storages. A new SQLite file gets its tables; an existing one is
    /// never migrated unasked.
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "sqlite"))]
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use lucihub_store::{Store, Urls};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let file = format!("sqlite:{}", dir.path().join("runs.sqlite").display());
    /// let store = Store::open(&Urls::new("memory:", file)).await?;
    /// assert!(store.active_devices().await?.is_empty());
    /// # Ok::<(), lucihub_models_core::StoreError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `Invalid` for a URL that this build cannot open; `Unavailable`;
    /// `Precondition` for a database of another schema, with what to do.
    pub async fn open(urls: &Urls) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let hot = open_hot(urls, &clock).await?;
        let cold = open_cold(urls, &clock).await?;
        Ok(Self::builder(hot, cold).clock(clock).limits(urls.limits.clone()).build())
    }
}

/// For a hint: `redis://` over TLS, by a socket, to a cluster, and behind Sentinel.
const REDIS_FORMS: &str = "redis://..., rediss://..., redis+unix://..., redis-cluster://..., rediss-cluster://..., \
                           redis-sentinel://... and rediss-sentinel://...";

#[cfg_attr(not(feature = "memory"), expect(unused_variables, reason = "no hot adapter with a clock in this build"))]
#[cfg_attr(not(feature = "redis"), expect(clippy::unused_async, reason = "no hot adapter that connects in this build"))]
async fn open_hot(urls: &Urls, clock: &Arc<dyn Clock>) -> Result<Arc<dyn HotStore>> {
    if urls.hot == no_hot::URL {
        return Ok(Arc::new(NoHot));
    }
    #[cfg(feature = "memory")]
    if urls.hot == "memory:" {
        use lucihub_hot::embedded::{EmbeddedHot, EmbeddedOptions};
        let options = EmbeddedOptions::default().with_limits(urls.limits.clone());
        return Ok(Arc::new(EmbeddedHot::new(options, clock.clone())));
    }
    #[cfg(feature = "redis")]
    if urls.hot.starts_with("redis") {
        use lucihub_hot::redis::{RedisHot, RedisOptions};
        let mut options = RedisOptions::new(&*urls.hot).with_limits(urls.limits.clone());
        options.writes.clone_from(&urls.writes);
        if let Some(prefix) = &urls.key_prefix {
            options = options.with_prefix(prefix);
        }
        options.ca_file.clone_from(&urls.redis_ca_file);
        // Connecting is a large future, and opening is rare: callers need not carry it.
        return Ok(Arc::new(Box::pin(RedisHot::open(options)).await?));
    }
    let forms = [("memory:", cfg!(feature = "memory")), (REDIS_FORMS, cfg!(feature = "redis"))];
    Err(unknown("hot", &urls.hot, &forms).into())
}

#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    expect(unused_variables, clippy::unused_async, reason = "no cold adapter in this build")
)]
async fn open_cold(urls: &Urls, clock: &Arc<dyn Clock>) -> Result<Arc<dyn ColdStore>> {
    if urls.cold == no_cold::URL {
        return Ok(Arc::new(NoCold));
    }
    #[cfg(feature = "sqlite")]
    if let Some(path) = urls.cold.strip_prefix("sqlite:") {
        use lucihub_cold::sqlite::{SqliteCold, SqliteOptions};
        let options = SqliteOptions::file(path).with_limits(urls.limits.clone()).with_writes(urls.writes.clone());
        return Ok(Arc::new(SqliteCold::open(options, clock.clone()).await?));
    }
    #[cfg(feature = "postgres")]
    if lucihub_cold::postgres::is_postgres(&urls.cold) {
        use lucihub_cold::{PostgresCold, PostgresOptions};
        let options =
            PostgresOptions::url(&urls.cold)?.with_limits(urls.limits.clone()).with_writes(urls.writes.clone());
        return Ok(Arc::new(PostgresCold::open(options, clock.clone()).await?));
    }
    let forms = [
        ("sqlite:PATH", cfg!(feature = "sqlite")),
        ("postgres://USER:PASSWORD@HOST/DATABASE", cfg!(feature = "postgres")),
    ];
    Err(unknown("cold", &urls.cold, &forms).into())
}

/// Names the scheme alone: the rest of a URL may hold a password.
fn unknown(storage: &str, url: &str, forms: &[(&str, bool)]) -> Invalid {
    let built: Vec<&str> = forms.iter().filter(|(_, on)| *on).map(|(form, _)| *form).collect();
    let hint = if built.is_empty() {
        "this build has no adapter for it; enable a feature of lucihub-store".to_owned()
    } else {
        format!("this build opens {}", built.join(", "))
    };
    let problem = scheme(url).map_or_else(|| "it has no scheme".to_owned(), |scheme| format!("cannot open {scheme:?}"));
    Invalid::new(format!("{storage} storage URL"), problem).hint(hint)
}

/// The scheme of a URL. What only stands before a colon may be part of a password.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let is_one = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_one.then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_scheme_is_shown() {
        for (url, seen) in
            [("http://user:s3cret@host", "http"), ("s3cret", "no scheme"), ("s3cret@host:1", "no scheme")]
        {
            let shown = format!("{:?} {}", Urls::hot_only(url), unknown("hot", url, &[]));
            assert!(!shown.contains("s3cret") && shown.contains(seen), "{shown}");
        }
    }
}
