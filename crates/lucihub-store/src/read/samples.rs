//! Reading samples: windows, whole channels, streams.

use std::ops::Range;

use futures_core::Stream;
use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};
use lucihub_models_core::{Result, Run, RunId, Series, StoreError, TimeBase};

use super::Located;
use super::lines::{LOOKS, moved_on};
use crate::observe::reading;
use crate::store::Store;

/// Cells that one read of cold storage brings: 4 MiB of samples.
pub(super) const CELLS_AT_ONCE: u64 = 8;

/// Channels of a whole run that are read at once: one is decoded while the next is read.
pub(super) const CHANNELS_AT_ONCE: usize = 8;

impl Store {
    /// The samples of a channel in a range of indices, clipped to what there is.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` naming the cell; others when a storage cannot be read.
    pub async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Series> {
        let located = self.locate(run).await?;
        self.window_at(&located, channel, range).await
    }

    /// The samples of a channel in a range of seconds from the start of OP, and
    /// the time base that says when each was taken.
    ///
    /// # Errors
    /// `Precondition` if the run has no time base; else as [`window`](Self::window).
    pub async fn window_seconds(&self, run: RunId, channel: u32, seconds: Range<f64>) -> Result<(Series, TimeBase)> {
        let located = self.locate(run).await?;
        let base = located.status().head.time_base.ok_or_else(|| {
            StoreError::precondition(format!("run {run}"), "it has no time base; ask for a range of samples instead")
        })?;
        let range = base.index(seconds.start)..base.index(seconds.end);
        Ok((self.window_at(&located, channel, range).await?, base))
    }

    /// The samples of a channel of a run at one position.
    ///
    /// # Errors
    /// As [`window`](Self::window).
    pub async fn window_at(&self, located: &Located, channel: u32, range: Range<u64>) -> Result<Series> {
        reading::range("samples", located, Some(channel), &range);
        let end = range.end.min(located.positions().sample(channel));
        let mut series = Series::starting_at(range.start.min(end));
        let mut base = located.hot.as_ref().map_or(u64::MAX, |hot| hot.base.sample(channel));
        for _ in 0..LOOKS {
            if series.end < base.min(end) {
                self.cold_samples(located, channel, &mut series, base.min(end)).await?;
            }
            if series.end >= end {
                return Ok(series);
            }
            match self.hot().window(located.run(), channel, series.end..end).await? {
                Some(part) if part.first == series.end && part.end > part.first => {
                    if series.first == series.end {
                        series = part;
                    } else {
                        series.append(&part);
                    }
                }
                // Trimmed meanwhile: what is missing is in cold storage.
                Some(part) if part.first > series.end => base = part.first,
                // It has left hot storage, or was lost there and is not back to where it was.
                Some(_) | None => base = self.gone(located).await?.map_or(0, |at| at.sample(channel)),
            }
        }
        Err(moved_on(located))
    }

    async fn cold_samples(&self, located: &Located, channel: u32, series: &mut Series, end: u64) -> Result<()> {
        let cells = located.cold.head.grid.sample_cells(&(series.end..end));
        let mut at = cells.start;
        while at < cells.end {
            let part = at..cells.end.min(at + CELLS_AT_ONCE);
            let stored = self.cold().series(located.run(), channel, part.clone()).await?;
            if let Some(stored) = stored.filter(|stored| (stored.first..stored.end).contains(&series.end)) {
                match (stored.first == series.end && stored.end <= end, series.first == series.end) {
                    (true, true) => *series = stored,
                    (true, false) => series.append(&stored),
                    (false, _) => series.append(&stored.slice(series.end..end)),
                }
            }
            let reached = located.cold.head.grid.sample_cell(part.end - 1).end.min(end);
            if series.end < reached {
                return Err(self.missing(located, &format!("channel {channel}, sample {}", series.end)).await);
            }
            at = part.end;
        }
        Ok(())
    }

    /// The samples of a channel as a stream of consecutive series, each a few
    /// cells long: memory is bounded whatever the length of the run.
    pub fn sample_stream(
        &self,
        run: RunId,
        channel: u32,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Series>> + Send + 'static {
        let store = self.clone();
        stream::try_unfold((store, None, range), move |(store, located, range)| async move {
            let located = match located {
                Some(located) => located,
                None => store.locate(run).await?,
            };
            let end = range.end.min(located.positions().sample(channel));
            if range.start >= end {
                return Ok(None);
            }
            // Up to a cell's edge, so that no cell is decoded twice.
            let size = u64::from(located.cold.head.grid.samples) * CELLS_AT_ONCE;
            let until = (range.start / size + 1).saturating_mul(size).min(end);
            let part = store.window_at(&located, channel, range.start..until).await?;
            Ok(Some((part, (store, Some(located), until..range.end))))
        })
    }

    /// A whole run: head, log lines and every sample. For large runs use streams.
    ///
    /// # Errors
    /// As [`window`](Self::window).
    pub async fn run(&self, run: RunId) -> Result<Run> {
        let located = self.locate(run).await?;
        let status = located.status();
        let channels = 0..u32::try_from(status.head.channels.len()).unwrap_or(u32::MAX);
        let channels = stream::iter(channels).map(|channel| self.window_at(&located, channel, 0..u64::MAX));
        let (logs, series) = try_join(
            self.lines_at(&located, 0..u64::MAX),
            channels.buffered(CHANNELS_AT_ONCE).try_collect::<Vec<Series>>(),
        )
        .await?;
        Ok(Run { head: (*status.head).clone(), logs: logs.lines, series, extra: lucihub_models_core::Extra::default() })
    }
}
