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
    /// Bytes that all of it takes up, indexes included; `None` where that is not to be known.
    pub bytes: Option<u64>,
    /// Runs that keepers still attend to, counted up to [`ColdHealth::MOST`].
    pub pending: u64,
    /// Of these, when the one ended that has waited longest for its archive, by the mirror.
    pub oldest_ended: Option<Timestamp>,
}

impl ColdHealth {
    /// So many runs are looked at, those created first: asking costs the same however many wait.
    pub const MOST: usize = 1_000;
}

/// Runs whose heads were last written in one version by one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelUse {
    /// The tag of the version; perhaps one that this library does not know.
    pub version: String,
    /// The program, as [`WriteAs::name`](crate::WriteAs::name) says it; `None` where it did not say.
    pub written_by: Option<String>,
    /// How many runs.
    pub runs: u64,
    /// When the last one of them was written.
    pub last: Option<Timestamp>,
}

/// How cold storage is, and who writes it.
#[async_trait]
pub trait ColdWatch: Send + Sync {
    /// How the store is. It reads rows, so whoever gets an answer would have got one to any other read.
    async fn health(&self) -> Result<ColdHealth>;

    /// In which versions heads are, by which programs they were last written, and when; by version, then program. It
    /// looks at every run, so it is for people: a second or more for millions of runs.
    async fn models(&self) -> Result<Vec<ModelUse>>;
}
