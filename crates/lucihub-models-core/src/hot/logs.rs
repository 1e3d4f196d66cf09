//! Log lines in hot storage.

use std::ops::Range;

use async_trait::async_trait;

use crate::error::Result;
use crate::id::RunId;
use crate::latest::LogLine;

/// Consecutive log lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineSlice {
    /// The number of the first one.
    pub first: u64,
    /// The lines.
    pub lines: Vec<LogLine>,
}

impl LineSlice {
    /// The number after the last line.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }
}

/// Reading log lines.
#[async_trait]
pub trait HotLogs: Send + Sync {
    /// The lines in a range of numbers, clipped to what is there: to the base
    /// below and to the last whole batch above. If nothing is left, `first` is
    /// the clipped start. `None` if there is no such run.
    async fn lines(&self, run: RunId, range: Range<u64>) -> Result<Option<LineSlice>>;
}
