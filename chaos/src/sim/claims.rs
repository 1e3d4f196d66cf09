//! What clients were told, against what is left: nothing that was acknowledged or confirmed may be missing.

use lucihub_models_core::hot::{Answer, Outcome};
use lucihub_models_core::{Batch, LogLine, Positions, RunId};

use super::judge::Left;
use super::plan::RunPlan;
use super::world::World;
use crate::gates::Gate;
use crate::ledger::{Entry, Hold, Ledger, Said, What};

impl Ledger {
    /// Whether hot storage lost a run at a time when nobody could put all of it back.
    ///
    /// The first worker of a run can, as long as it lives, nobody else has begun, and it has let go of nothing that it
    /// needs: it is excused by no loss that it outlived.
    pub(crate) fn is_excused(&self, run: RunId) -> bool {
        let mut losses = Vec::new();
        let (mut first, mut others) = (None::<(u16, usize)>, false);
        let mut outlived = 0..0;
        for (place, line) in self.of(run) {
            match &line.what {
                // What nobody has begun cannot be lost.
                What::Lost if others => return true,
                What::Lost if first.is_some() => losses.push(place),
                What::Hold(Hold::Began(_)) if first.is_none() => first = Some((line.client, place)),
                What::Hold(Hold::Began(_)) => others = true,
                What::Hold(Hold::Finished(_, _, 0)) => {
                    if let Some((_, began)) = first.filter(|(client, _)| *client == line.client) {
                        // What was lost after that is no worker's to put back: it has heard all.
                        outlived = began..self.last_sent(run, line.client).unwrap_or(began);
                    }
                }
                _ => {}
            }
        }
        losses.iter().any(|loss| !outlived.contains(loss))
    }

    /// When a client sent the last batch that was acknowledged.
    fn last_sent(&self, run: RunId, client: u16) -> Option<usize> {
        let acknowledged = |line: &Entry| match &line.what {
            What::Append { sent, said: Said::Ok(Answer { outcome, .. }), .. } if line.client == client => {
                matches!(outcome, Outcome::Applied | Outcome::Duplicate).then_some(*sent)
            }
            _ => None,
        };
        self.of(run).filter_map(|(_, line)| acknowledged(line)).last()
    }

    /// Whether hot storage lost a run after a place in the ledger, and before another.
    fn lost_within(&self, run: RunId, places: std::ops::Range<usize>) -> bool {
        self.of(run).any(|(place, line)| places.contains(&place) && matches!(line.what, What::Lost))
    }

    /// The batches of a run that must be there: acknowledged by a store that lost nothing since, or confirmed before
    /// it did.
    fn owed(&self, run: RunId) -> Vec<Batch> {
        let excused = self.is_excused(run);
        let confirmed: Vec<(usize, &Positions)> = self
            .of(run)
            .filter_map(|(place, line)| match &line.what {
                What::Confirmed(positions) => Some((place, positions)),
                What::Append { said: Said::Ok(answer), .. } => Some((place, &answer.confirmed)),
                _ => None,
            })
            .collect();
        let owed = self.of(run).filter_map(|(place, line)| {
            let What::Append { batch, sent, said: Said::Ok(Answer { outcome, .. }) } = &line.what else { return None };
            if !matches!(outcome, Outcome::Applied | Outcome::Duplicate) {
                return None;
            }
            let kept = !excused || !self.lost_within(run, *sent..usize::MAX);
            let safe = || {
                let covers = |(at, positions): &&(usize, &Positions)| *at > place && covers(positions, batch);
                confirmed.iter().find(covers).is_some_and(|(at, _)| !self.lost_within(run, *sent..*at))
            };
            (kept || safe()).then(|| batch.clone())
        });
        owed.collect()
    }
}

/// Whether all samples and lines of a batch lie below positions.
fn covers(positions: &Positions, batch: &Batch) -> bool {
    let body = batch.body();
    body.states.is_empty()
        && body.blocks.iter().all(|block| block.end() <= positions.sample(block.channel))
        && body.gaps.iter().all(|mark| mark.gap.end <= positions.sample(mark.channel))
        && body.lines.iter().all(|line| number(line).is_none_or(|number| number < positions.lines))
}

/// The number that a line says it has; the stand-in of a lost one has none.
fn number(line: &LogLine) -> Option<u64> {
    line.text.split(' ').nth(2)?.parse().ok()
}

impl World {
    /// Compares what clients were told with what is left.
    pub(crate) fn judge_claims(&self, run: &RunPlan, left: &Left) {
        for batch in self.ledger(|ledger| ledger.owed(run.id)) {
            if let Some(missing) = missing(left, &batch) {
                let what = format!("run {}: batch {} was acknowledged; {missing} is not there", run.id, batch.seq());
                self.find(Gate::LostDurable, what);
                break;
            }
        }
        self.judge_stored(run, left);
        self.judge_ends(run, left);
    }

    /// What cold storage has had, it has.
    fn judge_stored(&self, run: &RunPlan, left: &Left) {
        let lost = LogLine::lost();
        let gone = self.truth(run.id, |truth| {
            let mut lines = truth.lines.places();
            let line = lines.find(|place| left.lines.get(index(*place)).is_none_or(|line| *line == lost));
            let sample = truth.samples.iter().find_map(|(channel, seen)| {
                let series = left.series.get(index(u64::from(*channel)));
                let place = seen.places().find(|place| series.and_then(|s| s.get(*place)).is_none())?;
                let gap = series.and_then(|s| s.gaps.iter().find(|gap| (gap.first..gap.end).contains(&place)));
                Some(format!("sample {place} of channel {channel}, and has {gap:?}"))
            });
            line.map(|line| format!("line {line}")).or(sample)
        });
        if let Some(gone) = gone {
            self.find(Gate::LostDurable, format!("run {}: cold storage had {gone}", run.id));
        }
    }

    /// A worker that was told that its run has ended finds it so.
    fn judge_ends(&self, run: &RunPlan, left: &Left) {
        let ends: Vec<_> = self.ledger(|ledger| {
            let excused = ledger.is_excused(run.id);
            let ends = ledger.of(run.id).filter_map(|(place, line)| match &line.what {
                What::Hold(Hold::Finished(state, positions, _)) => {
                    let sent = ledger.last_sent(run.id, line.client).unwrap_or(place);
                    Some((sent, state.clone(), positions.clone()))
                }
                _ => None,
            });
            ends.filter(|(sent, ..)| !excused || !ledger.lost_within(run.id, *sent..usize::MAX)).collect()
        });
        for (_, state, positions) in ends {
            let (is, at) = (left.cold.head.state(), &left.cold.positions);
            if *is != state || at.lines != positions.lines || at.samples != positions.samples {
                let what = format!("run {} was ended as {state} at {positions:?}, and is {is} at {at:?}", run.id);
                self.find(Gate::LostDurable, what);
            }
        }
    }
}

/// The first thing of a batch that is not left.
fn missing(left: &Left, batch: &Batch) -> Option<String> {
    let body = batch.body();
    let series = |channel: u32| left.series.get(index(u64::from(channel)));
    for block in &body.blocks {
        let gone = |place: &u64| series(block.channel).and_then(|series| series.get(*place)).is_none();
        if let Some(place) = (block.first..block.end()).find(gone) {
            return Some(format!("sample {place} of channel {}", block.channel));
        }
    }
    for mark in &body.gaps {
        if series(mark.channel).is_none_or(|series| series.end < mark.gap.end) {
            return Some(format!("the gap before sample {} of channel {}", mark.gap.end, mark.channel));
        }
    }
    for (number, line) in body.lines.iter().filter_map(|line| Some((number(line)?, line))) {
        if left.lines.get(index(number)).is_none_or(|there| there.text != line.text) {
            return Some(format!("line {:?}", line.text));
        }
    }
    let states = &left.cold.head.states;
    body.states.iter().find(|change| !states.contains(change)).map(|change| format!("state {}", change.state))
}

fn index(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
