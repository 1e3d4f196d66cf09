//! Checkpoints: what hot storage has and cold storage has not, as cells.

use std::ops::Range;
use std::time::Duration;

use lucihub_models_core::cold::{Checkpoint, ColdRun};
use lucihub_models_core::hot::HotRun;
use lucihub_models_core::{GapCause, LogCell, LogLine, Positions, Result, SampleCell, Timestamp};

use super::keeper::{Keeper, WalkReport};
use super::options::KeeperOptions;
use crate::observe::keeping;
use crate::read::Located;

/// A log line counts this much before its text is known.
const LINE_BYTES: u64 = 128;

impl Keeper {
    /// Whether a checkpoint is due.
    pub(super) fn is_due(&self, located: &Located) -> bool {
        let (have, want) = (located.cold_positions(), located.positions());
        if have.covers(want) {
            return false;
        }
        let channels = u32::try_from(want.samples.len()).unwrap_or(u32::MAX);
        let samples: u64 = (0..channels).map(|c| want.sample(c).saturating_sub(have.sample(c))).sum();
        let bytes = 8 * samples + LINE_BYTES * want.lines.saturating_sub(have.lines);
        let now = self.time_of(located);
        let mut memory = self.memory();
        // The age counts from the first look, so that a run that has just begun is not written at once.
        let since = *memory.entry(located.run()).or_default().checkpointed_at.get_or_insert(now);
        bytes >= self.options.checkpoint_bytes || self.is_old(now.since(since))
    }

    /// Whether the next walk would come too late for what is unconfirmed for so long. Walks are not exact to the
    /// millisecond, and writing takes its time, so a tenth of a walk is none.
    fn is_old(&self, age: Duration) -> bool {
        let KeeperOptions { checkpoint_age, walk, .. } = self.options;
        age >= checkpoint_age || age.saturating_add(walk) > checkpoint_age.saturating_add(walk / 10)
    }

    /// Writes every cell that has grown, up to a position, then tells hot storage what is safe.
    pub(super) async fn checkpoint(&self, located: &Located, want: &Positions, report: &mut WalkReport) -> Result<()> {
        let have = located.cold_positions();
        if !have.covers(want) {
            let mut writing = Writing { keeper: self, located, cells: Checkpoint::default(), bytes: 0, open: true };
            writing.lines(have.lines..want.lines).await?;
            for channel in 0..u32::try_from(want.samples.len()).unwrap_or(u32::MAX) {
                writing.samples(channel, have.sample(channel)..want.sample(channel)).await?;
            }
            writing.flush().await?;
            if let Some(hot) = located.hot_run() {
                self.store.cold().mirror(&hot.head).await?;
            }
            report.checkpoints += 1;
        }
        self.tell_confirmed(located, want).await
    }

    /// The time by the clock of hot storage: that of a keeper's machine may jump (H9).
    pub(super) fn time_of(&self, located: &Located) -> Timestamp {
        located.hot_run().map_or_else(|| self.store.now(), |hot| hot.now)
    }

    /// Notes that nothing is unconfirmed of what this keeper saw.
    pub(super) fn all_written(&self, located: &Located) {
        let now = self.time_of(located);
        let mut memory = self.memory();
        let memory = memory.entry(located.run()).or_default();
        memory.checkpointed_at = Some(now);
        memory.safe_until = located.hot_run().map(|hot| hot.now);
    }

    /// Notes for how long hot storage has had at most what cold storage has not.
    pub(super) fn note_lag(&self, cold: &ColdRun, hot: &HotRun) {
        let mut memory = self.memory();
        let memory = memory.entry(cold.head.id).or_default();
        if cold.positions.covers(&hot.next) {
            memory.safe_until = Some(hot.now);
        }
        memory.lag = hot.now.since(*memory.safe_until.get_or_insert(hot.changed_at));
    }

    /// Tells hot storage what cold storage has, where an earlier word was lost.
    pub(super) async fn confirm(&self, located: &Located) -> Result<()> {
        let Some(hot) = located.hot_run() else { return Ok(()) };
        let safe = located.cold_positions().min(&hot.next);
        if hot.confirmed.covers(&safe) {
            return Ok(());
        }
        self.tell_confirmed(located, &safe).await
    }

    async fn tell_confirmed(&self, located: &Located, safe: &Positions) -> Result<()> {
        let run = located.run();
        if let Some(confirmed) = self.store.hot().confirm(run, safe).await? {
            let now = self.time_of(located);
            self.memory().entry(run).or_default().confirmed.push((now, confirmed));
        }
        Ok(())
    }

    /// Lets go of confirmed content that is old enough, or at once where hot
    /// storage is filling up.
    pub(super) async fn trim(&self, located: &Located) -> Result<()> {
        let run = located.run();
        let full = self.store.hot().health().await?.fill() >= self.options.trim_fill;
        let now = self.time_of(located);
        let below: Option<Positions> = {
            let mut memory = self.memory();
            let Some(memory) = memory.get_mut(&run) else { return Ok(()) };
            if let Some(confirmed) = confirmed_by_others(located).filter(|_| memory.confirmed.is_empty()) {
                memory.confirmed.push((now, confirmed.clone()));
            }
            let old = |at: &Timestamp| full || now.since(*at) >= self.options.trim_age;
            let count = memory.confirmed.iter().take_while(|(at, _)| old(at)).count();
            memory.confirmed.drain(..count).next_back().map(|(_, positions)| positions)
        };
        if let Some(below) = below {
            self.store.hot().trim(run, &below).await?;
        }
        Ok(())
    }
}

/// What hot storage still has though it is confirmed: by a keeper before this one, where this one has said nothing yet. It
/// counts from when it is first seen.
fn confirmed_by_others(located: &Located) -> Option<&Positions> {
    let hot = located.hot_run()?;
    let base = Positions { states: hot.confirmed.states, phases: hot.confirmed.phases, ..hot.base.clone() };
    (!base.covers(&hot.confirmed)).then_some(&hot.confirmed)
}

/// Cells on their way, written whenever they fill a transaction: memory is
/// bounded by that, whatever the length of the run.
///
/// A writer that cannot ask cold storage may have put a run back from before the last checkpoint. Hot storage then
/// calls lost what cold storage has: a cell that grows keeps it.
struct Writing<'a> {
    keeper: &'a Keeper,
    located: &'a Located,
    cells: Checkpoint,
    bytes: u64,
    /// Whether cold storage still takes cells of this run.
    open: bool,
}

impl Writing<'_> {
    async fn lines(&mut self, grown: Range<u64>) -> Result<()> {
        let grid = self.located.grid();
        for cell in grid.log_cells(&grown) {
            let range = grid.log_cell(cell).start..grid.log_cell(cell).end.min(grown.end);
            let mut slice = self.keeper.store.lines_at(self.located, range).await?;
            let known = usize::try_from(grown.start.saturating_sub(slice.first)).unwrap_or(usize::MAX);
            let lost = LogLine::lost();
            if slice.lines.iter().take(known).any(|line| *line == lost) {
                for stored in self.keeper.store.cold().log_cells(self.located.run(), cell..cell + 1).await? {
                    let both = slice.lines.iter_mut().zip(stored.lines);
                    both.filter(|(line, _)| **line == lost).for_each(|(line, kept)| *line = kept);
                }
            }
            let bytes = slice.lines.iter().map(|line| line.size() as u64).sum();
            self.cells.lines.push(LogCell { cell, first: slice.first, lines: slice.lines });
            self.add(bytes).await?;
        }
        Ok(())
    }

    async fn samples(&mut self, channel: u32, grown: Range<u64>) -> Result<()> {
        let grid = self.located.grid();
        for cell in grid.sample_cells(&grown) {
            let range = grid.sample_cell(cell).start..grid.sample_cell(cell).end.min(grown.end);
            let mut series = self.keeper.store.window_at(self.located, channel, range).await?;
            if series.gaps.iter().any(|gap| gap.cause == GapCause::Store && gap.first < grown.start) {
                let stored = self.keeper.store.cold().sample_cells(self.located.run(), channel, cell..cell + 1).await?;
                for mut kept in stored.into_iter().map(|stored| stored.series) {
                    if kept.first == series.first && kept.end <= series.end {
                        kept.append(&series.slice(kept.end..series.end));
                        series = kept;
                    }
                }
            }
            let bytes = 8 * series.values.len() as u64;
            self.cells.samples.push(SampleCell { channel, cell, series });
            self.add(bytes).await?;
        }
        Ok(())
    }

    async fn add(&mut self, bytes: u64) -> Result<()> {
        self.bytes += bytes;
        if self.bytes >= self.keeper.options.transaction_bytes { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<()> {
        let cells = std::mem::take(&mut self.cells);
        let bytes = std::mem::take(&mut self.bytes);
        if self.open && !(cells.lines.is_empty() && cells.samples.is_empty()) {
            // `false`: another keeper has archived the run meanwhile, with all of it.
            self.open = self.keeper.store.cold().checkpoint(self.located.run(), &cells).await?;
            if self.open {
                keeping::written(self.located.run(), cells.lines.len() + cells.samples.len(), bytes);
            }
        }
        Ok(())
    }
}
