//! What is exported: some channels of one run, side by side, over one range of indices.

use std::ops::Range;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use lucihub_models_core::{Gap, Invalid, RunHead, RunId, Series, TimeBase};
use lucihub_store::{Located, Source, Store};

use super::columns;
use crate::args::WindowArgs;
use crate::channels;
use crate::failure::Failure;
use crate::plot::{self, Which};

/// Channels that are read at once: one is decoded while the next is read.
const CHANNELS_AT_ONCE: usize = 4;

/// Some channels of a run at one position. It is read a [`Block`] at a time, so memory is bounded by one cell of each
/// channel, whatever the length of the run.
#[derive(Debug)]
pub(crate) struct Table {
    store: Store,
    located: Located,
    pub(crate) head: Arc<RunHead>,
    /// The numbers of the channels, in the order of their columns.
    pub(crate) channels: Vec<u32>,
    /// The names of their columns.
    pub(crate) names: Vec<String>,
    /// The indices that are exported.
    pub(crate) range: Range<u64>,
    /// The end of the longest of the channels.
    pub(crate) end: u64,
}

impl Table {
    /// Finds a run, the channels asked for, or all, and the part of it.
    pub(crate) async fn open(store: Store, run: RunId, asked: &[Which], window: WindowArgs) -> Result<Self, Failure> {
        let located = store.locate(run).await?;
        let head = located.status().head;
        let channels = if asked.is_empty() {
            (0..).take(head.channels.len()).collect()
        } else {
            asked.iter().map(|which| channels::number(&head, which)).collect::<Result<Vec<_>, _>>()?
        };
        if channels.is_empty() {
            return Err(Invalid::new(format!("run {run}"), "it has no channels, so no samples").into());
        }
        let end = channels.iter().map(|channel| located.positions().sample(*channel)).max().unwrap_or(0);
        let range = match (window.from, window.to) {
            (None, None) => 0..end,
            _ if end == 0 => {
                let problem = "no samples were recorded on the channels asked for";
                return Err(Invalid::new(format!("run {run}"), problem).into());
            }
            edges => plot::resolve(run, edges, head.time_base, end)?,
        };
        let names = columns::names(&head, &channels);
        Ok(Self { store, located, head, channels, names, range, end })
    }

    /// How sample indices become times.
    pub(crate) fn base(&self) -> Option<TimeBase> {
        self.head.time_base
    }

    /// What is to be known of a run that is not all there yet.
    pub(crate) fn caveat(&self) -> Option<String> {
        let up_to = format!("sample {}", self.end);
        match self.located.source() {
            Source::Archive => None,
            Source::Live if self.located.status().ended => None,
            Source::Live => {
                Some(format!("the run goes on; this is what was there when it was looked at, up to {up_to}"))
            }
            Source::Checkpoint | Source::Stale => {
                Some(format!("this is the last checkpoint of the run, up to {up_to}"))
            }
        }
    }

    /// The samples of all channels from an index to the end of its cells.
    pub(crate) async fn block(&self, from: u64) -> Result<Block, Failure> {
        let range = self.part(from);
        let channels = stream::iter(self.channels.iter());
        let read = channels.map(|channel| self.store.window_at(&self.located, *channel, range.clone()));
        let series = read.buffered(CHANNELS_AT_ONCE).try_collect().await?;
        Ok(Block { range: range.clone(), series })
    }

    /// The samples of one of the channels, by the number of its column.
    pub(crate) async fn column(&self, column: usize, from: u64) -> Result<Block, Failure> {
        let range = self.part(from);
        let channel = self.channels.get(column).copied().unwrap_or(u32::MAX);
        let series = vec![self.store.window_at(&self.located, channel, range.clone()).await?];
        Ok(Block { range, series })
    }

    /// Up to a cell's edge, so that no cell is decoded twice.
    fn part(&self, from: u64) -> Range<u64> {
        let cell = u64::from(self.head.grid.samples).max(1);
        from..(from / cell + 1).saturating_mul(cell).min(self.range.end)
    }
}

/// The samples of some channels over the same indices.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) range: Range<u64>,
    pub(crate) series: Vec<Series>,
}

impl Block {
    /// Each channel, walked from the beginning of the block.
    pub(crate) fn walks(&self) -> Vec<Walk<'_>> {
        self.series.iter().map(|series| Walk::new(series, self.range.start)).collect()
    }
}

/// A series index by index: a sample, or none where it is missing, and none past its end.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    at: u64,
    end: u64,
    gaps: &'a [Gap],
    values: &'a [f64],
}

impl<'a> Walk<'a> {
    fn new(series: &'a Series, from: u64) -> Self {
        Self { at: from, end: series.end, gaps: &series.gaps, values: &series.values }
    }

    /// What is at the next index.
    pub(crate) fn step(&mut self) -> Option<f64> {
        let at = self.at;
        self.at += 1;
        while let [gap, later @ ..] = self.gaps
            && gap.end <= at
        {
            self.gaps = later;
        }
        if at >= self.end || self.gaps.first().is_some_and(|gap| gap.first <= at) {
            return None;
        }
        let (value, later) = self.values.split_first()?;
        self.values = later;
        Some(*value)
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::GapCause;

    use super::*;

    #[test]
    fn a_walk_meets_every_index() {
        let mut series = Series::starting_at(10);
        series.push_gap(Gap::new(10..11, GapCause::Device));
        series.push_values(&[0.5, f64::NAN]);
        series.push_gap(Gap::new(13..15, GapCause::Device));
        series.push_gap(Gap::new(15..16, GapCause::Store));
        series.push_values(&[-0.0]);
        let block = Block { range: 10..19, series: vec![series, Series::starting_at(4)] };
        let [mut walk, mut short] = <[_; 2]>::try_from(block.walks()).unwrap();
        let bits: Vec<_> = block.range.clone().map(|_| walk.step().map(f64::to_bits)).collect();
        let [half, nan, zero] = [0.5, f64::NAN, -0.0].map(|value: f64| Some(value.to_bits()));
        assert_eq!(bits, [None, half, nan, None, None, None, zero, None, None]);
        assert!(block.range.clone().all(|_| short.step().is_none()), "one that ended before the block");
    }
}
