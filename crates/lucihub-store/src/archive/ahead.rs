//! Ahead of the end: a cell is written and read back as soon as it is complete.
//!
//! Nothing in a complete cell changes any more, so when the run ends only the tails of its channels are left to do.

use futures_util::TryStreamExt;
use lucihub_models_core::{Digest, Grid, Positions, Result, RunId};

use super::keeper::Keeper;
use super::stops::Unlike;
use super::verify::{ReadBack, Verify, Wanted};
use super::written::Written;
use crate::read::Located;

/// The hashes of complete cells that this keeper has read back from cold storage: the first ones of each channel, and of
/// the lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Verified {
    lines: Vec<Digest>,
    samples: Vec<Vec<Digest>>,
}

impl Verified {
    /// Those of the lines.
    pub(super) fn lines(&self) -> &[Digest] {
        &self.lines
    }

    /// Those of a channel.
    pub(super) fn samples(&self, channel: u32) -> &[Digest] {
        self.samples.get(channel as usize).map_or(&[], Vec::as_slice)
    }

    /// Takes hashes of the lines in, from such a cell on. Where others were taken in meanwhile, they are those.
    fn add_lines(&mut self, from: u64, hashes: Vec<Digest>) {
        if self.lines.len() as u64 == from {
            self.lines.extend(hashes);
        }
    }

    /// The same of a channel.
    fn add_samples(&mut self, channel: u32, from: u64, hashes: Vec<Digest>) {
        let at = channel as usize;
        if self.samples.len() <= at {
            self.samples.resize_with(at + 1, Vec::new);
        }
        if self.samples[at].len() as u64 == from {
            self.samples[at].extend(hashes);
        }
    }

    /// Forgets what lies beyond a position.
    fn clip(&mut self, to: &Positions, grid: Grid) {
        let cells = |at, size| usize::try_from(complete_cells(at, size)).unwrap_or(usize::MAX);
        self.lines.truncate(cells(to.lines, grid.lines));
        for (channel, hashes) in (0..).zip(&mut self.samples) {
            hashes.truncate(cells(to.sample(channel), grid.samples));
        }
    }
}

impl Keeper {
    /// How far a checkpoint of complete cells alone would bring cold storage; `None` if it has them all.
    pub(super) fn complete(&self, located: &Located) -> Option<Positions> {
        let (have, at, grid) = (located.cold_positions(), located.positions(), located.grid());
        let mut complete = at.clone();
        complete.lines -= at.lines % u64::from(grid.lines);
        for next in &mut complete.samples {
            *next -= *next % u64::from(grid.samples);
        }
        let complete = self.stopped(located).pass_over(complete, have);
        let more = !have.covers(&Positions { states: 0, phases: 0, ..complete.clone() });
        // Hot storage that went back to an older copy may have less than cold storage.
        more.then(|| have.max(&complete).min(at))
    }

    /// Reads complete cells back, up to what cold storage has and hot storage knows to be safe. One that is not as it should
    /// be keeps its own channel, or the log, from being read any further; what hot storage has of it stays there.
    pub(super) async fn verify_ahead(&self, located: &Located, safe: &Positions, written: &Written) -> Result<()> {
        let (run, grid, hot) = (located.run(), located.grid(), located.hot_run());
        let verified = self.verified(run);
        let verify = Verify { store: &self.store, run, grid, hot, written };
        let from = verified.lines().len() as u64;
        let lines = verify.lines(from..complete_cells(safe.lines, grid.lines), safe.lines).await?;
        self.note_lines(located, from, lines);
        let wanted = (0..u32::try_from(safe.samples.len()).unwrap_or(u32::MAX)).map(|channel| {
            let end = safe.sample(channel);
            let cells = verified.samples(channel).len() as u64..complete_cells(end, grid.samples);
            Wanted { channel, cells, end }
        });
        let wanted = wanted.filter(|wanted| !wanted.cells.is_empty()).collect();
        let channels: Vec<_> = verify.channels(wanted).try_collect().await?;
        for (Wanted { channel, cells, .. }, back) in channels {
            self.note_samples(located, channel, cells.start, back);
        }
        Ok(())
    }

    /// Reads complete cells below a position back, those of which hot storage still has some, and says how far it may let
    /// go: of nothing of a channel, or of the lines, with a cell that is not as it should be.
    pub(super) async fn read_back(&self, located: &Located, mut below: Positions) -> Result<Positions> {
        let (run, grid, written) = (located.run(), located.grid(), Written::default());
        let Some(hot) = located.hot_run() else { return Ok(below) };
        let verified = self.verified(run);
        let verify = Verify { store: &self.store, run, grid, hot: Some(hot), written: &written };
        let from = (verified.lines().len() as u64).max(complete_cells(hot.base.lines, grid.lines));
        let cells = from..complete_cells(below.lines, grid.lines);
        if !cells.is_empty() {
            let lines = verify.lines(cells, below.lines).await?;
            if self.note_lines(located, from, lines) {
                below.lines = 0;
            }
        }
        for channel in 0..u32::try_from(below.samples.len()).unwrap_or(u32::MAX) {
            let (end, base) = (below.sample(channel), hot.base.sample(channel));
            let from = (verified.samples(channel).len() as u64).max(complete_cells(base, grid.samples));
            let cells = from..complete_cells(end, grid.samples);
            if cells.is_empty() {
                continue;
            }
            let back = verify.samples(&Wanted { channel, cells, end }).await?;
            if self.note_samples(located, channel, from, back) {
                below.set_sample(channel, 0);
            }
        }
        Ok(below)
    }

    /// Keeps in mind what was read back of the lines from such a cell on. Whether something is wrong with them.
    fn note_lines(&self, located: &Located, from: u64, ReadBack { hashes, wrong }: ReadBack) -> bool {
        let (grid, base) = (located.grid(), located.hot_run().map_or(u64::MAX, |hot| hot.base.lines));
        let (cell, is_wrong) = (grid.log_cell(from + hashes.len() as u64), wrong.is_some());
        let mut memory = self.memory();
        let memory = memory.entry(located.run()).or_default();
        memory.verified.add_lines(from, hashes);
        let wrong = wrong.map(|why| Unlike { at: cell.start, in_hot: cell.end > base, why });
        memory.stopped.read_back(None, grid.log_cell(from).start, wrong);
        is_wrong
    }

    /// The same of a channel.
    fn note_samples(&self, located: &Located, channel: u32, from: u64, ReadBack { hashes, wrong }: ReadBack) -> bool {
        let (grid, base) = (located.grid(), located.hot_run().map_or(u64::MAX, |hot| hot.base.sample(channel)));
        let (cell, is_wrong) = (grid.sample_cell(from + hashes.len() as u64), wrong.is_some());
        let mut memory = self.memory();
        let memory = memory.entry(located.run()).or_default();
        memory.verified.add_samples(channel, from, hashes);
        let wrong = wrong.map(|why| Unlike { at: cell.start, in_hot: cell.end > base, why });
        memory.stopped.read_back(Some(channel), grid.sample_cell(from).start, wrong);
        is_wrong
    }

    /// What was read back of a run so far.
    pub(super) fn verified(&self, run: RunId) -> Verified {
        self.memory().get(&run).map(|memory| memory.verified.clone()).unwrap_or_default()
    }

    /// Keeps in mind only what hot storage itself knows to be safe: it said so of everything that was read back, unless it
    /// went back to an older copy, from which another writer may have gone on otherwise. And only what cold storage has:
    /// out of a backup it may have less than when it was read back.
    pub(super) fn keep_confirmed(&self, located: &Located) {
        let Some(hot) = located.hot_run() else { return };
        if let Some(memory) = self.memory().get_mut(&located.run()) {
            memory.verified.clip(&hot.confirmed.min(located.cold_positions()), located.grid());
        }
    }
}

/// How many cells are complete below a position.
fn complete_cells(at: u64, size: u32) -> u64 {
    at / u64::from(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_walks_read_back_at_once_is_taken_in_once() {
        let hashes: Vec<Digest> = (0..3_u8).map(|n| Digest::of(&[n])).collect();
        let mut verified = Verified::default();
        for _ in 0..2 {
            verified.add_lines(0, hashes[..2].to_vec());
            verified.add_samples(1, 0, hashes.clone());
        }
        verified.add_lines(2, hashes[2..].to_vec());
        assert_eq!((verified.lines(), verified.samples(1), verified.samples(0)), (&*hashes, &*hashes, &[][..]));
        let at = Positions { lines: 40, samples: vec![9_999, 2_047], ..Positions::default() };
        verified.clip(&at, Grid { samples: 1_024, lines: 16 });
        assert_eq!((verified.lines(), verified.samples(1)), (&hashes[..2], &hashes[..1]));
    }
}
