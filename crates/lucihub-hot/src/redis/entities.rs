//! Entities of devices that were read before: large, and mostly the same for months.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use lucihub_models_core::DeviceId;

/// An entity, and what the server calls it.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    pub(super) rev: String,
    pub(super) bytes: Arc<[u8]>,
}

/// The entities that were last read.
#[derive(Debug)]
pub(super) struct Entities {
    known: Mutex<LruCache<DeviceId, Entity>>,
}

impl Entities {
    /// Entities that are remembered: 32 MiB of the largest.
    const MOST: NonZeroUsize = NonZeroUsize::new(512).expect("not zero");

    pub(super) fn new() -> Self {
        Self { known: Mutex::new(LruCache::new(Self::MOST)) }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<DeviceId, Entity>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn of(&self, device: &DeviceId) -> Option<Entity> {
        self.lock().get(device).cloned()
    }

    pub(super) fn learn(&self, device: &DeviceId, entity: Entity) {
        self.lock().put(device.clone(), entity);
    }

    /// Forgets those of devices that are not among these, which are in order.
    pub(super) fn keep(&self, listed: &[DeviceId]) {
        let mut known = self.lock();
        let gone: Vec<DeviceId> =
            known.iter().map(|(id, _)| id).filter(|id| listed.binary_search(id).is_err()).cloned().collect();
        for id in gone {
            known.pop(&id);
        }
    }
}
