//! Repair: cells that cold storage lost, from what hot storage still has.

use std::collections::HashSet;
use std::ops::Range;

use lucihub_models_core::cold::Checkpoint;
use lucihub_models_core::hot::HotRun;
use lucihub_models_core::{Digest, Result, RunId};

use super::verify::{Damage, Verified};
use crate::archive::cell_bytes;
use crate::read::{Cell, CellKey, cell_in_hot};
use crate::store::Store;

/// Bytes of cells that one transaction writes.
const TRANSACTION_BYTES: usize = 2 * 1024 * 1024;

/// Which cells to replace, and what they are to be: hashes, so that memory is bounded however many there are. Their
/// content is fetched again when it is written, and written only if it is still that.
#[derive(Debug)]
pub(super) struct Replacements<'a> {
    store: &'a Store,
    run: RunId,
    hot: Option<HotRun>,
    cells: Vec<(CellKey, Range<u64>, Digest)>,
    /// Whether the run has its digest with them.
    proven: bool,
}

impl<'a> Replacements<'a> {
    pub(super) async fn new(store: &'a Store, run: RunId) -> Result<Self> {
        let hot = store.hot().get(run).await?;
        Ok(Self { store, run, hot, cells: Vec::new(), proven: false })
    }

    /// A cell as hot storage has it. `None` if it has not all of it any more.
    pub(super) async fn in_hot(&self, key: CellKey, range: &Range<u64>) -> Result<Option<Cell>> {
        let Some(hot) = &self.hot else { return Ok(None) };
        cell_in_hot(self.store, hot, key, range).await
    }

    /// Notes a cell that is to be written.
    pub(super) fn keep(&mut self, key: CellKey, range: Range<u64>, hash: Digest) {
        self.cells.push((key, range, hash));
    }

    /// Says whether the run has its digest with all that was noted.
    pub(super) const fn settle(&mut self, proven: bool) {
        self.proven = proven;
    }

    /// Writes what was noted, if it was proven, and says so in the report.
    pub(super) async fn write(self, verified: &mut Verified) -> Result<()> {
        if !self.proven {
            return Ok(());
        }
        let (mut part, mut keys, mut bytes) = (Checkpoint::default(), Vec::new(), 0);
        let mut written = HashSet::new();
        for (key, range, hash) in &self.cells {
            // A cell whose summary alone is damaged is whole in cold storage itself.
            let is_it = |cell: &Cell| cell.hash() == *hash;
            let cell = match self.in_cold(*key).await?.filter(is_it) {
                Some(cell) => Some(cell),
                None => self.in_hot(*key, range).await?.filter(is_it),
            };
            let Some(cell) = cell else { continue };
            match cell {
                Cell::Lines(cell) => {
                    bytes += cell.lines.iter().map(lucihub_models_core::LogLine::size).sum::<usize>();
                    part.lines.push(cell);
                }
                Cell::Samples(cell) => {
                    let range = cell.series.first..cell.series.end;
                    bytes += usize::try_from(cell_bytes(cell.series.values.len() as u64, range)).unwrap_or(usize::MAX);
                    part.samples.push(cell);
                }
            }
            keys.push(*key);
            if bytes >= TRANSACTION_BYTES {
                self.flush(&mut part, &mut keys, &mut written, verified.digest).await?;
                bytes = 0;
            }
        }
        self.flush(&mut part, &mut keys, &mut written, verified.digest).await?;
        mark(verified, &written);
        Ok(())
    }

    async fn in_cold(&self, key: CellKey) -> Result<Option<Cell>> {
        let CellKey::Samples { channel, cell } = key else { return Ok(None) };
        match self.store.cold().sample_cells(self.run, channel, cell..cell + 1).await {
            Ok(cells) => Ok(cells.into_iter().next().map(Cell::Samples)),
            Err(lucihub_models_core::StoreError::Corrupt { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn flush(
        &self,
        part: &mut Checkpoint,
        keys: &mut Vec<CellKey>,
        written: &mut HashSet<CellKey>,
        digest: Digest,
    ) -> Result<()> {
        let (part, keys) = (std::mem::take(part), std::mem::take(keys));
        if !keys.is_empty() && self.store.cold().repair(self.run, &part, digest).await? {
            written.extend(keys);
        }
        Ok(())
    }
}

fn mark(verified: &mut Verified, written: &HashSet<CellKey>) {
    for damage in &mut verified.damage {
        match damage {
            Damage::Cell { key, range, repaired, .. } if written.contains(key) => {
                *repaired = true;
                match key {
                    CellKey::Lines(_) => verified.readable_lines += range.end - range.start,
                    CellKey::Samples { .. } => verified.readable_samples += range.end - range.start,
                }
            }
            Damage::Summary { channel, cell, repaired, .. } => {
                let key = CellKey::Samples { channel: *channel, cell: *cell };
                *repaired = written.contains(&key);
            }
            _ => {}
        }
    }
}
