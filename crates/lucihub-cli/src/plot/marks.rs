//! Marks: the phases of the device and the overloads, on the time axis.

use std::ops::RangeInclusive;

use lucihub_models_core::{Overload, Phase, PhaseChange, RunHead};

use crate::output::one_line;

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Phase,
    Overload,
}

/// Something that happened at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) x: f64,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// Marks alike that are nearer than this part of the window are one mark.
const NEAR: f64 = 0.005;
/// The most characters of a mark's text.
const LONGEST: usize = 24;

/// The marks of a run inside a window of the axis that `x` maps indices to.
pub(crate) fn marks(head: &RunHead, x: impl Fn(u64) -> f64, window: &RangeInclusive<f64>) -> Vec<Mark> {
    let phases = head.phases.iter().filter(|_| head.time_base.is_some()).filter_map(|change| {
        let at = since_op(&head.phases, change)?;
        Some(Mark { x: at, kind: Kind::Phase, text: shown(change.phase.as_str()) })
    });
    let overloads = head.overloads.iter().filter_map(|Overload { sample, element, .. }| {
        Some(Mark { x: x((*sample)?), kind: Kind::Overload, text: shown(element) })
    });
    let mut marks: Vec<Mark> = phases.chain(overloads).filter(|mark| window.contains(&mark.x)).collect();
    marks.sort_by(|a, b| a.x.total_cmp(&b.x));
    let near = (window.end() - window.start()) * NEAR;
    let mut kept: Vec<Mark> = Vec::new();
    for mark in marks {
        // Carriers report the same phase a little apart.
        let same = |other: &&Mark| mark.x - other.x <= near;
        let known = kept.iter().rev().take_while(same).any(|k| k.kind == mark.kind && k.text == mark.text);
        if !known {
            kept.push(mark);
        }
    }
    kept
}

/// When a phase began, in seconds from the start of OP on the same carrier, or
/// on any if that one's is not known. Each carrier counts from where it took the run.
#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a run, drawn")]
fn since_op(phases: &[PhaseChange], change: &PhaseChange) -> Option<f64> {
    let started = |own: bool| {
        let mut ops = phases.iter().filter(|p| p.phase == Phase::Op && (!own || p.carrier == change.carrier));
        ops.find_map(|op| op.device_ns)
    };
    let op = started(true).or_else(|| started(false))?;
    Some((i128::from(change.device_ns?) - i128::from(op)) as f64 / 1e9)
}

/// A text that fits beside a line.
fn shown(text: &str) -> String {
    let text = one_line(text);
    if text.chars().count() <= LONGEST {
        return text;
    }
    // The end of an element's path says most.
    let skip = text.chars().count() - (LONGEST - 1);
    std::iter::once('…').chain(text.chars().skip(skip)).collect()
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small indices")]
mod tests {
    use lucihub_models_core::{JobType, TimeBase, Timestamp};

    use super::*;

    fn head() -> RunHead {
        let id = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
        let mut head = RunHead::queued(id, JobType::Run, Timestamp::EPOCH);
        head.time_base = Some(TimeBase::from_rate(1_000.0));
        let phase = |phase, ns, carrier: &str| PhaseChange::new(phase, Timestamp::EPOCH).at_device_ns(ns).on(carrier);
        head.phases = vec![
            phase(Phase::Ic, 0, "a"),
            phase(Phase::Op, 1_000_000, "a"),
            phase(Phase::Op, 5_000_000, "b"),
            phase(Phase::OpEnd, 1_001_000_000, "a"),
            phase(Phase::OpEnd, 1_005_000_000, "b"),
            PhaseChange::new(Phase::Done, Timestamp::EPOCH),
        ];
        head
    }

    fn found(head: &RunHead, window: RangeInclusive<f64>) -> Vec<(f64, String)> {
        marks(head, |n| n as f64 / 1_000.0, &window).into_iter().map(|mark| (mark.x, mark.text)).collect()
    }

    #[test]
    fn phases_count_from_op_of_their_carrier_and_agree() {
        let mark = |x: f64, text: &str| (x, text.to_owned());
        assert_eq!(found(&head(), -1.0..=2.0), [mark(-0.001, "IC"), mark(0.0, "OP"), mark(1.0, "OP_END")]);
        assert_eq!(found(&head(), 0.0..=0.5), [mark(0.0, "OP")]);
        let mut without = head();
        without.time_base = None;
        assert_eq!(found(&without, -1.0..=2.0), [], "samples have no place for them");
    }

    #[test]
    fn overloads_stand_at_their_sample_and_long_names_end_well() {
        let mut head = head();
        let at = Timestamp::EPOCH;
        head.overloads = vec![
            Overload::new(format!("04-E9/{}/M0/7\n", "deep/".repeat(20)), at).at_sample(500),
            Overload::new("twice", at).at_sample(300),
            Overload::new("twice", at).at_sample(301),
            Overload::new("nowhere", at),
        ];
        let found = found(&head, 0.1..=0.9);
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [0.3, 0.5]);
        assert!(found[1].1.ends_with("M0/7\\n") && found[1].1.chars().count() == LONGEST, "{found:?}");
    }
}
