//! What is true of a run, noted where a call meets the stores, in the order in which that happens.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use lucihub_models_core::cold::{Checkpoint, ColdLogs, ColdRuns, ColdSamples, GrownCell};
use lucihub_models_core::hot::{Answer, HotRun, HotRuns, Outcome};
use lucihub_models_core::{Batch, LogLine, Positions, Result, RunId, SampleCell, WriterMark};

use super::world::World;
use crate::gates::Gate;
use crate::ledger::What;

/// What is true of a run.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// Whether hot storage has it, as far as it was told to.
    pub(crate) placed: bool,
    /// Who took it over last.
    holder: Option<WriterMark>,
    /// Where it stood between two batches.
    ends: BTreeSet<Vec<u64>>,
    /// What was confirmed, and found in cold storage.
    confirmed: Positions,
    /// How often it was archived.
    pub(crate) commits: u64,
    /// Per channel, the samples that cold storage has had.
    pub(crate) samples: BTreeMap<u32, Seen>,
    /// The lines that cold storage has had.
    pub(crate) lines: Seen,
    /// Where it stood when hot storage lost it: what cold storage did not have of that, two keepers may disagree about, of
    /// which one has read it before the loss, and the other calls it lost.
    doubt: Positions,
    /// When hot storage lost it last.
    lost_at: Option<Duration>,
}

/// Places that something was seen at.
#[derive(Debug, Default)]
pub(crate) struct Seen(Vec<bool>);

impl Seen {
    fn note(&mut self, range: Range<u64>, doubt: u64) {
        let range = range.start.max(doubt)..range.end;
        if range.is_empty() {
            return;
        }
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        let range = at(range.start)..at(range.end);
        if self.0.len() < range.end {
            self.0.resize(range.end, false);
        }
        self.0[range].fill(true);
    }

    /// All places.
    pub(crate) fn places(&self) -> impl Iterator<Item = u64> {
        (0..).zip(&self.0).filter(|(_, seen)| **seen).map(|(place, _)| place)
    }
}

/// Positions as a list that compares.
fn place(at: &Positions) -> Vec<u64> {
    let mut all = vec![at.states, at.phases, at.lines];
    all.extend((0..8).map(|channel| at.sample(channel)));
    all
}

impl World {
    /// Hot storage was told to have a run.
    pub(crate) async fn placed(&self, run: RunId, holder: Option<WriterMark>) {
        self.truth(run, |truth| {
            truth.placed = true;
            truth.holder = holder.or(truth.holder);
        });
        self.moved(run).await;
    }

    /// Hot storage was told to forget a run.
    pub(crate) fn removed(&self, run: RunId) {
        self.truth(run, |truth| truth.placed = false);
    }

    /// The nemesis takes a run from hot storage.
    pub(crate) async fn lose(&self, run: RunId) {
        let at = self.elapsed();
        let stood = self.raw.get(run).await.ok().flatten().map(|hot| hot.next).unwrap_or_default();
        self.raw.forget(run);
        let had = self.truth(run, |truth| {
            truth.doubt = truth.doubt.max(&stood);
            if truth.placed {
                truth.lost_at = Some(at);
            }
            truth.holder = None;
            std::mem::take(&mut truth.placed)
        });
        if had {
            self.enter_line(run, 0, What::Lost);
        }
    }

    /// Whether a run stood exactly there, between two batches.
    pub(crate) fn has_stood(&self, run: RunId, at: &Positions) -> bool {
        self.truth(run, |truth| truth.ends.contains(&place(at)))
    }

    /// A run may have moved: where it stands is noted.
    pub(crate) async fn moved(&self, run: RunId) {
        if let Ok(Some(hot)) = self.hot.get(run).await {
            self.truth(run, |truth| truth.ends.insert(place(&hot.next)));
        }
    }

    /// A batch met hot storage.
    pub(crate) async fn appended(&self, client: u16, batch: &Batch, answer: &Answer) {
        self.about(|| batch_words(batch));
        self.step(client, "append", Some(batch.run()), outcome(&answer.outcome), batch.seq());
        if answer.outcome == Outcome::Applied {
            let holder = self.truth(batch.run(), |truth| truth.holder);
            if holder.is_some_and(|holder| holder != batch.mark()) {
                let what = format!("run {}: batch {} of epoch {}", batch.run(), batch.seq(), batch.mark().epoch);
                self.find(Gate::FencedAccepts, what);
            }
            self.moved(batch.run()).await;
        }
        self.confirmed(batch.run(), &answer.confirmed).await;
    }

    /// Hot storage says that all this is safe.
    pub(crate) async fn confirmed(&self, run: RunId, confirmed: &Positions) {
        if self.truth(run, |truth| truth.confirmed.covers(confirmed)) {
            return;
        }
        // A run that is not in cold storage any more was deleted.
        if let Ok(Some(cold)) = self.cold.get(run).await {
            let mut safe = cold.positions;
            safe.states = cold.head.states.len() as u64;
            safe.phases = cold.head.phases.len() as u64;
            if !safe.covers(confirmed) {
                self.find(
                    Gate::LostDurable,
                    format!("run {run}: {confirmed:?} is confirmed, cold storage has {safe:?}"),
                );
            }
        }
        self.truth(run, |truth| truth.confirmed = truth.confirmed.max(confirmed));
    }

    /// Hot storage was asked for a run.
    pub(crate) async fn looked(&self, run: RunId, found: Option<&HotRun>) {
        match found {
            Some(hot) => self.confirmed(run, &hot.confirmed).await,
            None if self.truth(run, |truth| truth.placed) => {
                if self.is_unarchived(run).await {
                    self.find(Gate::HotExpiredUnarchived, format!("run {run} has left hot storage"));
                }
                self.removed(run);
            }
            None => {}
        }
    }

    /// Hot storage will let go of a run.
    pub(crate) async fn expiring(&self, run: RunId) {
        if self.is_unarchived(run).await {
            self.find(Gate::HotExpiredUnarchived, format!("run {run} is told to leave hot storage"));
        }
    }

    /// A keeper put a run back. It has to give the writer its time, whatever its clock shows.
    pub(crate) fn rescued(&self, run: RunId) {
        let Some(lost_at) = self.truth(run, |truth| truth.lost_at) else { return };
        let waited = self.elapsed().saturating_sub(lost_at);
        if waited < super::plan::LOST_PATIENCE {
            let what = format!("run {run}: a keeper gave its writer up {} ms after the loss", waited.as_millis());
            self.find(Gate::LostDurable, what);
        }
    }

    /// Cells were written: what cold storage has of them is noted. Of two under one key the longer one has stayed.
    pub(crate) async fn stored(&self, run: RunId, cells: &Checkpoint) -> Result<()> {
        let lost = LogLine::lost();
        for cell in &cells.lines {
            for cell in self.cold.log_cells(run, cell.cell..cell.cell + 1).await? {
                let kept = (cell.first..).zip(&cell.lines).filter(|(_, line)| **line != lost);
                self.truth(run, |truth| {
                    kept.for_each(|(number, _)| truth.lines.note(number..number + 1, truth.doubt.lines));
                });
            }
        }
        let whole = cells.samples.iter().map(|cell| (cell.channel, cell.cell));
        let grown = cells.grown.iter().map(|cell| (cell.begun.channel(), cell.begun.cell()));
        for (channel, cell) in whole.chain(grown) {
            for SampleCell { series, .. } in self.cold.sample_cells(run, channel, cell..cell + 1).await? {
                self.truth(run, |truth| {
                    let (samples, doubt) = (truth.samples.entry(channel).or_default(), truth.doubt.sample(channel));
                    series.segments().for_each(|(first, part)| samples.note(first..first + part.len() as u64, doubt));
                });
            }
        }
        Ok(())
    }

    async fn is_unarchived(&self, run: RunId) -> bool {
        matches!(self.cold.get(run).await, Ok(Some(cold)) if cold.archived.is_none())
    }
}

/// A batch in words.
fn batch_words(batch: &Batch) -> String {
    let body = batch.body();
    let mut words: Vec<String> =
        body.blocks.iter().map(|b| format!("{}:{}..{}", b.channel, b.first, b.end())).collect();
    words.extend(body.gaps.iter().map(|m| format!("{}:{}..{} {}", m.channel, m.gap.first, m.gap.end, m.gap.cause)));
    words.extend(body.states.iter().map(|change| change.state.to_string()));
    words.extend(body.lines.iter().map(|line| line.text.clone()));
    format!("epoch {}, {}", batch.mark().epoch, words.join(", "))
}

/// Positions in words.
pub(crate) fn at_words(at: &Positions) -> String {
    format!("{} states, {} lines, {:?}", at.states, at.lines, at.samples)
}

/// Cells in words.
pub(crate) fn cell_words(cells: &Checkpoint) -> String {
    let lines = cells.lines.iter().map(|cell| format!("lines {}..{}", cell.first, cell.end()));
    let samples = cells.samples.iter().map(|SampleCell { channel, series, .. }| {
        format!("{channel}:{}..{} {:?}", series.first, series.end, series.gaps)
    });
    let grown = cells.grown.iter().map(|GrownCell { begun, rest }| {
        format!("{}:{:?} and {}..{} {:?}", begun.channel(), begun.range(), rest.first, rest.end, rest.gaps)
    });
    lines.chain(samples).chain(grown).collect::<Vec<_>>().join(", ")
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied",
        Outcome::Duplicate => "duplicate",
        Outcome::Conflict => "conflict",
        Outcome::Fenced => "fenced",
        Outcome::Sealed(_) => "sealed",
        Outcome::NoRun => "no run",
        Outcome::Behind(_) => "behind",
        Outcome::Rejected(_) => "rejected",
        Outcome::Full => "full",
    }
}
