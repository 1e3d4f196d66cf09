//! Being woken when something changes, and how the store is.

use std::pin::Pin;

use async_trait::async_trait;
use futures_core::Stream;

use crate::error::Result;
use crate::id::RunId;

/// Wakes a follower of one run. Ends when the store closes.
pub type RunWakes = Pin<Box<dyn Stream<Item = ()> + Send>>;

/// Wakes keepers: which run changed in a way they care about.
pub type Wakes = Pin<Box<dyn Stream<Item = RunId> + Send>>;

/// How hot storage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What it is and of which version, for people: `Redis 7.0.15`.
    pub engine: String,
    /// Bytes in use.
    pub used_bytes: u64,
    /// Bytes it may use; `None` if nothing limits it.
    pub max_bytes: Option<u64>,
}

impl Health {
    /// The share of the room in use, 0 to 1; 0 if nothing limits it.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    #[must_use]
    pub fn fill(&self) -> f64 {
        self.max_bytes.map_or(0.0, |max| self.used_bytes as f64 / (max as f64).max(1.0))
    }
}

/// Waiting for changes. A wake-up makes followers quick, never right: it may
/// come late, twice, or for nothing, so they also look by themselves.
#[async_trait]
pub trait HotWatch: Send + Sync {
    /// Wakes after every change of a run that happens once the stream is made:
    /// an applied batch, a take-over, a cancel, a seal, a removal. Several
    /// changes may wake once.
    fn watch(&self, run: RunId) -> RunWakes;

    /// Wakes when a keeper has something to do soon: a run was opened, changed
    /// its state, was sealed, or a part of a cell of each of its channels or a
    /// cell of its lines became complete ([`Grid::completes`](crate::Grid::completes)).
    /// Under load, runs may be left out.
    fn wakes(&self) -> Wakes;

    /// How the store is.
    async fn health(&self) -> Result<Health>;
}
