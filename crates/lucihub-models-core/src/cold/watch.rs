//! How cold storage is.

use async_trait::async_trait;

use crate::error::Result;
use crate::timestamp::Timestamp;

/// How cold storage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColdHealth {
    /// What it is and of which version, for people: `SQLite 3.50.4`.
    pub engine: String,
    /// The version of its last migration; `None` where there are none.
    pub schema: Option<String>,
    /// Runs that keepers still attend to, counted up to [`ColdHealth::MOST`].
    pub pending: u64,
    /// Of these, when the one ended that has waited longest for its archive, by the mirror.
    pub oldest_ended: Option<Timestamp>,
}

impl ColdHealth {
    /// So many runs are looked at, those created first: asking costs the same however many wait.
    pub const MOST: usize = 1_000;
}

/// How cold storage is.
#[async_trait]
pub trait ColdWatch: Send + Sync {
    /// How the store is. It reads rows, so whoever gets an answer would have got one to any other read.
    async fn health(&self) -> Result<ColdHealth>;
}
