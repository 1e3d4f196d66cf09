//! What writers were told, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use lucihub_models_core::hot::{Answer, Outcome};
use lucihub_models_core::{Result, StoreError};

/// How often writers were told what.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) applied: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) behind: AtomicU64,
    pub(super) unknown: AtomicU64,
    pub(super) unavailable: AtomicU64,
}

impl Tally {
    /// Counts an answer, which must be one that such a writer can get.
    pub(super) fn note(&self, about: &str, answer: &Result<Answer>) {
        let counter = match answer {
            Ok(Answer { outcome: Outcome::Applied, .. }) => &self.applied,
            Ok(Answer { outcome: Outcome::Duplicate, .. }) => &self.duplicates,
            Ok(Answer { outcome: Outcome::Behind(_), .. }) => &self.behind,
            Err(StoreError::Unknown { .. }) => &self.unknown,
            Err(StoreError::Unavailable { .. }) => &self.unavailable,
            wrong => panic!("{about}: {wrong:?}"),
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }

    /// Batches that were acknowledged.
    pub(super) fn acknowledged(&self) -> u64 {
        self.applied.load(Ordering::SeqCst) + self.duplicates.load(Ordering::SeqCst)
    }

    /// Calls that failed.
    pub(super) fn failed(&self) -> u64 {
        self.unknown.load(Ordering::SeqCst) + self.unavailable.load(Ordering::SeqCst)
    }
}
