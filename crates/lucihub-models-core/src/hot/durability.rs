//! How safe hot storage is to have what was applied.

use super::runs::HotRun;
use crate::batch::WriterMark;
use crate::error::{Result, StoreError};

/// How safe hot storage is to have what was applied.
///
/// Each level is about one failure. Against all of them, a writer that lives keeps what cold storage does not have yet
/// and puts it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// The store has it. A server that dies may lose what its files do not have yet.
    #[default]
    Applied,
    /// So many replicas have it too: it survives a failover to one of them.
    Replicated(u32),
    /// The server's disk has it, synced: it survives a loss of power.
    Fsynced,
}

impl Durability {
    /// What a store says that has neither replicas nor a disk.
    ///
    /// # Errors
    /// `Precondition` for all but `Applied`.
    pub fn only_applied(self, store: &str) -> Result<()> {
        match self {
            Self::Applied => Ok(()),
            Self::Replicated(_) | Self::Fsynced => Err(StoreError::precondition(
                store,
                format!("it cannot give {self:?}; ask for Applied, or use hot storage on Redis"),
            )),
        }
    }
}

/// The answer to [`HotAppend::secure`](super::HotAppend::secure).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secured {
    /// All up to that batch is as safe as was asked.
    Secured,
    /// The store does not have that batch of that writer: it lost its tail or the run, or another writer has the run.
    /// The answer to the next append says which.
    Missing,
}

impl Secured {
    /// The answer for a run as it is.
    #[must_use]
    pub fn of(run: Option<&HotRun>, mark: WriterMark, seq: u64) -> Self {
        let has = run.is_some_and(|run| run.lease.as_ref().is_some_and(|l| l.mark == mark) && run.last_seq >= seq);
        if has { Self::Secured } else { Self::Missing }
    }
}
