//! Confirm and trim: hot storage lets go of what is safe, and of nothing else.

use lucihub_models_core::hot::Outcome;
use lucihub_models_core::{Gap, GapCause, Phase, PhaseChange, Positions, RunState};

use super::samples::expected;
use super::stage::{Stage, Writer};
use crate::harness::HotHarness;
use crate::models::{gap_in, lines_body, samples_body, state_body};

fn at(lines: u64, samples: &[u64]) -> Positions {
    Positions { states: 1, phases: 0, lines, samples: samples.to_vec() }
}

/// Ten batches of two lines and a hundred samples of two channels.
async fn ten_batches(stage: &Stage<'_>) -> Writer {
    let mut writer = stage.writer(2).await;
    for n in 0..10 {
        let range = n * 100..(n + 1) * 100;
        let mut body = samples_body(writer.run, [(0, range.clone()), (1, range)]);
        body.lines = lines_body([format!("{n} a"), format!("{n} b")]).lines;
        writer.apply(body).await;
    }
    writer
}

/// What is confirmed grows part by part, never shrinks, and never passes what was applied.
pub async fn confirming_only_grows(h: &dyn HotHarness) {
    let stage = Stage::new(h, "confirming_only_grows");
    let mut writer = ten_batches(&stage).await;
    let far = Positions { states: 9, phases: 9, lines: 99, samples: vec![9_999; 5] };
    for (safe, expected) in [
        (at(3, &[150]), at(3, &[150])),
        (at(0, &[40, 70]), at(3, &[150, 70])),
        (Positions::default(), at(3, &[150, 70])),
        (far, at(20, &[1_000, 1_000])),
    ] {
        let confirmed = stage.store.confirm(writer.run, &safe).await.unwrap().unwrap();
        assert_eq!(confirmed, expected);
        assert_eq!(stage.get(writer.run).await.confirmed, expected);
    }
    let answer = writer.send(&writer.batch(lines_body(["x"]))).await;
    assert_eq!((answer.outcome, &answer.confirmed), (Outcome::Applied, &at(20, &[1_000, 1_000])));
    writer.seq += 1;
    writer.apply(state_body([RunState::Failed])).await;
    let sealed = Positions { states: 2, lines: 21, ..at(0, &[1_000, 1_000]) };
    assert_eq!(
        stage.store.confirm(writer.run, &sealed).await.unwrap().unwrap(),
        sealed,
        "sealed runs are confirmed too"
    );
}

/// Nothing leaves that is not confirmed.
pub async fn trimming_needs_confirmation(h: &dyn HotHarness) {
    let stage = Stage::new(h, "trimming_needs_confirmation");
    let writer = ten_batches(&stage).await;
    let all = at(20, &[1_000, 1_000]);
    assert_eq!(stage.store.trim(writer.run, &all).await.unwrap().unwrap(), Positions::default());
    stage.store.confirm(writer.run, &at(4, &[200])).await.unwrap();
    let base = stage.store.trim(writer.run, &all).await.unwrap().unwrap();
    assert_eq!((base.lines, base.sample(0), base.sample(1)), (4, 200, 0), "four batches' blocks lie below, whole");
    assert_eq!(stage.get(writer.run).await.base, base);
    assert_eq!(stage.store.window(writer.run, 1, 0..9_999).await.unwrap().unwrap(), expected(writer.run, 1, 0..1_000));
}

/// A base inside a block stays at or before it, and reads begin exactly at the base.
pub async fn reads_begin_at_the_base(h: &dyn HotHarness) {
    let stage = Stage::new(h, "reads_begin_at_the_base");
    let mut writer = ten_batches(&stage).await;
    let all = at(20, &[1_000, 1_000]);
    stage.store.confirm(writer.run, &all).await.unwrap();
    let mut last = Positions::default();
    for below in [at(3, &[250, 0]), at(2, &[100, 999]), at(9, &[500, 1_000]), all.clone()] {
        let base = stage.store.trim(writer.run, &below).await.unwrap().unwrap();
        assert!(base.covers(&last), "a base never goes back: {base:?} after {last:?}");
        assert!(below.max(&last).covers(&Positions { states: 0, ..base.clone() }), "{base:?} is past {below:?}");
        assert_eq!((base.states, base.phases), (0, 0), "states and phases stay");
        for channel in [0, 1] {
            let first = base.sample(channel);
            let read = stage.store.window(writer.run, channel, 0..9_999).await.unwrap().unwrap();
            assert_eq!(read, expected(writer.run, channel, first..1_000));
            let below = stage.store.window(writer.run, channel, 0..first).await.unwrap().unwrap();
            assert_eq!((below.first, below.end), (first, first));
        }
        let lines = stage.store.lines(writer.run, 0..99).await.unwrap().unwrap();
        assert_eq!((lines.first, lines.end()), (base.lines, 20));
        last = base;
    }
    assert_eq!((last.lines, last.sample(0), last.sample(1)), (20, 1_000, 1_000), "all blocks lie below");
    writer.apply(samples_body(writer.run, [(0, 1_000..1_010)])).await;
    let read = stage.store.window(writer.run, 0, 0..9_999).await.unwrap().unwrap();
    assert_eq!(read, expected(writer.run, 0, 1_000..1_010), "the writer goes on where it was");
}

/// States and phases stay, whatever is trimmed.
pub async fn the_head_stays(h: &dyn HotHarness) {
    let stage = Stage::new(h, "trim::the_head_stays");
    let mut writer = stage.writer(1).await;
    let now = stage.get(writer.run).await.now;
    let mut body = state_body([RunState::InProgress]);
    body.phases.push(PhaseChange::new(Phase::Op, now));
    writer.apply(body).await;
    let next = stage.get(writer.run).await.next;
    stage.store.confirm(writer.run, &next).await.unwrap();
    stage.store.trim(writer.run, &next).await.unwrap();
    let run = stage.get(writer.run).await;
    assert_eq!((run.head.states.len(), run.head.phases.len(), &run.next), (2, 1, &next));
}

/// A gap is trimmed like samples, and one that reaches over the base is clipped by reads.
pub async fn gaps_are_trimmed(h: &dyn HotHarness) {
    let stage = Stage::new(h, "gaps_are_trimmed");
    let mut writer = stage.writer(1).await;
    writer.apply(samples_body(writer.run, [(0, 0..10)])).await;
    writer.apply(gap_in(samples_body(writer.run, [(0, 50..60)]), 0, 10..50, GapCause::Overflow)).await;
    stage.store.confirm(writer.run, &at(0, &[60])).await.unwrap();
    for below in [10, 30, 50, 60] {
        let base = stage.store.trim(writer.run, &at(0, &[below])).await.unwrap().unwrap().sample(0);
        assert!(base <= below);
        let read = stage.store.window(writer.run, 0, 0..99).await.unwrap().unwrap();
        assert!(read.is_consistent());
        assert_eq!((read.first, read.end), (base, 60));
        let gap = Gap::new(10..50, GapCause::Overflow).clip(&(base..60));
        assert_eq!(read.gaps, gap.into_iter().collect::<Vec<_>>());
    }
}

/// A run that was trimmed goes on for a new writer at its positions.
pub async fn take_over_after_trimming(h: &dyn HotHarness) {
    let stage = Stage::new(h, "take_over_after_trimming");
    let old = ten_batches(&stage).await;
    let all = at(20, &[1_000, 1_000]);
    stage.store.confirm(old.run, &all).await.unwrap();
    stage.store.trim(old.run, &all).await.unwrap();
    stage.outlive_leases().await;
    let mut new = stage.take(old.run).await;
    assert_eq!(stage.get(old.run).await.next, all);
    let again = new.append(samples_body(new.run, [(0, 999..1_001)])).await;
    assert!(matches!(again, Outcome::Rejected(_)), "trimmed indices are taken: {again:?}");
    new.apply(samples_body(new.run, [(0, 1_000..1_001)])).await;
}
