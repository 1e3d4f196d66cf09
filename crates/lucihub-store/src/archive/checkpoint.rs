//! Checkpoints: what hot storage has and cold storage has not, as cells.

use std::time::Duration;

use lucihub_models_core::cold::ColdRun;
use lucihub_models_core::hot::HotRun;
use lucihub_models_core::{Positions, Result, Timestamp};

use super::keeper::{Keeper, WalkReport};
use super::options::KeeperOptions;
use super::stops::Reached;
use super::writing::Writing;
use super::written::Written;
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
        // What cannot be written counts for nothing, so that it is tried once in a while and not with each look.
        let want = self.stopped(located).pass_over(want.clone(), have);
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

    /// Writes every cell that has grown, up to a position, with the head in the last step. Returns what that came to.
    pub(super) async fn write_cells(
        &self,
        located: &Located,
        want: &Positions,
        report: &mut WalkReport,
    ) -> Result<Reached> {
        if located.cold_positions().covers(want) {
            return Ok(Reached { written: Written::default(), positions: want.clone(), wrong: None });
        }
        let reached = Writing::new(self, located, want).all().await?;
        report.checkpoints += u64::from(reached.wrong.is_none() || !reached.written.is_empty());
        Ok(reached)
    }

    /// The time by the clock of hot storage: that of a keeper's machine may jump (H9).
    pub(super) fn time_of(&self, located: &Located) -> Timestamp {
        located.hot_run().map_or_else(|| self.store.now(), |hot| hot.now)
    }

    /// Notes that a checkpoint was made of all that this keeper saw, and whether that left anything unconfirmed.
    pub(super) fn note_checkpoint(&self, located: &Located, whole: bool) {
        let now = self.time_of(located);
        let mut memory = self.memory();
        let memory = memory.entry(located.run()).or_default();
        memory.checkpointed_at = Some(now);
        if whole {
            memory.safe_until = located.hot_run().map(|hot| hot.now);
        }
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
        let safe = self.agreed(located, &located.cold_positions().min(&hot.next)).await?;
        let safe = self.stopped(located).cap(safe);
        if hot.confirmed.covers(&safe) {
            return Ok(());
        }
        self.say_confirmed(located, &safe).await
    }

    /// Tells hot storage what is safe in cold storage, as far as both agree.
    pub(super) async fn tell_confirmed(&self, located: &Located, safe: &Positions) -> Result<()> {
        self.say_confirmed(located, &self.agreed(located, safe).await?).await
    }

    async fn say_confirmed(&self, located: &Located, safe: &Positions) -> Result<()> {
        let (run, safe) = (located.run(), self.stopped(located).cap(safe.clone()));
        if let Some(confirmed) = self.store.hot().confirm(run, &safe).await? {
            let now = self.time_of(located);
            self.memory().entry(run).or_default().confirmed.push((now, confirmed));
        }
        Ok(())
    }

    /// Lets go of confirmed content that is old enough, or at once where hot
    /// storage is filling up: of nothing past what cold storage has, and of no complete cell that was not read back. Hot
    /// storage that went back to an older copy may have been given another content than cold storage has, and a cold
    /// storage out of a backup has less than hot storage was told. A cell that is not as it should be keeps its own channel.
    pub(super) async fn trim(&self, located: &Located, stored: &Positions) -> Result<()> {
        let run = located.run();
        let full = self.fill.get(&**self.store.hot()).await? >= self.options.trim_fill;
        let now = self.time_of(located);
        let (at, below) = {
            let mut memory = self.memory();
            let Some(memory) = memory.get_mut(&run) else { return Ok(()) };
            if let Some(confirmed) = confirmed_by_others(located).filter(|_| memory.confirmed.is_empty()) {
                memory.confirmed.push((now, confirmed.clone()));
            }
            let old = |at: &Timestamp| full || now.since(*at) >= self.options.trim_age;
            let count = memory.confirmed.iter().take_while(|(at, _)| old(at)).count();
            // The last of them stays until it is done.
            memory.confirmed.drain(..count.saturating_sub(1));
            let Some((at, below)) = memory.confirmed.first().filter(|_| count > 0) else { return Ok(()) };
            (*at, memory.stopped.cap_written(below.min(stored)))
        };
        let below = self.read_back(located, below).await?;
        self.store.hot().trim(run, &below).await?;
        // Another one may have ended the run meanwhile, and the memory of it.
        if let Some(memory) = self.memory().get_mut(&run)
            && memory.confirmed.first().is_some_and(|(first, _)| *first == at)
        {
            memory.confirmed.remove(0);
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
