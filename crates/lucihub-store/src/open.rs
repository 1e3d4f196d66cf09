//! Opening a store from URLs.

use std::sync::Arc;

use lucihub_models_core::cold::ColdStore;
use lucihub_models_core::hot::HotStore;
use lucihub_models_core::{Clock, Invalid, Limits, Result, SystemClock};

use crate::store::Store;

/// Where hot and cold storage are.
///
/// | URL | storage | feature |
/// | --- | --- | --- |
/// | `memory:` | hot, in this process, gone when it ends | `memory` |
/// | `sqlite:PATH` | cold, one file | `sqlite` |
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Urls {
    /// Hot storage.
    pub hot: String,
    /// Cold storage.
    pub cold: String,
    /// What requests are checked against.
    pub limits: Limits,
}

impl Urls {
    /// Hot storage here, cold storage there.
    #[must_use]
    pub fn new(hot: impl Into<String>, cold: impl Into<String>) -> Self {
        Self { hot: hot.into(), cold: cold.into(), limits: Limits::default() }
    }

    /// Sets what requests are checked against.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
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
        let hot = open_hot(urls, &clock)?;
        let cold = open_cold(urls, &clock).await?;
        Ok(Self::builder(hot, cold).clock(clock).limits(urls.limits.clone()).build())
    }
}

#[cfg_attr(not(feature = "memory"), expect(unused_variables, reason = "no hot adapter in this build"))]
fn open_hot(urls: &Urls, clock: &Arc<dyn Clock>) -> Result<Arc<dyn HotStore>> {
    #[cfg(feature = "memory")]
    if urls.hot == "memory:" {
        use lucihub_hot::embedded::{EmbeddedHot, EmbeddedOptions};
        let options = EmbeddedOptions::default().with_limits(urls.limits.clone());
        return Ok(Arc::new(EmbeddedHot::new(options, clock.clone())));
    }
    Err(unknown("hot", &urls.hot, &[("memory:", cfg!(feature = "memory"))]).into())
}

#[cfg_attr(
    not(feature = "sqlite"),
    expect(unused_variables, clippy::unused_async, reason = "no cold adapter in this build")
)]
async fn open_cold(urls: &Urls, clock: &Arc<dyn Clock>) -> Result<Arc<dyn ColdStore>> {
    #[cfg(feature = "sqlite")]
    if let Some(path) = urls.cold.strip_prefix("sqlite:") {
        use lucihub_cold::sqlite::{SqliteCold, SqliteOptions};
        let options = SqliteOptions::file(path).with_limits(urls.limits.clone());
        return Ok(Arc::new(SqliteCold::open(options, clock.clone()).await?));
    }
    Err(unknown("cold", &urls.cold, &[("sqlite:PATH", cfg!(feature = "sqlite"))]).into())
}

/// Names the scheme alone: the rest of a URL may hold a password.
fn unknown(storage: &str, url: &str, forms: &[(&str, bool)]) -> Invalid {
    let scheme = url.split(':').next().unwrap_or_default();
    let built: Vec<&str> = forms.iter().filter(|(_, on)| *on).map(|(form, _)| *form).collect();
    let hint = if built.is_empty() {
        "this build has no adapter for it; enable a feature of lucihub-store".to_owned()
    } else {
        format!("this build opens {}", built.join(", "))
    };
    Invalid::new(format!("{storage} storage URL"), format!("cannot open {scheme:?}")).hint(hint)
}
