//! What a run must contain: which samples the device had, and whether what was read is what belongs there.

use std::ops::Range;

use lucihub_models_core::hot::LineSlice;
use lucihub_models_core::{GapCause, LogLine, RunId, RunState, Series, StateChange};
use lucihub_testkit::Dice;

use super::plan::RunPlan;
use super::world::World;
use crate::gates::Gate;
use crate::signal;

/// Samples that the device loses together.
const STRETCH: u64 = 16;

/// What may be missing from what is read of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excuse {
    /// Hot storage has lost the run, and nobody could put all of it back.
    pub(crate) store: bool,
    /// A worker's queue may have been full.
    pub(crate) overflow: bool,
}

/// Whether the device lost a sample.
pub(crate) fn is_missing(run: &RunPlan, channel: u32, index: u64) -> bool {
    let (_, low) = run.id.as_uuid().as_u64_pair();
    run.gappy && Dice::new(low ^ (u64::from(channel) << 40) ^ (index / STRETCH)).one_in(20)
}

/// A range of indices in parts that the device has, or lost.
pub(crate) fn parts(run: &RunPlan, channel: u32, range: Range<u64>) -> Vec<(Range<u64>, bool)> {
    let mut parts: Vec<(Range<u64>, bool)> = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let (end, missing) = (((at / STRETCH + 1) * STRETCH).min(range.end), is_missing(run, channel, at));
        match parts.last_mut() {
            Some((last, same)) if *same == missing => last.end = end,
            _ => parts.push((at..end, missing)),
        }
        at = end;
    }
    parts
}

/// The samples of a range.
pub(crate) fn values(run: RunId, channel: u32, range: Range<u64>) -> Vec<f64> {
    range.map(|index| signal::sample(run, channel, index)).collect()
}

impl World {
    /// Whether samples are those of their place, and gaps have a cause.
    pub(crate) fn check_series(&self, run: &RunPlan, channel: u32, series: &Series, excuse: Excuse, whose: &str) {
        let at = |index: u64| format!("{whose}: run {}, channel {channel}, sample {index}", run.id);
        if !series.is_consistent() {
            self.find(Gate::TornReads, format!("{} and on: gaps and values do not fit", at(series.first)));
            return;
        }
        for (first, values) in series.segments() {
            for (index, value) in (first..).zip(values) {
                if signal::sample(run.id, channel, index).to_bits() != value.to_bits() {
                    let (gate, what) = self.origin(run.id, channel, index, *value);
                    self.find(gate, format!("{}: {what}", at(index)));
                    return;
                }
            }
        }
        for gap in &series.gaps {
            let excused = match &gap.cause {
                GapCause::Device => (gap.first..gap.end).all(|index| is_missing(run, channel, index)),
                GapCause::Overflow => excuse.overflow,
                GapCause::Store => excuse.store,
                _ => false,
            };
            if !excused {
                self.find(Gate::Holes, format!("{}..{}: a gap by {}", at(gap.first), gap.end, gap.cause));
            }
        }
    }

    /// Where a sample belongs that is in the wrong place.
    fn origin(&self, run: RunId, channel: u32, index: u64, value: f64) -> (Gate, String) {
        for plan in &self.plan.runs {
            for other in 0..plan.channels {
                let here = (0..plan.samples).find(|i| signal::sample(plan.id, other, *i).to_bits() == value.to_bits());
                let Some(place) = here else { continue };
                let what = format!("it is sample {place} of channel {other} of run {}", plan.id);
                let gate = match (plan.id == run && other == channel, place < index) {
                    (false, _) => Gate::WrongReply,
                    (true, true) => Gate::Dup,
                    (true, false) => Gate::Inversions,
                };
                return (gate, what);
            }
        }
        (Gate::TornReads, "it is nowhere".to_owned())
    }

    /// Whether lines are those of their numbers.
    pub(crate) fn check_lines(&self, run: &RunPlan, slice: &LineSlice, excuse: Excuse, whose: &str) {
        let lost = LogLine::lost();
        for (number, line) in (slice.first..).zip(&slice.lines) {
            if line.text == signal::line(run.id, number) {
                continue;
            }
            let at = format!("{whose}: run {}, line {number}", run.id);
            if *line == lost {
                if !excuse.store {
                    self.find(Gate::Holes, format!("{at}: lost"));
                }
                continue;
            }
            let place = (0..run.lines).find(|other| line.text == signal::line(run.id, *other));
            let gate = match place {
                Some(place) if place < number => Gate::Dup,
                Some(_) => Gate::Inversions,
                None => Gate::WrongReply,
            };
            self.find(gate, format!("{at}: {:?}", line.text));
            return;
        }
    }

    /// Whether states follow each other.
    pub(crate) fn check_states(&self, run: &RunPlan, states: &[StateChange], whose: &str) {
        let mut before = None::<&RunState>;
        for change in states {
            let follows = match before {
                None => change.state == RunState::Queued,
                Some(before) => *before != change.state && before.step_to(&change.state).is_some(),
            };
            if !follows {
                let gate = if before == Some(&change.state) { Gate::Dup } else { Gate::Inversions };
                self.find(gate, format!("{whose}: run {}: {} after {before:?}", run.id, change.state));
                return;
            }
            before = Some(&change.state);
        }
    }
}
