//! Cells that grow, encoded while they do.
//!
//! A part of a cell that is complete is read from hot storage once, encoded and checked by cold storage, and goes into the
//! hash of its cell. When the cell is written, only what came after the last part is left to read and to encode.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use lucihub_models_core::cold::{Begun, ColdStore, GrownCell};
use lucihub_models_core::hot::HotRun;
use lucihub_models_core::{CellHash, Digest, GapCause, Grid, Result, SampleCell, Series, WriterMark};

use super::keeper::Keeper;
use crate::read::Located;

/// Parts that are read at once.
const PARTS_AT_ONCE: usize = 4;

/// The cell of a channel that grows, as far as it is encoded.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    pub(super) begun: Begun,
    /// Of what was read of it.
    hash: CellHash,
    _taken: Arc<Taken>,
}

/// Bytes that the growing cells of all runs of a keeper take in memory: counted as they come and go, since to add them up
/// for each run would cost the square of their number.
#[derive(Debug, Clone, Default)]
pub(super) struct Room(Arc<AtomicUsize>);

/// Bytes that one cell takes of it, given back when nobody has the cell any more.
#[derive(Debug)]
struct Taken {
    bytes: usize,
    room: Room,
}

/// The cells of a run that grow, of each channel at most one.
#[derive(Debug, Clone, Default)]
pub(super) struct Tails {
    /// Who wrote what is in them.
    mark: Option<WriterMark>,
    channels: BTreeMap<u32, Tail>,
}

/// A part that is to be encoded.
struct Part {
    channel: u32,
    cell: u64,
    range: Range<u64>,
    before: Option<Tail>,
}

impl Tails {
    /// What was begun of a cell, if not further than to a position.
    pub(super) fn of(&self, channel: u32, cell: u64, end: u64) -> Option<&Tail> {
        self.channels.get(&channel).filter(|tail| tail.begun.cell() == cell && tail.begun.range().end <= end)
    }

    /// Keeps what hot storage may still have as it was read: from the same writer, and of cells that still grow. What it
    /// lost, and had written anew by another one, may be other content.
    fn keep(&mut self, hot: &HotRun, grid: Grid) {
        let mark = hot.lease.as_ref().map(|lease| lease.mark);
        if self.mark != mark {
            *self = Self { mark, channels: BTreeMap::new() };
        }
        self.channels.retain(|channel, tail| {
            let next = hot.next.sample(*channel);
            tail.begun.range().end <= next && tail.begun.cell() == next / u64::from(grid.samples)
        });
    }

    /// The parts that are complete and not encoded.
    fn missing(&self, hot: &HotRun, grid: Grid) -> Vec<Part> {
        let channels = 0..u32::try_from(hot.next.samples.len()).unwrap_or(u32::MAX);
        let parts = channels.map(|channel| {
            let next = hot.next.sample(channel);
            let cell = next / u64::from(grid.samples);
            let before = self.channels.get(&channel).cloned();
            let from = before.as_ref().map_or(grid.sample_cell(cell).start, |tail| tail.begun.range().end);
            Part { channel, cell, range: from..next - next % grid.part(), before }
        });
        parts.filter(|part| !part.range.is_empty()).collect()
    }
}

impl Room {
    /// Bytes that are taken.
    fn taken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Arc<Taken> {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Arc::new(Taken { bytes, room: self.clone() })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Tail {
    /// With what came after its last part, encoded where cold storage does that, and the hash of all of it.
    pub(super) async fn with(&self, rest: Series, cold: &dyn ColdStore) -> Result<(GrownCell, Digest)> {
        let (mut hash, mut begun) = (self.hash.clone(), self.begun.clone());
        let mut rest = SampleCell { channel: begun.channel(), cell: begun.cell(), series: rest };
        let (first, end) = (rest.series.first, rest.series.end);
        if end > first {
            hash.add(&rest.series);
            if let Some(all) = cold.begin_cell(Some(&begun), rest.clone()).await? {
                (begun, rest.series) = (all, Series::starting_at(end));
            }
        }
        Ok((GrownCell { begun, rest: rest.series }, hash.finish()))
    }
}

impl Keeper {
    /// Encodes the parts of growing cells that are complete.
    pub(super) async fn encode_ahead(&self, located: &Located) -> Result<()> {
        let (Some(hot), run, grid) = (located.hot_run(), located.run(), located.grid()) else { return Ok(()) };
        if grid.part() >= u64::from(grid.samples) {
            return Ok(());
        }
        let tails = {
            let mut memory = self.memory();
            let tails = &mut memory.entry(run).or_default().tails;
            tails.keep(hot, grid);
            tails.clone()
        };
        let parts = stream::iter(tails.missing(hot, grid)).map(|part| self.encode_part(located, part));
        let mut parts = parts.buffer_unordered(PARTS_AT_ONCE);
        while let Some((channel, tail)) = parts.try_next().await? {
            let mut memory = self.memory();
            let Some(memory) = memory.get_mut(&run).filter(|memory| memory.tails.mark == tails.mark) else { continue };
            match tail {
                Some(tail) => drop(memory.tails.channels.insert(channel, tail)),
                None => drop(memory.tails.channels.remove(&channel)),
            }
        }
        Ok(())
    }

    /// Encodes a part. Nothing comes of one that cold storage may have more of or does not encode ahead, nor of one that
    /// cannot be read, which the checkpoint tells.
    async fn encode_part(&self, located: &Located, part: Part) -> Result<(u32, Option<Tail>)> {
        let Part { channel, cell, range, before } = part;
        // Asked for each part: many channels may be begun in one look.
        if self.room.taken() as u64 >= self.options.ahead_bytes {
            return Ok((channel, before));
        }
        let series = match self.store.window_at(located, channel, range.clone()).await {
            Err(why) if why.is_unreadable() => return Ok((channel, None)),
            read => read?,
        };
        if is_lost_in(&series) || (series.first..series.end) != range {
            return Ok((channel, None));
        }
        let (before, mut hash) = before.map_or_else(
            || (None, CellHash::begin(channel, cell, range.start)),
            |Tail { begun, hash, .. }| (Some(begun), hash),
        );
        hash.add(&series);
        let begun = self.store.cold().begin_cell(before.as_ref(), SampleCell { channel, cell, series }).await?;
        let tail = begun.map(|begun| {
            let taken = self.room.take(begun.bytes() + hash.bytes());
            Tail { begun, hash, _taken: taken }
        });
        Ok((channel, tail))
    }

    /// What is encoded of the growing cells of a run.
    pub(super) fn tails(&self, located: &Located) -> Tails {
        let Some(hot) = located.hot_run() else { return Tails::default() };
        let tails = self.memory().get(&located.run()).map(|memory| memory.tails.clone()).unwrap_or_default();
        if tails.mark == hot.lease.as_ref().map(|lease| lease.mark) { tails } else { Tails::default() }
    }
}

/// Whether hot storage lost some of it: cold storage may have that.
pub(super) fn is_lost_in(series: &Series) -> bool {
    series.gaps.iter().any(|gap| gap.cause == GapCause::Store)
}
