//! The end of a run's way: verified, committed, and let go of by hot storage.

use futures_util::TryStreamExt;
use lucihub_models_core::cold::{Archived, ColdRun, Commit, Committed};
use lucihub_models_core::hot::{HotRun, Removed};
use lucihub_models_core::{Digest, Positions, Result, RunDigest, RunHead, RunId};

use super::events::Told;
use super::keeper::{Keeper, WalkReport};
use super::verify::{Verify, Wanted};
use super::written::Written;
use crate::observe::keeping;
use crate::read::Located;

impl Keeper {
    /// Archives a sealed run whose cells are all in cold storage, once its attachments are, too.
    ///
    /// The cells are read back before the commit, and compared with what was written,
    /// byte for byte or decoded, or else with what hot storage still has; so a run is
    /// never archived under a digest that its stored bytes do not have.
    pub(super) async fn finish(
        &self,
        located: &Located,
        written: &Written,
        report: &mut WalkReport,
    ) -> Result<Option<Told>> {
        let Some(hot) = located.hot_run() else { return Ok(None) };
        // Hot storage that went back to an older copy may have less than the checkpoint.
        let end = hot.next.max(located.cold_positions());
        let end = Positions { states: hot.next.states, phases: hot.next.phases, ..end };
        // None of the three waits for another: the commit alone needs all of them.
        let (digest, (), ()) = tokio::try_join!(
            self.digest(&hot.head, &end, Some(hot), written),
            self.tell_confirmed(located, located.positions()),
            self.attachments(located.run(), true, report),
        )?;
        self.commit((*hot.head).clone(), end, digest, report).await.map(Some)
    }

    /// Archives a run that has ended and that only cold storage has.
    pub(super) async fn finish_from_cold(&self, cold: &ColdRun, report: &mut WalkReport) -> Result<()> {
        let digest = self.digest(&cold.head, &cold.positions, None, &Written::default()).await?;
        let told = self.commit(cold.head.clone(), cold.positions.clone(), digest, report).await?;
        self.let_go(&told, report).await
    }

    async fn commit(
        &self,
        head: RunHead,
        positions: Positions,
        digest: Digest,
        report: &mut WalkReport,
    ) -> Result<Told> {
        let commit = Commit { head, positions, digest, at: self.store.now() };
        if self.store.cold().commit(&commit).await? == Committed::Committed {
            report.archived += 1;
            keeping::committed(commit.head.states.last().map(|end| end.at), commit.at);
        }
        Ok(Told::of(&commit.head, &commit.positions, Archived { at: commit.at, digest }))
    }

    /// Lets hot storage forget an archived run after the grace, and cold storage
    /// know that it will.
    pub(super) async fn let_go(&self, told: &Told, report: &mut WalkReport) -> Result<()> {
        let run = told.run();
        self.copy_last_events(told).await?;
        if self.store.hot().expire(run, self.options.grace).await? {
            report.expired += 1;
        } else if !self.take_back_open(run).await? {
            // A worker holds it: it stays pending, so that it does not stay in hot storage for ever.
            return Ok(());
        }
        self.store.cold().release(run).await?;
        self.memory().remove(&run);
        Ok(())
    }

    /// Removes an archived run that is open in hot storage, which only one that went back to an older copy has. `false`
    /// while a worker holds it.
    async fn take_back_open(&self, run: RunId) -> Result<bool> {
        if self.store.hot().get(run).await?.is_none() {
            return Ok(true);
        }
        let removed = self.store.hot().remove(run, false, std::time::Duration::ZERO).await?;
        Ok(removed == Removed::Removed)
    }

    /// The digest of a run, over its cells as cold storage gives them back: the complete ones when they were written, the
    /// others now.
    async fn digest(&self, head: &RunHead, end: &Positions, hot: Option<&HotRun>, written: &Written) -> Result<Digest> {
        let (run, grid, verified) = (head.id, head.grid, self.verified(head.id));
        let verify = Verify { store: &self.store, run, grid, hot, written };
        let cells = verified.lines().len() as u64..grid.log_cells(&(0..end.lines)).end;
        let wanted = (0..u32::try_from(head.channels.len()).unwrap_or(u32::MAX)).map(|channel| {
            let end = end.sample(channel);
            let cells = verified.samples(channel).len() as u64..grid.sample_cells(&(0..end)).end;
            Wanted { channel, cells, end }
        });
        // The first that is not as it should be ends it.
        let lines = async { verify.lines(cells, end.lines).await?.whole() };
        let channels = verify.channels(wanted.collect()).and_then(async |(wanted, back)| Ok((wanted, back.whole()?)));
        let (lines, channels) = tokio::try_join!(lines, channels.try_collect::<Vec<_>>())?;
        let mut digest = RunDigest::begin(head);
        digest.lines(end.lines);
        verified.lines().iter().chain(&lines).for_each(|hash| digest.cell(hash));
        for (Wanted { channel, end, .. }, hashes) in channels {
            digest.channel(channel, end);
            verified.samples(channel).iter().chain(&hashes).for_each(|hash| digest.cell(hash));
        }
        Ok(digest.finish())
    }
}
