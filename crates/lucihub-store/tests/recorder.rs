//! A worker records: restarts, refusals, cancellation, the end.

use std::time::Duration;

use lucihub_models_core::hot::HotRuns;
use lucihub_models_core::{
    Channel, FinalValue, GapCause, HeadPatch, JsonText, Limits, LogLine, Overload, Phase, PhaseChange, RunState,
    StoreError, Timestamp,
};
use lucihub_store::record::{Arrival, End, Failure};
use lucihub_store::{KeeperOptions, RecordError, RecordOptions};
use lucihub_testkit::FaultPlan;

use crate::lab::{created, lab, record_some, small, values};

/// The length of a test that must not hang, in the runtime's own, paused time.
const SOON: Duration = Duration::from_secs(600);

#[test]
fn a_killed_worker_goes_on_as_the_same_writer_without_waiting() {
    let lab = lab();
    let (run, writer, pushed) = {
        let process = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let done = process.block_on(async {
            let run = small(&lab.store, 2).await.id;
            let options = RecordOptions::default().with_batch(200, Duration::from_millis(1));
            let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
            recorder.state(RunState::InProgress).await.unwrap();
            record_some(&recorder, 2, 0..300, 30).await;
            recorder.flush().await.unwrap();
            record_some(&recorder, 2, 300..900, 30).await;
            let done = (run, recorder.writer(), recorder.next());
            // Killed: nothing of it runs on.
            std::mem::forget(recorder);
            done
        });
        process.shutdown_timeout(Duration::from_secs(20));
        done
    };
    let process = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    process.block_on(async {
        let held = lab.store.record(run, "another").await.unwrap_err();
        assert!(matches!(held, RecordError::Held { .. }), "{held}");
        let options = RecordOptions::default().with_writer(writer);
        let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
        let next = recorder.next();
        assert!(next.sample(0) >= 300 && pushed.covers(&next), "{next:?}");
        for channel in 0..2 {
            let from = next.sample(channel);
            recorder.samples(channel, from, &values(run, channel, from..1_000)).await.unwrap();
        }
        recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
        lab.walk(KeeperOptions::default()).await;
        for (channel, series) in (0..).zip(lab.archived(run).await.0.series) {
            assert_eq!((series.values, series.gaps), (values(run, channel, 0..1_000), vec![]));
        }
    });
}

#[tokio::test]
async fn another_worker_goes_on_once_the_lease_has_run_out_and_the_first_is_fenced() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let first = lab.store.record(run, "first").await.unwrap();
    first.state(RunState::InProgress).await.unwrap();
    record_some(&first, 2, 0..500, 100).await;
    first.flush().await.unwrap();
    match lab.store.record(run, "second").await {
        Err(RecordError::Held { by, .. }) => assert_eq!(by, "first"),
        other => panic!("{other:?}"),
    }
    lab.clock.advance(Duration::from_secs(60));
    let second = lab.store.record(run, "second").await.unwrap();
    assert_eq!((second.next().sample(0), second.next().lines), (500, 5));
    first.samples(0, 500, &[0.0; 100]).await.unwrap();
    let error = first.flush().await.unwrap_err();
    assert!(matches!(error, RecordError::Failed { failure: Failure::Fenced, .. }), "{error}");
    let again = first.log("and on").await.unwrap_err();
    assert_eq!(again.to_string(), error.to_string(), "it stays so");
    record_some(&second, 2, 500..800, 100).await;
    second.finish(RunState::Succeeded, End::default()).await.unwrap();
    let whole = lab.store.run(run).await.unwrap();
    assert_eq!(whole.series[0].values, values(run, 0, 0..800));
    assert_eq!(whole.head.worker.as_deref(), Some("second"));
}

#[tokio::test]
async fn a_take_over_whose_answer_was_lost_is_the_same_workers() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let plan = FaultPlan::none().lose_nth(1);
    let recorder = lab.faulty(&plan).record(run, "worker").await.unwrap();
    assert_eq!(plan.log(), ["hot.take_over", "hot.take_over"]);
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
}

#[tokio::test]
async fn a_worker_is_not_kept_out_by_its_own_take_over_that_nobody_heard_of() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let plan = FaultPlan::none().lose_nth(1).lose_nth(2);
    let store = lab.faulty(&plan);
    let error = store.record(run, "worker").await.unwrap_err();
    assert!(matches!(error, RecordError::Store(StoreError::Unknown { .. })), "{error:?}");
    let error = store.record(run, "another").await.unwrap_err();
    assert!(matches!(&error, RecordError::Held { by, .. } if by == "worker"), "{error:?}");
    // Nor by one that was dropped while it waited for its answer.
    plan.hang("hot.take_over");
    let clone = store.clone();
    tokio::time::timeout(Duration::from_millis(20), clone.record(run, "worker")).await.unwrap_err();
    plan.mend();
    let recorder = store.record(run, "worker").await.unwrap();
    let error = store.record(run, "worker").await.unwrap_err();
    assert!(matches!(error, RecordError::Held { .. }), "only one may go on under a writer id: {error:?}");
    recorder.finish(RunState::Failed, End::default()).await.unwrap();
}

#[tokio::test]
async fn every_refusal_comes_before_anything_is_queued() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    let before = recorder.next();
    let long = "x".repeat(4_097);
    let few = patch(|p| p.channels = Some(vec![Channel::named("x")]));
    let wide = patch(|p| p.channels = Some(vec![Channel::named(&long); 2]));
    let heavy = patch(|p| p.channels = Some(vec![Channel::named(&long[..4_096]); 600]));
    let refusals = [
        ("channel", recorder.samples(2, 0, &[1.0]).await.map(drop)),
        ("index", recorder.samples(0, 1 << 40, &[1.0]).await.map(drop)),
        ("overflowing index", recorder.samples(0, u64::MAX, &[1.0, 2.0]).await.map(drop)),
        ("jump", recorder.samples(0, (1 << 26) + 1, &[1.0]).await.map(drop)),
        ("gap's channel", recorder.gap(2, 5, GapCause::Device).await),
        ("gap's length", recorder.gap(0, (1 << 26) + 1, GapCause::Device).await),
        ("terminal", recorder.state(RunState::Succeeded).await),
        ("illegal", recorder.finish(RunState::Succeeded, End::default()).await.map(drop)),
        ("not terminal", recorder.finish(RunState::InProgress, End::default()).await.map(drop)),
        ("long state", recorder.state(RunState::Other(long.clone())).await),
        ("long reason", recorder.finish(RunState::Failed, End::default().because(&*long)).await.map(drop)),
        ("level", recorder.line(LogLine::from(String::new()).level(&*long)).await),
        ("phase", recorder.phase(PhaseChange::new(Phase::Op, Timestamp::EPOCH).on(&*long)).await),
        ("element", recorder.overload(Overload::new(&*long, Timestamp::EPOCH)).await),
        ("fewer channels", recorder.describe(few).await),
        ("a long name", recorder.describe(wide).await),
        ("more than a batch", recorder.describe(heavy).await),
    ];
    for (what, refused) in refusals {
        assert!(matches!(refused, Err(RecordError::Invalid(_))), "{what}: {refused:?}");
    }
    recorder.flush().await.unwrap();
    assert_eq!((recorder.next(), recorder.stats().batches), (before, 0));
    recorder.state(RunState::InProgress).await.unwrap();
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
}

fn patch(set: impl FnOnce(&mut HeadPatch)) -> HeadPatch {
    let mut patch = HeadPatch::default();
    set(&mut patch);
    patch
}

#[tokio::test]
async fn the_limit_of_head_entries_is_refused_and_leaves_room_for_the_end() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let mut limits = Limits::default();
    limits.head_entries = 4;
    let recorder = lab.limited(limits).record(run, "worker").await.unwrap();
    let states = ["a", "b", "c"].map(|name| RunState::Other(name.to_owned()));
    recorder.state(states[0].clone()).await.unwrap();
    recorder.state(states[1].clone()).await.unwrap();
    assert!(matches!(recorder.state(states[2].clone()).await, Err(RecordError::Invalid(_))));
    for n in 0..6 {
        let phase = recorder.phase(PhaseChange::new(Phase::Ic, Timestamp::EPOCH)).await;
        let overload = recorder.overload(Overload::new("i0", Timestamp::EPOCH)).await;
        assert_eq!((phase.is_ok(), overload.is_ok()), (n < 4, n < 4), "{n}");
    }
    let values = vec![FinalValue::new("i0", 0.5); 5];
    let many = recorder.finish(RunState::Succeeded, End::default().with_final_values(values.clone())).await;
    assert!(matches!(many, Err(RecordError::Invalid(_))), "{many:?}");
    let end = End::default().with_final_values(values[..4].to_vec());
    recorder.finish(RunState::Succeeded, end).await.unwrap();
    let head = lab.store.run(run).await.unwrap().head;
    assert_eq!((head.states.len(), head.phases.len(), head.overloads.len(), head.final_values.len()), (4, 4, 4, 4));
}

#[tokio::test]
async fn a_long_line_is_cut_and_says_so() {
    let lab = lab();
    let run = small(&lab.store, 0).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.log("é".repeat(40_000)).await.unwrap();
    recorder.log("x".repeat(65_536)).await.unwrap();
    recorder.flush().await.unwrap();
    let lines = lab.store.lines(run, 0..9).await.unwrap().lines;
    assert_eq!((lines[0].text.len(), lines[0].cut_from), (65_536, Some(80_000)));
    assert_eq!((lines[1].text.len(), lines[1].cut_from), (65_536, None));
}

#[tokio::test(start_paused = true)]
async fn pushes_that_bring_nothing_do_not_keep_a_flush_waiting() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    tokio::time::timeout(SOON, recorder.flush()).await.unwrap().unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    assert_eq!(recorder.samples(0, 10, &[1.0]).await.unwrap(), Arrival::Waiting);
    recorder.gap(0, 0, GapCause::Device).await.unwrap();
    tokio::time::timeout(SOON, recorder.flush()).await.expect("nothing is left to wait for").unwrap();
    assert_eq!(lab.hot.get(run).await.unwrap().unwrap().next.sample(0), 0);
}

/// Keepers encode parts of a cell while the run goes on: a part must not wait for its batch to be filled.
#[tokio::test(start_paused = true)]
async fn what_completes_a_part_of_a_cell_is_sent_at_once() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let options = RecordOptions::default().with_batch(1 << 18, Duration::from_secs(10));
    let recorder = lab.store.record_with(run, "worker", options).await.unwrap();
    let sent = async |channel, range: std::ops::Range<u64>| {
        let first = range.start;
        recorder.samples(channel, first, &values(run, channel, range)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        recorder.stats().batches
    };
    assert_eq!(sent(0, 0..1_000).await, 0);
    assert_eq!(sent(1, 0..1_000).await, 0);
    assert_eq!(sent(0, 1_000..2_050).await, 0, "the quicker channel completes nothing");
    assert_eq!(sent(1, 1_000..1_024).await, 1, "the slower one does");
    assert_eq!(sent(1, 1_024..2_047).await, 1);
    assert_eq!(sent(1, 2_047..2_048).await, 2);
}

#[tokio::test(start_paused = true)]
async fn cancellation_is_learnt_from_an_answer_and_from_a_renewal() {
    for idle in [false, true] {
        let lab = lab();
        let run = small(&lab.store, 1).await.id;
        let recorder = lab.store.record(run, "worker").await.unwrap();
        recorder.state(RunState::InProgress).await.unwrap();
        recorder.flush().await.unwrap();
        lab.store.cancel(run, None).await.unwrap();
        assert!(!recorder.cancel_requested());
        if idle {
            tokio::time::timeout(Duration::from_secs(17), recorder.cancelled()).await.unwrap().unwrap();
        } else {
            recorder.log("still here").await.unwrap();
            recorder.flush().await.unwrap();
        }
        assert!(recorder.cancel_requested());
        recorder.finish(RunState::Cancelled, End::default()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorder_renews_its_lease_and_learns_what_is_confirmed() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    record_some(&recorder, 1, 0..100, 50).await;
    recorder.flush().await.unwrap();
    assert!(recorder.stats().replay_bytes > 800);
    lab.walk(crate::lab::eager()).await;
    lab.clock.advance(Duration::from_secs(50));
    tokio::time::sleep(Duration::from_secs(16)).await;
    assert_eq!((recorder.confirmed().sample(0), recorder.stats().replay_bytes), (100, 0));
    lab.clock.advance(Duration::from_secs(50));
    assert_eq!(lab.walk(crate::lab::eager()).await.failed, 0, "its lease goes on");
}

#[tokio::test]
async fn a_dropped_recorder_sends_what_is_queued_and_leaves_the_run_open() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    record_some(&recorder, 2, 0..700, 100).await;
    let (next, writer) = (recorder.next(), recorder.writer());
    drop(recorder);
    let sent = async {
        while lab.hot.get(run).await.unwrap().unwrap().next != next {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), sent).await.expect("all of it is sent");
    let again = lab.store.record_with(run, "worker", RecordOptions::default().with_writer(writer)).await.unwrap();
    assert_eq!(again.next(), next);
}

#[tokio::test]
async fn the_end_brings_output_error_and_final_values_with_the_last_state() {
    let lab = lab();
    let run = small(&lab.store, 1).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.describe(patch(|p| p.firmware = Some("1.4.2".into()))).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    let end = End::default()
        .with_output(JsonText::from_stored("{\"a\": -0.0}"))
        .with_error("an overload")
        .because("it left its range")
        .with_final_values(vec![FinalValue::new("i0", -0.0)]);
    let at = recorder.finish(RunState::Failed, end).await.unwrap();
    assert_eq!(at.states, 3);
    let head = lab.store.run(run).await.unwrap().head;
    assert_eq!(head.output.as_ref().unwrap().as_str(), "{\"a\": -0.0}");
    assert_eq!((head.error.as_deref(), head.firmware.as_deref()), (Some("an overload"), Some("1.4.2")));
    assert_eq!(head.states[2].reason.as_deref(), Some("it left its range"));
    assert!(head.final_values[0].value.is_sign_negative());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_assembler_gives_out_is_recorded_with_its_certainty() {
    use lucihub_models_core::assemble::{Assembler, AssemblerOptions, Carrier};
    let b = lab();
    let head = created(&b.store, 1).await;
    let recorder = b.store.record(head.id, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    let mut assembler = Assembler::new(AssemblerOptions::default());
    assembler.carrier(Carrier::new("04-E9", [0])).unwrap();
    // Sizes vary, so the length of the lost chunk 1 is a conclusion.
    for (number, first, size) in [(0_u32, 0_u64, 100_u64), (2, 200, 120), (3, 320, 100)] {
        let column = values(head.id, 0, first..first + size);
        for piece in assembler.chunk("04-E9", number, &[&column]).unwrap() {
            recorder.assembled(&piece).await.unwrap();
        }
    }
    for piece in assembler.finish(Some(420)).pieces {
        recorder.assembled(&piece).await.unwrap();
    }
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    let series = b.store.window(head.id, 0, 0..u64::MAX).await.unwrap();
    assert_eq!((series.end, series.gaps.len()), (420, 1));
    assert_eq!((series.gaps[0].first, series.gaps[0].end, series.gaps[0].inferred), (100, 200, true));
}
