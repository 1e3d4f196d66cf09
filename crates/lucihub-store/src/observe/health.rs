//! How both storages are, in one call.

use std::time::Duration;

use lucihub_models_core::cold::ColdHealth;
use lucihub_models_core::hot::Health;
use lucihub_models_core::{Result, StoreError, Timestamp};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::{keeping, metrics};
use crate::store::Store;
use crate::{no_cold, no_hot};

/// How long a storage has to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How both storages are, and whether the store can do all that it was opened for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StoreHealth {
    /// Whether both storages answer and take what is written.
    pub ready: bool,
    /// Why it is not ready, a sentence each.
    pub why_not: Vec<String>,
    /// Hot storage; `None` if the store was opened without.
    pub hot: Option<HotStanding>,
    /// Cold storage; `None` if the store was opened without.
    pub cold: Option<ColdStanding>,
}

/// How hot storage is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HotStanding {
    /// Whether it answered in time.
    pub reachable: bool,
    /// How long its answer took, or was waited for.
    pub seconds: f64,
    /// What it is and of which version.
    pub engine: Option<String>,
    /// Bytes in use.
    pub used_bytes: Option<u64>,
    /// Bytes it may use; `None` if nothing limits it.
    pub max_bytes: Option<u64>,
}

/// How cold storage is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ColdStanding {
    /// Whether it answered in time.
    pub reachable: bool,
    /// How long its answer took, or was waited for.
    pub seconds: f64,
    /// What it is and of which version.
    pub engine: Option<String>,
    /// The version of its last migration.
    pub schema: Option<String>,
    /// Bytes that all of it takes up.
    pub bytes: Option<u64>,
    /// Runs that keepers still attend to, counted up to 1,000.
    pub pending: Option<u64>,
    /// Of these, when the one ended that has waited longest for its archive.
    pub oldest_ended: Option<Timestamp>,
}

impl Store {
    /// How both storages are. Asks both at once, and waits two seconds for each at most, so it always answers; that
    /// something is wrong is what the answer says.
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "sqlite"))]
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use lucihub_store::{Store, Urls};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let file = format!("sqlite:{}", dir.path().join("runs.sqlite").display());
    /// let store = Store::open(&Urls::new("memory:", file)).await?;
    /// let health = store.health().await;
    /// assert!(health.ready, "{}", health.why_not.join("; "));
    /// # Ok::<(), lucihub_models_core::StoreError>(())
    /// # }).unwrap();
    /// ```
    pub async fn health(&self) -> StoreHealth {
        let (hot, cold) =
            tokio::join!(asked("hot storage", self.hot().health()), asked("cold storage", self.cold().health()));
        if let Ok(health) = &hot.0 {
            keeping::hot(health);
        }
        let mut why_not = Vec::new();
        let hot = match hot {
            (Err(error), _) if no_hot::is_left_out(&error) => None,
            (answer, took) => Some(HotStanding::of(answer, took, &mut why_not)),
        };
        let cold = match cold {
            (Err(error), _) if no_cold::is_left_out(&error) => None,
            (answer, took) => Some(ColdStanding::of(answer, took, &mut why_not)),
        };
        StoreHealth { ready: why_not.is_empty(), why_not, hot, cold }
    }
}

/// A storage's answer, and how long it took.
async fn asked<T>(storage: &str, answer: impl Future<Output = Result<T>>) -> (Result<T>, Duration) {
    let begun = Instant::now();
    let answer = timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
        Err(StoreError::unavailable(storage, format!("it has not answered for {} s", PATIENCE.as_secs())))
    });
    (answer, begun.elapsed())
}

/// The sentence about a storage that gave no good answer.
fn wrong(error: &StoreError) -> String {
    metrics::error("health", error);
    error.to_string()
}

impl HotStanding {
    fn of(answer: Result<Health>, took: Duration, why_not: &mut Vec<String>) -> Self {
        let health = answer.map_err(|error| why_not.push(wrong(&error))).ok();
        if health.as_ref().is_some_and(|health| health.fill() >= 1.0) {
            why_not.push("hot storage is full: appends wait until a keeper has archived or its limit is raised".into());
        }
        Self {
            reachable: health.is_some(),
            seconds: took.as_secs_f64(),
            used_bytes: health.as_ref().map(|health| health.used_bytes),
            max_bytes: health.as_ref().and_then(|health| health.max_bytes),
            engine: health.map(|health| health.engine),
        }
    }
}

impl ColdStanding {
    fn of(answer: Result<ColdHealth>, took: Duration, why_not: &mut Vec<String>) -> Self {
        let health = answer.map_err(|error| why_not.push(wrong(&error))).ok();
        let (reachable, seconds) = (health.is_some(), took.as_secs_f64());
        let Some(ColdHealth { engine, schema, bytes, pending, oldest_ended }) = health else {
            return Self {
                reachable,
                seconds,
                engine: None,
                schema: None,
                bytes: None,
                pending: None,
                oldest_ended: None,
            };
        };
        Self { reachable, seconds, engine: Some(engine), schema, bytes, pending: Some(pending), oldest_ended }
    }
}
