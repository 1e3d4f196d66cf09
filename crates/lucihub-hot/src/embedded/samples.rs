//! Samples: per channel, stretches as they came, found by binary search.

use std::collections::VecDeque;
use std::ops::Range;

use async_trait::async_trait;
use lucihub_models_core::hot::HotSamples;
use lucihub_models_core::{Piece, Result, RunId, Series};

use super::EmbeddedHot;
use super::live::LiveRun;

/// One channel's samples and gaps that are in hot storage, without a hole.
#[derive(Debug, Default)]
pub(super) struct Track {
    pieces: VecDeque<Piece>,
}

impl Track {
    /// Adds the piece that begins where the last one ends.
    pub(super) fn push(&mut self, piece: Piece) {
        self.pieces.push_back(piece);
    }

    /// The pieces that a range touches. Samples are shared, not copied.
    fn cut(&self, range: &Range<u64>) -> Vec<Piece> {
        let from = self.pieces.partition_point(|piece| piece.end() <= range.start);
        self.pieces.range(from..).take_while(|piece| piece.first() < range.end).cloned().collect()
    }

    /// Takes out the whole pieces below an index.
    pub(super) fn take_below(&mut self, limit: u64) -> Vec<Piece> {
        let count = self.pieces.partition_point(|piece| piece.end() <= limit);
        self.pieces.drain(..count).collect()
    }
}

/// The samples of pieces inside a range. Neighbouring gaps become one, so that
/// the answer does not depend on how the batches were cut.
fn series(pieces: &[Piece], range: &Range<u64>) -> Series {
    let mut series = Series::starting_at(range.start);
    for piece in pieces {
        match piece {
            Piece::Block { first, values } => {
                let within =
                    |at: u64| usize::try_from(at.saturating_sub(*first)).unwrap_or(usize::MAX).min(values.len());
                series.push_values(&values[within(range.start)..within(range.end)]);
            }
            Piece::Gap(gap) => {
                if let Some(gap) = gap.clip(range) {
                    series.push_gap(gap);
                }
            }
        }
    }
    series
}

#[async_trait]
impl HotSamples for EmbeddedHot {
    async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Option<Series>> {
        let (range, pieces) = {
            let mut visit = self.visit(run);
            let Some(live) = visit.live() else { return Ok(None) };
            let (base, next) = (live.base.sample(channel), live.next.sample(channel));
            let range = LiveRun::clip(&range, base, next);
            let pieces = live.tracks.get(channel as usize).map_or_else(Vec::new, |track| track.cut(&range));
            (range, pieces)
        };
        Ok(Some(series(&pieces, &range)))
    }
}
