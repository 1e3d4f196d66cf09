//! Ahead of the end: a cell is written and read back as soon as it is complete.
//!
//! Nothing in a complete cell changes any more, so when the run ends only the tails of its channels are left to do.

use std::time::Duration;

use lucihub_models_core::{Digest, Grid, Positions, Result, RunId};
use tokio::time::Instant;

use super::keeper::Keeper;
use crate::read::Located;

/// How much later than expected a cell is looked for: batches gather for a while.
const LATE: Duration = Duration::from_millis(30);

/// The hashes of complete cells that this keeper has read back from cold storage: the first ones of each channel, and of
/// the lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Verified {
    lines: Vec<Digest>,
    samples: Vec<Vec<Digest>>,
}

/// When a run is to be looked at again, and for which cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    at: Instant,
    cell: u64,
    done: bool,
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
    pub(super) fn complete(located: &Located) -> Option<Positions> {
        let (have, at, grid) = (located.cold_positions(), located.positions(), located.grid());
        let mut complete = at.clone();
        complete.lines -= at.lines % u64::from(grid.lines);
        for next in &mut complete.samples {
            *next -= *next % u64::from(grid.samples);
        }
        let more = !have.covers(&Positions { states: 0, phases: 0, ..complete.clone() });
        // Hot storage that went back to an older copy may have less than cold storage.
        more.then(|| have.max(&complete).min(at))
    }

    /// Reads complete cells back, up to what cold storage has and hot storage knows to be safe.
    pub(super) async fn verify_ahead(&self, located: &Located, safe: &Positions) -> Result<()> {
        let (run, grid, hot) = (located.run(), located.grid(), located.hot_run());
        let of_memory = |count: fn(&Verified, u32) -> usize, channel| {
            self.memory().get(&run).map_or(0, |memory| count(&memory.verified, channel) as u64)
        };
        let from = of_memory(|verified, _| verified.lines.len(), 0);
        let cells = from..complete_cells(safe.lines, grid.lines);
        let hashes = self.line_hashes(run, grid, cells, safe.lines, hot).await?;
        self.memory().entry(run).or_default().verified.add_lines(from, hashes);
        for channel in 0..u32::try_from(safe.samples.len()).unwrap_or(u32::MAX) {
            let end = safe.sample(channel);
            let from = of_memory(|verified, channel| verified.samples(channel).len(), channel);
            let cells = from..complete_cells(end, grid.samples);
            if !cells.is_empty() {
                let hashes = self.sample_hashes(run, grid, channel, cells, end, hot).await?;
                self.memory().entry(run).or_default().verified.add_samples(channel, from, hashes);
            }
        }
        Ok(())
    }

    /// What was read back of a run so far.
    pub(super) fn verified(&self, run: RunId) -> Verified {
        self.memory().get(&run).map(|memory| memory.verified.clone()).unwrap_or_default()
    }

    /// Keeps in mind only what hot storage itself knows to be safe: it said so of everything that was read back, unless it
    /// went back to an older copy, from which another writer may have gone on otherwise.
    pub(super) fn keep_confirmed(&self, located: &Located) {
        let Some(hot) = located.hot_run() else { return };
        if let Some(memory) = self.memory().get_mut(&located.run()) {
            memory.verified.clip(&hot.confirmed, located.grid());
        }
    }

    /// Plans to look again when the next cell will be complete, if that is before the next walk.
    pub(super) fn expect_cell(&self, located: &Located) {
        let Some(hot) = located.hot_run() else { return };
        let Some(base) = hot.head.time_base else { return };
        let size = u64::from(located.grid().samples);
        let Some(slowest) = hot.next.samples.iter().copied().filter(|next| *next > 0).min() else { return };
        let cell = slowest / size;
        let seconds = base.seconds((cell + 1) * size) - base.seconds(slowest);
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let mut memory = self.memory();
        let look = &mut memory.entry(located.run()).or_default().look;
        // Once for each cell: where samples stop coming, the walk is often enough.
        if wait < self.options.walk && look.is_none_or(|look| look.cell != cell) {
            *look = Some(Look { at: Instant::now() + wait + LATE, cell, done: false });
        }
    }

    /// When the next look is planned.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.memory().values().filter_map(|memory| memory.look).filter(|look| !look.done).map(|look| look.at).min()
    }

    /// Runs whose look is due; each is given once.
    pub(super) fn take_looks(&self) -> Vec<RunId> {
        let now = Instant::now();
        let mut memory = self.memory();
        let due = memory.iter_mut().filter_map(|(run, memory)| {
            let look = memory.look.as_mut().filter(|look| !look.done && look.at <= now)?;
            look.done = true;
            Some(*run)
        });
        let mut due: Vec<RunId> = due.collect();
        // The order of a map is another one each time.
        due.sort_unstable();
        due
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
