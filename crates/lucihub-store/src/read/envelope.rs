//! Envelopes: any plot in one small read.

use std::ops::Range;

use lucihub_models_core::{Envelope, EnvelopeBuilder, Gap, Result, RunId, SUMMARY_WIDTH};

use super::Located;
use super::samples::CELLS_AT_ONCE;
use crate::observe::reading;
use crate::store::Store;

/// Summaries that one read brings: 1.6 MB of buckets. Each read is handed over
/// between threads, which costs most where the machine is busy.
const SUMMARIES_AT_ONCE: u64 = 512;

impl Store {
    /// The envelope of a channel over a range of indices, in at most `most`
    /// buckets. The range is widened to the edges of its buckets and clipped to
    /// what there is; the answer says which it is, and the width used.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` naming the cell; others when a storage cannot be read.
    pub async fn envelope(&self, run: RunId, channel: u32, range: Range<u64>, most: usize) -> Result<Envelope> {
        let located = self.locate(run).await?;
        self.envelope_at(&located, channel, range, most).await
    }

    /// The envelope of a channel of a run at one position.
    ///
    /// # Errors
    /// As [`envelope`](Self::envelope).
    pub async fn envelope_at(
        &self,
        located: &Located,
        channel: u32,
        range: Range<u64>,
        most: usize,
    ) -> Result<Envelope> {
        let end = located.positions().sample(channel);
        let range = range.start.min(end)..range.end.min(end);
        let width = Envelope::width_for(&range, most);
        let wide = Envelope::aligned(&range, width);
        self.buckets_at(located, channel, wide.start..wide.end.min(end), width).await
    }

    /// The buckets of exactly a range of indices: the first and the last one hold
    /// what of them lies in it.
    pub(crate) async fn buckets_at(
        &self,
        located: &Located,
        channel: u32,
        range: Range<u64>,
        width: u64,
    ) -> Result<Envelope> {
        reading::range("buckets", located, Some(channel), &range);
        let mut builder = EnvelopeBuilder::new(range.start / width * width, width);
        let base = located.hot.as_ref().map_or(range.end, |hot| hot.base.sample(channel));
        let seam = base.clamp(range.start, range.end);
        let step = u64::from(located.cold.head.grid.samples) * CELLS_AT_ONCE;
        let mut at = range.start;
        while at < range.end {
            if width >= SUMMARY_WIDTH && at < seam && at.is_multiple_of(SUMMARY_WIDTH) {
                let reached = self.summarized(located, channel, at..seam, &mut builder).await?;
                if reached > at {
                    at = reached;
                    continue;
                }
            }
            // What has no whole summary: narrow buckets, the edges, the seam, and the live part.
            let edge = if width >= SUMMARY_WIDTH && at < seam { SUMMARY_WIDTH } else { step };
            let until = (at / edge + 1).saturating_mul(edge).min(range.end);
            builder.series(&self.window_at(located, channel, at..until).await?);
            at = until;
        }
        Ok(builder.finish())
    }

    /// Adds the summaries in a range that begins at a summary's edge. Returns how
    /// far they reach.
    async fn summarized(
        &self,
        located: &Located,
        channel: u32,
        range: Range<u64>,
        builder: &mut EnvelopeBuilder,
    ) -> Result<u64> {
        let cells = located.cold.head.grid.sample_cells(&range);
        let mut reached = range.start;
        let mut at = cells.start;
        while at < cells.end {
            let part = at..cells.end.min(at + SUMMARIES_AT_ONCE);
            for cell in self.cold().summaries(located.run(), channel, part.clone()).await? {
                if cell.first > reached {
                    return Err(self.missing(located, &format!("channel {channel}, sample {reached}")).await);
                }
                // A bucket that passes the seam would count what hot storage adds.
                let whole = if cell.end <= range.end { cell.end } else { range.end / SUMMARY_WIDTH * SUMMARY_WIDTH };
                let place = |index: u64| {
                    let before = index.saturating_sub(cell.first).div_ceil(SUMMARY_WIDTH);
                    usize::try_from(before).unwrap_or(usize::MAX).min(cell.buckets.len())
                };
                let within = place(range.start)..place(whole);
                let first = cell.first + within.start as u64 * SUMMARY_WIDTH;
                builder.buckets(first, SUMMARY_WIDTH, cell.buckets.get(within).unwrap_or_default());
                let added = reached.max(range.start)..whole;
                let gaps: Vec<Gap> = cell.gaps.iter().filter_map(|gap| gap.clip(&added)).collect();
                builder.gaps(&gaps);
                reached = reached.max(whole);
            }
            at = part.end;
        }
        builder.reach(reached);
        Ok(reached)
    }
}
