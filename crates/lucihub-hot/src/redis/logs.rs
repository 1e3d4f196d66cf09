//! Reading log lines.

use std::ops::Range;

use async_trait::async_trait;
use lucihub_models_core::hot::{HotLogs, LineSlice};
use lucihub_models_core::{Result, RunId};

use super::RedisHot;
use super::block::read_lines;

#[async_trait]
impl HotLogs for RedisHot {
    async fn lines(&self, run: RunId, range: Range<u64>) -> Result<Option<LineSlice>> {
        let this = self.clone();
        let key = (run, range.start, range.end);
        let read = move || async move {
            let stream = this.keys.run(run).log();
            let begin = |first| LineSlice { first, lines: Vec::new() };
            this.read_range(run, "lines", stream, range, begin, |slice, end, block, part| {
                read_lines(run, end, block, part, &mut slice.lines)
            })
            .await
        };
        self.line_reads.join(key, read).await
    }
}
