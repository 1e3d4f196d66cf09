//! Log lines: chunks as they came, found by binary search.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use lucihub_models_core::hot::{HotLogs, LineSlice};
use lucihub_models_core::{LogLine, Result, RunId};

use super::EmbeddedHot;
use super::live::LiveRun;

/// The lines of one batch, shared with it.
#[derive(Debug)]
pub(super) struct Chunk {
    first: u64,
    lines: Arc<[LogLine]>,
    /// What it counts against the room.
    pub(super) bytes: u64,
}

impl Chunk {
    pub(super) fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }
}

/// The lines of one run that are in hot storage: chunks without a hole.
#[derive(Debug, Default)]
pub(super) struct Log {
    chunks: VecDeque<Chunk>,
}

impl Log {
    /// Adds the lines from number `first` on, which weigh `bytes`.
    pub(super) fn push(&mut self, first: u64, lines: Arc<[LogLine]>, bytes: u64) {
        if !lines.is_empty() {
            self.chunks.push_back(Chunk { first, lines, bytes });
        }
    }

    /// The chunks that a range touches, each with the part inside it.
    fn cut(&self, range: &Range<u64>) -> Vec<(Arc<[LogLine]>, Range<usize>)> {
        let from = self.chunks.partition_point(|chunk| chunk.end() <= range.start);
        let touched = self.chunks.range(from..).take_while(|chunk| chunk.first < range.end);
        let part = |chunk: &Chunk| {
            let within =
                |at: u64| usize::try_from(at.saturating_sub(chunk.first)).unwrap_or(usize::MAX).min(chunk.lines.len());
            (chunk.lines.clone(), within(range.start)..within(range.end))
        };
        touched.map(part).collect()
    }

    /// Takes out the whole chunks below a line number.
    pub(super) fn take_below(&mut self, limit: u64) -> Vec<Chunk> {
        let count = self.chunks.partition_point(|chunk| chunk.end() <= limit);
        self.chunks.drain(..count).collect()
    }
}

#[async_trait]
impl HotLogs for EmbeddedHot {
    async fn lines(&self, run: RunId, range: Range<u64>) -> Result<Option<LineSlice>> {
        let (first, chunks) = {
            let mut visit = self.visit(run);
            let Some(live) = visit.live() else { return Ok(None) };
            let (base, next) = (live.base.lines, live.next.lines);
            let range = LiveRun::clip(&range, base, next);
            (range.start, live.log.cut(&range))
        };
        let lines = chunks.iter().flat_map(|(lines, part)| &lines[part.clone()]).cloned().collect();
        Ok(Some(LineSlice { first, lines }))
    }
}
