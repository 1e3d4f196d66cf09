//! Any sequence of calls is answered as the testkit's naive reference store answers it.
#![expect(clippy::cast_possible_truncation, reason = "small numbers from dice")]

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{HotRun, HotStore, Removed, Renewed, Restore, TakeOver, TookOver};
use lucihub_models_core::{
    Batch, BatchBody, GapCause, GapMark, Limits, Positions, RunId, RunState, WriterId, WriterMark,
};
use lucihub_testkit::models::{lines_body, run_head, run_id, samples_body, state_body};
use lucihub_testkit::reference::hot::ReferenceHot;
use lucihub_testkit::{Dice, ManualClock};
use proptest::prelude::*;

use crate::embedded::bench::{Bench, at_once};

/// All alike: of two removals, ours keeps the longer promise, the reference the later one.
const TOMBSTONE: Duration = Duration::from_secs(50);

/// What a run looks like to its readers, in a form that two stores share.
fn seen(run: Option<HotRun>) -> String {
    run.map_or_else(String::new, |run| {
        let positions = [&run.next, &run.base, &run.confirmed].map(|p| (p.lines, trimmed(p)));
        let HotRun { head, lease, last_seq, seal, .. } = run;
        format!("{head:?} {positions:?} {lease:?} {last_seq} {seal:?}")
    })
}

/// The sample positions: a channel that is not listed is at 0.
fn trimmed(positions: &Positions) -> Vec<u64> {
    let end = positions.samples.iter().rposition(|next| *next > 0).map_or(0, |last| last + 1);
    positions.samples[..end].to_vec()
}

/// One call, drawn from the dice, on one store. The answer as text.
fn call(store: &dyn HotStore, dice: &Dice) -> String {
    let run = run_id(dice.below(3));
    let writer = WriterId::from_bits(1 + u128::from(dice.below(2)));
    let mark = WriterMark { writer, epoch: 1 + dice.below(3) };
    let span = Duration::from_secs(dice.below(100));
    let state = [RunState::InProgress, RunState::Succeeded, RunState::Cancelled, RunState::Other("paused".into())]
        [dice.below(4) as usize]
        .clone();
    match dice.below(16) {
        0 | 1 => format!("{:?}", at_once(store.open(&run_head(dice.below(3)))).map_err(|e| e.to_string())),
        2 | 3 => {
            let request = TakeOver { run, worker: format!("worker-{}", writer.bits()), writer, lease: span };
            match at_once(store.take_over(&request)).unwrap() {
                TookOver::Taken(taken) => format!("{:?} {}", taken.mark, seen(Some(taken.run))),
                other => format!("{other:?}"),
            }
        }
        4 => match at_once(store.renew(run, mark, span)).unwrap() {
            Renewed::Until { until, cancel, .. } => format!("{until} {cancel}"),
            other => format!("{other:?}"),
        },
        5 => format!("{:?}", at_once(store.cancel(run, Some("asked"))).unwrap()),
        6 => format!("{:?}", at_once(store.expire(run, span)).unwrap()),
        7 if dice.one_in(3) => match at_once(store.remove(run, dice.one_in(2), TOMBSTONE)).unwrap() {
            Removed::Removed => "removed".to_owned(),
            Removed::Held { by, until, .. } => format!("{by} {until}"),
        },
        8 => {
            let safe = Positions { lines: dice.below(20), samples: vec![dice.below(99); 5], ..Positions::default() };
            format!("{:?}", at_once(store.confirm(run, &safe)).unwrap().map(|p| (p.lines, trimmed(&p))))
        }
        9 => restore(store, run, mark, dice),
        _ => append(store, run, state, dice),
    }
}

/// A batch, most often the one that comes next.
fn append(store: &dyn HotStore, run: RunId, state: RunState, dice: &Dice) -> String {
    let present = at_once(store.get(run)).unwrap();
    let (next, lease, last) = present.map_or_else(Default::default, |run| (run.next, run.lease, run.last_seq));
    let mut mark = lease.map_or(WriterMark { writer: WriterId::from_bits(1), epoch: 1 }, |lease| lease.mark);
    if dice.one_in(8) {
        mark.epoch += 1;
    }
    let seq = if dice.one_in(6) { dice.below(last + 3) } else { last + 1 };
    let body = match dice.below(5) {
        0 => state_body([state]),
        1 => lines_body((0..dice.below(4)).map(|n| format!("{n}"))),
        2 => {
            let mut body = BatchBody::default();
            let at = next.sample(1) + dice.below(3);
            let cause = if dice.one_in(2) { GapCause::Overflow } else { GapCause::Device };
            body.gaps.push(GapMark { channel: 1, gap: lucihub_models_core::Gap::new(at..at + dice.below(9), cause) });
            body
        }
        _ => {
            let channel = dice.below(5) as u32;
            let at = (next.sample(channel) + dice.below(4)).saturating_sub(u64::from(dice.one_in(5)));
            samples_body(run, [(channel, at..at + 1 + dice.below(20))])
        }
    };
    let answer = at_once(store.append(&Batch::new(run, mark, seq, body))).unwrap();
    // The two word their refusals differently.
    let outcome = format!("{:?}", answer.outcome);
    let outcome = if outcome.starts_with("Rejected(Invalid") { "invalid" } else { &outcome };
    format!("{outcome} {:?}", (answer.confirmed.lines, trimmed(&answer.confirmed)))
}

fn restore(store: &dyn HotStore, run: RunId, mark: WriterMark, dice: &Dice) -> String {
    let mut head = run_head(0);
    head.id = run;
    let lost = Positions { lines: dice.below(9), samples: vec![dice.below(50), 3], ..Positions::default() };
    let next = Positions { states: 1, ..lost };
    let confirmed = Positions { states: 1, lines: next.lines / 2, samples: vec![next.sample(0) / 2], phases: 0 };
    let lease = Duration::from_secs(dice.below(100));
    let worker = format!("worker-{}", mark.writer.bits());
    let restore = Restore { head, worker, mark, lease, last_seq: dice.below(9), confirmed, next };
    format!("{:?}", at_once(store.restore(&restore)).unwrap())
}

/// All that can be read of the three runs.
fn read(store: &dyn HotStore) -> Vec<String> {
    let lost = |text: &str| if text.contains("lost") { "lost".to_owned() } else { text.to_owned() };
    (0..3)
        .map(|seed| {
            let run = run_id(seed);
            let lines = at_once(store.lines(run, 0..u64::MAX)).unwrap();
            let lines = lines.map(|l| (l.first, l.lines.iter().map(|line| lost(&line.text)).collect::<Vec<_>>()));
            let windows: Vec<_> =
                (0..5).map(|channel| at_once(store.window(run, channel, 0..u64::MAX)).unwrap()).collect();
            format!("{} {lines:?} {windows:?}", seen(at_once(store.get(run)).unwrap()))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_answer_is_the_reference_stores(seed: u64) {
        let bench = Bench::new();
        let clock: Arc<ManualClock> = bench.clock.clone();
        let reference = ReferenceHot::new(clock, Limits::default());
        let rolls = Dice::new(seed);
        for step in 0..150 {
            let roll = rolls.roll();
            let ours = call(&*bench.hot, &Dice::new(roll));
            let theirs = call(&reference, &Dice::new(roll));
            prop_assert_eq!(ours, theirs, "step {}", step);
            if rolls.one_in(10) {
                bench.clock.advance(Duration::from_secs(rolls.below(60)));
            }
            prop_assert_eq!(read(&*bench.hot), read(&reference), "after step {}", step);
        }
    }
}
