//! The handle over both storages.

use std::fmt;
use std::sync::Arc;

use lucihub_models_core::cold::ColdStore;
use lucihub_models_core::hot::HotStore;
use lucihub_models_core::{Clock, IdSource, Limits, SystemClock, SystemIds, Timestamp};

use crate::record::asked::Asked;

/// One handle over hot and cold storage. Cloning it is cheap and shares both.
///
/// The methods are grouped by what they do: [creating and changing
/// runs](Store::create), [recording](Store::record), [reading](Store::status),
/// [following](Store::follow), [devices](Store::announce).
#[derive(Clone)]
pub struct Store {
    hot: Arc<dyn HotStore>,
    cold: Arc<dyn ColdStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    limits: Limits,
    asked: Asked,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// A store over these two, with the system's clock and ids.
    #[must_use]
    pub fn new(hot: Arc<dyn HotStore>, cold: Arc<dyn ColdStore>) -> Self {
        Self::builder(hot, cold).build()
    }

    /// A store over these two, with the rest to be chosen.
    #[must_use]
    pub fn builder(hot: Arc<dyn HotStore>, cold: Arc<dyn ColdStore>) -> StoreBuilder {
        StoreBuilder {
            store: Self {
                hot,
                cold,
                clock: Arc::new(SystemClock),
                ids: Arc::new(SystemIds),
                limits: Limits::default(),
                asked: Asked::default(),
            },
        }
    }

    /// Hot storage, through its ports.
    #[must_use]
    pub fn hot(&self) -> &Arc<dyn HotStore> {
        &self.hot
    }

    /// Cold storage, through its ports.
    #[must_use]
    pub fn cold(&self) -> &Arc<dyn ColdStore> {
        &self.cold
    }

    /// The limits that requests are checked against.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The present time, by this store's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) const fn asked(&self) -> &Asked {
        &self.asked
    }

    pub(crate) fn ids(&self) -> &dyn IdSource {
        &*self.ids
    }
}

/// Chooses the parts of a [`Store`].
#[derive(Debug, Clone)]
pub struct StoreBuilder {
    store: Store,
}

impl StoreBuilder {
    /// What time it is.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.store.clock = clock;
        self
    }

    /// Where new ids come from.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.store.ids = ids;
        self
    }

    /// What requests are checked against.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.store.limits = limits;
        self
    }

    /// The store.
    #[must_use]
    pub fn build(self) -> Store {
        self.store
    }
}
