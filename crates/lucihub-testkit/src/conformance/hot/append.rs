//! Append: every outcome, and that the earlier check wins where two would fail.

use lucihub_models_core::hot::{Outcome, Seal};
use lucihub_models_core::{
    Batch, BatchBody, Channel, FinalValue, HeadPatch, JsonText, Overload, Phase, PhaseChange, Reject, RunState,
    TimeBase, Timestamp, WriterId,
};

use super::stage::{Stage, Writer, assert_unchanged};
use crate::harness::HotHarness;
use crate::models::{ending_in, lines_body, run_id, samples_body, state_body};

/// A body that every run of the suite refuses: there is no such channel.
pub(super) fn refused_body() -> BatchBody {
    samples_body(run_id(0), [(60_000, 0..1)])
}

async fn outcome(writer: &Writer, batch: &Batch) -> Outcome {
    writer.send(batch).await.outcome
}

/// The last batches sent again are duplicates, and conflicts under other
/// content; beyond the window the store says where it is.
pub async fn repeats_are_duplicates_within_the_window(h: &dyn HotHarness) {
    let stage = Stage::new(h, "repeats_are_duplicates_within_the_window");
    let mut writer = stage.writer(1).await;
    let body = |n: u64| lines_body([format!("batch {n}")]);
    let last = Batch::WINDOW as u64 + 3;
    for n in 1..=last {
        writer.apply(body(n)).await;
    }
    let before = stage.get(writer.run).await;
    for n in 1..=last {
        let (same, other) = (writer.batch_at(n, body(n)), writer.batch_at(n, lines_body(["other"])));
        let remembered = n > last - Batch::WINDOW as u64;
        let behind = [Outcome::Behind(last), Outcome::Behind(last)];
        let expected = if remembered { [Outcome::Duplicate, Outcome::Conflict] } else { behind };
        assert_eq!([outcome(&writer, &same).await, outcome(&writer, &other).await], expected, "batch {n} of {last}");
    }
    assert_unchanged(&before, &stage.get(writer.run).await);
}

/// The reply of the terminal batch may have been lost: its repeat is still a duplicate.
pub async fn repeats_are_known_after_the_seal(h: &dyn HotHarness) {
    let stage = Stage::new(h, "repeats_are_known_after_the_seal");
    let mut writer = stage.writer(1).await;
    writer.apply(state_body([RunState::InProgress])).await;
    let end = ending_in(lines_body(["the end"]), RunState::Succeeded);
    writer.apply(end.clone()).await;
    let sealed = Outcome::Sealed(Seal::Ended(RunState::Succeeded));
    assert_eq!(outcome(&writer, &writer.batch_at(1, state_body([RunState::InProgress]))).await, Outcome::Duplicate);
    assert_eq!(outcome(&writer, &writer.batch_at(2, end)).await, Outcome::Duplicate);
    assert_eq!(outcome(&writer, &writer.batch_at(2, lines_body(["other"]))).await, Outcome::Conflict);
    assert_eq!(outcome(&writer, &writer.batch(lines_body(["late"]))).await, sealed);
    assert_eq!(stage.get(writer.run).await.next.lines, 1);
}

/// A repeat is known before anything else about it is looked at.
pub async fn duplicate_comes_first(h: &dyn HotHarness) {
    let stage = Stage::new(h, "duplicate_comes_first");
    let mut writer = stage.writer(1).await;
    // Sent again, these samples are out of order and their number is behind.
    let body = samples_body(writer.run, [(0, 0..10)]);
    writer.apply(body.clone()).await;
    writer.apply(lines_body(["next"])).await;
    assert_eq!(outcome(&writer, &writer.batch_at(1, body)).await, Outcome::Duplicate);
    assert_eq!(outcome(&writer, &writer.batch_at(1, refused_body())).await, Outcome::Conflict);
}

/// Writer id and epoch must both be the run's, whatever else is wrong.
pub async fn fenced_comes_before_the_rest(h: &dyn HotHarness) {
    let stage = Stage::new(h, "fenced_comes_before_the_rest");
    let mut writer = stage.writer(1).await;
    writer.apply(lines_body(["one"])).await;
    let (mut other, mut later, mut earlier) = (writer.mark, writer.mark, writer.mark);
    other.writer = WriterId::from_bits(!other.writer.bits());
    later.epoch += 1;
    earlier.epoch -= 1;
    for sealed in [false, true] {
        if sealed {
            writer.apply(state_body([RunState::Failed])).await;
        }
        for mark in [other, later, earlier] {
            let good = Batch::new(writer.run, mark, writer.seq + 1, lines_body(["x"]));
            let behind_and_refused = Batch::new(writer.run, mark, 99, refused_body());
            assert_eq!(outcome(&writer, &good).await, Outcome::Fenced, "sealed: {sealed}, {mark:?}");
            assert_eq!(outcome(&writer, &behind_and_refused).await, Outcome::Fenced, "sealed: {sealed}, {mark:?}");
        }
    }
}

/// A run that nobody took over yet fences everyone.
pub async fn a_run_without_a_writer_fences_everyone(h: &dyn HotHarness) {
    let stage = Stage::new(h, "a_run_without_a_writer_fences_everyone");
    let mut writer = stage.writer(1).await;
    writer.run = stage.open(1).await;
    for epoch in [0, 1] {
        writer.mark.epoch = epoch;
        assert_eq!(outcome(&writer, &writer.batch_at(1, lines_body(["x"]))).await, Outcome::Fenced);
    }
    stage.store.cancel(writer.run, None).await.unwrap();
    assert_eq!(outcome(&writer, &writer.batch_at(1, lines_body(["x"]))).await, Outcome::Fenced);
}

/// A closed run says so before it looks at number and content.
pub async fn sealed_comes_before_behind_and_rejected(h: &dyn HotHarness) {
    let stage = Stage::new(h, "sealed_comes_before_behind_and_rejected");
    for state in [RunState::Failed, RunState::Cancelled] {
        let mut writer = stage.writer(1).await;
        writer.apply(state_body([state.clone()])).await;
        let sealed = Outcome::Sealed(Seal::Ended(state));
        for seq in [0, 2, 9, u64::MAX] {
            assert_eq!(outcome(&writer, &writer.batch_at(seq, lines_body(["x"]))).await, sealed);
            assert_eq!(outcome(&writer, &writer.batch_at(seq, refused_body())).await, sealed);
        }
    }
}

/// A tombstone is known before the run is missed; a run that is missed, before
/// number and content.
pub async fn absent_runs_come_before_behind_and_rejected(h: &dyn HotHarness) {
    let stage = Stage::new(h, "absent_runs_come_before_behind_and_rejected");
    let mut writer = stage.writer(1).await;
    writer.run = stage.head(1).id;
    let removed = stage.head(1).id;
    stage.store.remove(removed, false, std::time::Duration::from_secs(86_400)).await.unwrap();
    for (run, expected) in [(writer.run, Outcome::NoRun), (removed, Outcome::Sealed(Seal::Deleted))] {
        writer.run = run;
        for (seq, body) in [(1, lines_body(["x"])), (7, lines_body(["x"])), (7, refused_body()), (1, refused_body())] {
            assert_eq!(outcome(&writer, &writer.batch_at(seq, body)).await, expected);
        }
    }
}

/// A store that lost a run knows neither run nor writer.
pub async fn a_lost_run_is_no_run(h: &dyn HotHarness) {
    let stage = Stage::new(h, "a_lost_run_is_no_run");
    let head = stage.head(1);
    stage.store.open(&head).await.unwrap();
    let mut writer = stage.take(head.id).await;
    writer.apply(lines_body(["one"])).await;
    if !h.lose(head.id).await {
        return;
    }
    assert_eq!(outcome(&writer, &writer.batch_at(1, lines_body(["one"]))).await, Outcome::NoRun);
    assert_eq!(outcome(&writer, &writer.batch(lines_body(["two"]))).await, Outcome::NoRun);
    // Opened anew, the counters begin again; the writer id still fences.
    stage.store.open(&head).await.unwrap();
    let _next = stage.take(head.id).await;
    assert_eq!(outcome(&writer, &writer.batch_at(1, lines_body(["one"]))).await, Outcome::Fenced);
}

/// Numbers count up by one; anything else is told the last one, before its content is looked at.
pub async fn behind_comes_before_rejected(h: &dyn HotHarness) {
    let stage = Stage::new(h, "behind_comes_before_rejected");
    let mut writer = stage.writer(1).await;
    for last in 0..3 {
        for seq in [0, last + 2, last + 9, u64::MAX] {
            for body in [lines_body(["x"]), refused_body()] {
                assert_eq!(outcome(&writer, &writer.batch_at(seq, body)).await, Outcome::Behind(last), "number {seq}");
            }
        }
        writer.apply(lines_body(["x"])).await;
    }
}

/// A refused batch writes nothing, and its number is free for another.
pub async fn rejected_writes_nothing(h: &dyn HotHarness) {
    let stage = Stage::new(h, "rejected_writes_nothing");
    let mut writer = stage.writer(2).await;
    writer.apply(samples_body(writer.run, [(0, 0..10)])).await;
    let before = stage.get(writer.run).await;
    let with = |blocks: BatchBody| BatchBody { blocks: blocks.blocks, ..lines_body(["not written"]) };
    let run = writer.run;
    let cases = [
        (with(refused_body()), Reject::NoChannel { channel: 60_000, channels: 2 }),
        (with(samples_body(run, [(0, 9..12)])), Reject::SampleOrder { channel: 0, first: 9, next: 10 }),
        (with(samples_body(run, [(1, 0..5), (1, 4..8)])), Reject::SampleOrder { channel: 1, first: 4, next: 5 }),
        (
            ending_in(with(samples_body(run, [(0, 10..12)])), RunState::Succeeded),
            Reject::State { from: RunState::Queued, to: RunState::Succeeded },
        ),
    ];
    for (body, reason) in cases {
        assert_eq!(writer.append(body).await, Outcome::Rejected(reason));
        assert_unchanged(&before, &stage.get(run).await);
    }
    writer.apply(samples_body(run, [(0, 10..12)])).await;
    assert_eq!(writer.seq, 2);
    assert_eq!(stage.store.lines(run, 0..9).await.unwrap().unwrap().lines, []);
}

/// The terminal state is the last thing of the last batch, and seals in the same step.
pub async fn the_terminal_batch_is_written_whole(h: &dyn HotHarness) {
    let stage = Stage::new(h, "the_terminal_batch_is_written_whole");
    let mut writer = stage.writer(1).await;
    let mut end = samples_body(writer.run, [(0, 0..10)]);
    end.lines = lines_body(["last words"]).lines;
    end.states = state_body([RunState::InProgress, RunState::Succeeded]).states;
    writer.apply(end).await;
    let run = stage.get(writer.run).await;
    assert_eq!(run.seal, Some(Seal::Ended(RunState::Succeeded)));
    assert_eq!((run.next.states, run.next.lines, run.next.sample(0)), (3, 1, 10));
    assert_eq!(run.head.states.len(), 3);
    assert_eq!(stage.store.window(writer.run, 0, 0..99).await.unwrap().unwrap().end, 10);
}

/// A state that is there already is a success that writes no state.
pub async fn repeated_states_write_nothing(h: &dyn HotHarness) {
    let stage = Stage::new(h, "repeated_states_write_nothing");
    let mut writer = stage.writer(1).await;
    writer.apply(state_body([RunState::Queued, RunState::InProgress, RunState::InProgress])).await;
    writer.apply(state_body([RunState::InProgress])).await;
    assert_eq!(stage.get(writer.run).await.next.states, 2);
    writer.apply(state_body([RunState::Failed, RunState::Failed])).await;
    let run = stage.get(writer.run).await;
    assert_eq!((run.next.states, run.seal), (3, Some(Seal::Ended(RunState::Failed))));
}

/// Which state may follow which.
pub async fn states_follow_the_table(h: &dyn HotHarness) {
    use RunState::{Cancelled, Failed, InProgress, Queued, Succeeded};
    let stage = Stage::new(h, "states_follow_the_table");
    let unknown = RunState::Other("calibrating".to_owned());
    let ways = [vec![], vec![InProgress], vec![unknown.clone()], vec![InProgress, unknown.clone()]];
    for way in &ways {
        for to in [Queued, InProgress, Succeeded, Failed, Cancelled, unknown.clone()] {
            let mut writer = stage.writer(0).await;
            writer.apply(state_body(way.iter().cloned())).await;
            let from = way.last().unwrap_or(&Queued);
            let expected = match from.step_to(&to) {
                Some(_) => Outcome::Applied,
                None => Outcome::Rejected(Reject::State { from: from.clone(), to: to.clone() }),
            };
            assert_eq!(writer.append(state_body([to.clone()])).await, expected, "{way:?} to {to}");
        }
    }
    let mut writer = stage.writer(0).await;
    let past_the_end = writer.append(state_body([Failed, Cancelled])).await;
    assert_eq!(past_the_end, Outcome::Rejected(Reject::State { from: Failed, to: Cancelled }));
}

/// A state that this version does not know is kept, and does not end a run.
pub async fn unknown_states_are_kept(h: &dyn HotHarness) {
    let stage = Stage::new(h, "unknown_states_are_kept");
    let unknown = RunState::Other("wärmt auf \u{2028}".to_owned());
    let mut writer = stage.writer(1).await;
    writer.apply(state_body([unknown.clone()])).await;
    let run = stage.get(writer.run).await;
    assert_eq!((run.head.state(), run.seal), (&unknown, None));
    writer.apply(state_body([RunState::InProgress, unknown, RunState::Succeeded])).await;
    assert_eq!(stage.get(writer.run).await.next.states, 5);
}

/// A batch that brings nothing is applied and takes its number.
pub async fn an_empty_batch_is_applied(h: &dyn HotHarness) {
    let stage = Stage::new(h, "an_empty_batch_is_applied");
    let mut writer = stage.writer(0).await;
    writer.apply(BatchBody::default()).await;
    let run = stage.get(writer.run).await;
    assert_eq!((run.last_seq, run.next.states, run.next.lines), (1, 1, 0));
}

/// What a worker reports beside lines and samples becomes part of the head, bit for bit.
pub async fn the_head_takes_what_the_worker_knows(h: &dyn HotHarness) {
    let stage = Stage::new(h, "the_head_takes_what_the_worker_knows");
    let mut writer = stage.writer(1).await;
    let at = Timestamp::MAX;
    let nan = f64::from_bits(0x7ff4_0000_dead_beef);
    let mut patch = HeadPatch::default();
    patch.channels = Some(vec![Channel::named("x"), Channel::named("y").in_unit("V")]);
    patch.time_base = Some(TimeBase { rate_hz: 125_000.0, origin_s: -0.001 });
    patch.op_time_ns = Some(u64::MAX);
    patch.firmware = Some("2.0\0\u{2028}".to_owned());
    patch.output = Some(JsonText::from_stored("{\"r\": [-0.0,  1e3]}"));
    let body = BatchBody {
        phases: vec![
            PhaseChange::new(Phase::Op, at).at_device_ns(u64::MAX).on("04-E9"),
            PhaseChange::new(Phase::Done, at),
        ],
        overloads: vec![Overload::new("/0/m1/\"{}", Timestamp::MIN).at_sample(7)],
        final_values: vec![FinalValue::new("/0/m0", nan), FinalValue::new("/0/m1", -0.0)],
        patch: patch.clone(),
        ..samples_body(writer.run, [(1, 0..3)])
    };
    writer.apply(body.clone()).await;
    let run = stage.get(writer.run).await;
    assert_eq!((&run.head.phases, &run.head.overloads), (&body.phases, &body.overloads));
    let bits: Vec<u64> = run.head.final_values.iter().map(|value| value.value.to_bits()).collect();
    assert_eq!(bits, [nan.to_bits(), (-0.0_f64).to_bits()]);
    assert_eq!((&run.head.channels, run.head.time_base), (patch.channels.as_ref().unwrap(), patch.time_base));
    assert_eq!((run.head.op_time_ns, &run.head.firmware), (patch.op_time_ns, &patch.firmware));
    assert_eq!(run.head.output, patch.output);
    assert_eq!((run.next.phases, run.next.sample(1)), (2, 3), "a channel is there in the batch that describes it");

    let mut later = HeadPatch::default();
    later.error = Some("overload".to_owned());
    writer.apply(BatchBody { patch: later, ..BatchBody::default() }).await;
    let run = stage.get(writer.run).await;
    assert_eq!((run.head.error.as_deref(), &run.head.firmware), (Some("overload"), &patch.firmware));
    let mut fewer = HeadPatch::default();
    fewer.channels = Some(vec![Channel::named("x")]);
    let outcome = writer.append(BatchBody { patch: fewer, ..BatchBody::default() }).await;
    assert!(matches!(outcome, Outcome::Rejected(Reject::Invalid(_))), "channels never become fewer: {outcome:?}");
}

/// Two runs of one writer do not know each other's numbers.
pub async fn runs_are_separate(h: &dyn HotHarness) {
    let stage = Stage::new(h, "runs_are_separate");
    let (mut one, two) = (stage.writer(1).await, stage.writer(1).await);
    one.apply(lines_body(["one"])).await;
    let stray = Batch::new(two.run, one.mark, 1, lines_body(["one"]));
    assert_eq!(outcome(&two, &stray).await, Outcome::Fenced);
    assert_eq!(stage.get(two.run).await.next.lines, 0);
}
