//! The end of a run's way: verified, committed, and let go of by hot storage.

use std::ops::Range;

use futures_util::{StreamExt, TryStreamExt, stream};
use lucihub_models_core::cold::{Archived, ColdRun, Commit, Committed};
use lucihub_models_core::hot::{HotRun, Removed};
use lucihub_models_core::{
    Digest, GapCause, Grid, LogCell, LogLine, Positions, Result, RunDigest, RunHead, RunId, SampleCell, Series,
    StoreError,
};

use super::events::Told;
use super::keeper::{Keeper, WalkReport};
use crate::observe::keeping;
use crate::read::{Cell, Found, Located, log_cells, sample_cells};

/// Channels that are read back at once: one is hashed while the next is read.
const CHANNELS_AT_ONCE: usize = 4;

impl Keeper {
    /// Archives a sealed run whose cells are all in cold storage.
    ///
    /// The cells are read back and decoded before the commit, and compared with
    /// what hot storage still has; so a run is never archived under a digest that
    /// its stored bytes do not have.
    pub(super) async fn finish(&self, located: &Located, report: &mut WalkReport) -> Result<Option<Told>> {
        let Some(hot) = located.hot_run() else { return Ok(None) };
        // Hot storage that went back to an older copy may have less than the checkpoint.
        let end = hot.next.max(located.cold_positions());
        let end = Positions { states: hot.next.states, phases: hot.next.phases, ..end };
        let digest = self.digest(&hot.head, &end, Some(hot)).await?;
        self.commit((*hot.head).clone(), end, digest, report).await.map(Some)
    }

    /// Archives a run that has ended and that only cold storage has.
    pub(super) async fn finish_from_cold(&self, cold: &ColdRun, report: &mut WalkReport) -> Result<()> {
        let digest = self.digest(&cold.head, &cold.positions, None).await?;
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
    async fn digest(&self, head: &RunHead, end: &Positions, hot: Option<&HotRun>) -> Result<Digest> {
        let (run, grid, verified) = (head.id, head.grid, self.verified(head.id));
        let mut digest = RunDigest::begin(head);
        digest.lines(end.lines);
        let cells = verified.lines().len() as u64..grid.log_cells(&(0..end.lines)).end;
        let rest = self.line_hashes(run, grid, cells, end.lines, hot).await?;
        verified.lines().iter().chain(&rest).for_each(|hash| digest.cell(hash));
        let rests = stream::iter(0..u32::try_from(head.channels.len()).unwrap_or(u32::MAX)).map(|channel| {
            let end = end.sample(channel);
            let cells = verified.samples(channel).len() as u64..grid.sample_cells(&(0..end)).end;
            async move {
                let rest = self.sample_hashes(run, grid, channel, cells, end, hot).await?;
                Ok::<_, StoreError>((channel, end, rest))
            }
        });
        let mut rests = rests.buffered(CHANNELS_AT_ONCE);
        while let Some((channel, end, rest)) = rests.try_next().await? {
            digest.channel(channel, end);
            verified.samples(channel).iter().chain(&rest).for_each(|hash| digest.cell(hash));
        }
        Ok(digest.finish())
    }

    /// The hashes of some log cells, read back and compared with hot storage. The last one may end where the run does.
    pub(super) async fn line_hashes(
        &self,
        run: RunId,
        grid: Grid,
        cells: Range<u64>,
        end: u64,
        hot: Option<&HotRun>,
    ) -> Result<Vec<Digest>> {
        const AT_ONCE: u64 = 16;
        let mut hashes = Vec::new();
        for part in chunks(cells, AT_ONCE) {
            for found in log_cells(&self.store, run, grid, part, end).await? {
                hashes.push(self.compared(found, hot).await?);
            }
        }
        Ok(hashes)
    }

    /// The hashes of some cells of a channel, read back and compared with hot storage. The last one may end where the run
    /// does.
    pub(super) async fn sample_hashes(
        &self,
        run: RunId,
        grid: Grid,
        channel: u32,
        cells: Range<u64>,
        end: u64,
        hot: Option<&HotRun>,
    ) -> Result<Vec<Digest>> {
        const AT_ONCE: u64 = 2;
        let mut hashes = Vec::new();
        for part in chunks(cells, AT_ONCE) {
            for found in sample_cells(&self.store, run, grid, channel, part, end).await? {
                hashes.push(self.compared(found, hot).await?);
            }
        }
        Ok(hashes)
    }

    /// The hash of a cell that is whole and agrees with hot storage.
    async fn compared(&self, found: Found, hot: Option<&HotRun>) -> Result<Digest> {
        let cell = found.content?;
        match &cell {
            Cell::Lines(cell) => self.compare_lines(hot, cell).await?,
            Cell::Samples(cell) => self.compare_samples(hot, cell).await?,
        }
        Ok(cell.hash())
    }

    async fn compare_lines(&self, hot: Option<&HotRun>, cell: &LogCell) -> Result<()> {
        let Some(hot) = hot.filter(|hot| hot.base.lines <= cell.first) else { return Ok(()) };
        match self.store.hot().lines(hot.head.id, cell.first..cell.end()).await? {
            // Trimmed or gone meanwhile: then another keeper is further on.
            Some(slice) if slice.first == cell.first && !has_all(&cell.lines, &slice.lines) => {
                Err(differs(hot.head.id, &format!("log cell {}", cell.cell)))
            }
            _ => Ok(()),
        }
    }

    async fn compare_samples(&self, hot: Option<&HotRun>, cell: &SampleCell) -> Result<()> {
        let Some(hot) = hot.filter(|hot| hot.base.sample(cell.channel) <= cell.series.first) else { return Ok(()) };
        let range = cell.series.first..cell.series.end;
        match self.store.hot().window(hot.head.id, cell.channel, range).await? {
            Some(series) if series.first == cell.series.first && !agrees(&cell.series, &series) => {
                Err(differs(hot.head.id, &format!("channel {}, cell {}", cell.channel, cell.cell)))
            }
            _ => Ok(()),
        }
    }
}

/// A range in parts of at most `size`.
fn chunks(range: Range<u64>, size: u64) -> impl Iterator<Item = Range<u64>> {
    let end = range.end;
    range.step_by(usize::try_from(size).unwrap_or(usize::MAX)).map(move |at| at..end.min(at + size))
}

/// Whether a cell has all lines that hot storage has of it. It may have more: a tail, or what hot storage says it lost.
fn has_all(cell: &[LogLine], hot: &[LogLine]) -> bool {
    let lost = LogLine::lost();
    hot.len() <= cell.len() && hot.iter().zip(cell).all(|(hot, cell)| hot == cell || *hot == lost)
}

/// Whether a cell has all that hot storage has of it, bit for bit. It may have
/// more: a tail, or what hot storage says it lost.
fn agrees(cell: &Series, hot: &Series) -> bool {
    if hot.gaps.iter().any(|gap| gap.cause == GapCause::Store) {
        let same = |(at, v): (u64, &f64)| cell.get(at).is_some_and(|c| c.to_bits() == v.to_bits());
        return hot.segments().all(|(first, values)| (first..).zip(values).all(same));
    }
    if (cell.first, cell.end) == (hot.first, hot.end) { cell == hot } else { cell.slice(hot.first..hot.end) == *hot }
}

fn differs(run: RunId, what: &str) -> StoreError {
    StoreError::corrupt(format!("run {run}, {what}"), "cold storage gives back other content than hot storage has")
}
