//! Reading log lines.

use std::ops::Range;

use async_trait::async_trait;
use lucihub_models_core::hot::{HotLogs, LineSlice};
use lucihub_models_core::{Result, RunId};

use crate::Toy;

#[async_trait]
impl HotLogs for Toy {
    async fn lines(&self, run: RunId, range: Range<u64>) -> Result<Option<LineSlice>> {
        Ok(self.locked(|state, _| {
            let run = state.runs.get(&run)?;
            let (base, next) = (run.hot.base.lines, run.hot.next.lines);
            let first = range.start.clamp(base, next);
            let skip = usize::try_from(first - base).unwrap_or(usize::MAX);
            let count = usize::try_from(range.end.min(next).saturating_sub(first)).unwrap_or(usize::MAX);
            let lines = run.lines.iter().skip(skip).take(count).cloned().collect();
            Some(LineSlice { first, lines })
        }))
    }
}
