//! Restore: a lost run comes back at its positions, and what is lost says so.

use lucihub_models_core::hot::{HotRun, Opened, Outcome, Restore, Restored, Seal, SmallAttachment};
use lucihub_models_core::{Batch, Gap, GapCause, LogLine, NewAttachment, Positions, RunState, StateChange, WriterId};

use super::stage::{LEASE, Stage, Writer, assert_lasts, assert_unchanged};
use crate::harness::HotHarness;
use crate::models::{lines_body, sample_value, samples_body, state_body, store_event};

/// A run in progress with 10 lines, 1,000 samples of channel 0 and 400 of
/// channel 1 from three batches, confirmed up to 4 lines, 300 and 400 samples.
async fn recorded(stage: &Stage<'_>) -> (Writer, HotRun, Positions) {
    let mut writer = stage.writer(2).await;
    writer.apply(state_body([RunState::InProgress])).await;
    let mut body = samples_body(writer.run, [(0, 0..300), (1, 0..400)]);
    body.lines = lines_body((0..4).map(|n| format!("line {n}"))).lines;
    writer.apply(body).await;
    let mut body = samples_body(writer.run, [(0, 300..1_000)]);
    body.lines = lines_body((4..10).map(|n| format!("line {n}"))).lines;
    writer.apply(body).await;
    let confirmed = Positions { states: 2, phases: 0, lines: 4, samples: vec![300, 400] };
    let run = stage.get(writer.run).await;
    (writer, run, confirmed)
}

/// The writer puts its run back and goes on; what lies between confirmed and
/// next keeps its positions, as a gap and as lines that say so.
pub async fn the_writer_goes_on(h: &dyn HotHarness) {
    let stage = Stage::new(h, "restore::the_writer_goes_on");
    let (mut writer, before, confirmed) = recorded(&stage).await;
    if !h.lose(writer.run).await {
        return;
    }
    let restore = writer.restore(&before, confirmed.clone(), before.next.clone());
    assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Restored);

    let run = stage.get(writer.run).await;
    assert_eq!((&run.next, &run.confirmed, run.last_seq), (&before.next, &confirmed, 3));
    assert_eq!((run.base.lines, run.base.sample(0), run.base.sample(1)), (4, 300, 400));
    assert_eq!(run.head.states, before.head.states);
    assert_eq!((&run.head.input, &run.head.labels), (&before.head.input, &before.head.labels));
    let lease = run.lease.clone().unwrap();
    assert_eq!((&lease.worker, lease.mark), (&writer.request.worker, writer.mark));
    assert_lasts(lease.until, run.now, LEASE);
    assert!(run.seal.is_none());

    let mut body = samples_body(writer.run, [(0, 1_000..1_010), (1, 400..410)]);
    body.lines = lines_body(["after"]).lines;
    writer.apply(body).await;
    let zero = stage.store.window(writer.run, 0, 0..9_999).await.unwrap().unwrap();
    assert_eq!((zero.first, zero.end, zero.values.len()), (300, 1_010, 10));
    assert_eq!(zero.gaps, [Gap::new(300..1_000, GapCause::Store)]);
    assert_eq!(zero.get(1_009), Some(sample_value(writer.run, 0, 1_009)));
    let one = stage.store.window(writer.run, 1, 0..9_999).await.unwrap().unwrap();
    assert_eq!((one.first, one.end, one.gaps.len()), (400, 410, 0), "nothing of this channel was lost");
    let lines = stage.store.lines(writer.run, 0..99).await.unwrap().unwrap();
    assert_eq!((lines.first, lines.lines.len()), (4, 7));
    assert!(lines.lines[..6].iter().all(|line| *line == LogLine::lost()), "a lost line says that it was lost");
    assert_eq!(lines.lines[6].text, "after");
}

/// With nothing lost there is no gap and no placeholder.
pub async fn nothing_lost_leaves_no_gap(h: &dyn HotHarness) {
    let stage = Stage::new(h, "restore::nothing_lost_leaves_no_gap");
    let (mut writer, before, confirmed) = recorded(&stage).await;
    if !h.lose(writer.run).await {
        return;
    }
    writer.seq = 2;
    let restore = writer.restore(&before, confirmed.clone(), confirmed.clone());
    assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Restored);
    assert_eq!(stage.store.lines(writer.run, 0..99).await.unwrap().unwrap().lines, []);
    // The batch that was lost is sent again from the replay buffer.
    let mut body = samples_body(writer.run, [(0, 300..1_000)]);
    body.lines = lines_body((4..10).map(|n| format!("line {n}"))).lines;
    writer.apply(body).await;
    let series = stage.store.window(writer.run, 0, 0..9_999).await.unwrap().unwrap();
    assert_eq!((series.first, series.end, series.gaps.len()), (300, 1_000, 0));
    assert_eq!(stage.get(writer.run).await.next, before.next);
}

/// A run that is there stays as it is: it was not lost, or another restored it first.
pub async fn a_run_that_is_there_stays(h: &dyn HotHarness) {
    let stage = Stage::new(h, "restore::a_run_that_is_there_stays");
    let (writer, before, confirmed) = recorded(&stage).await;
    let restore = writer.restore(&before, confirmed.clone(), before.next.clone());
    assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Existing);
    assert_unchanged(&before, &stage.get(writer.run).await);
    if !h.lose(writer.run).await {
        return;
    }
    assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Restored);
    let mut second = restore.clone();
    second.mark.epoch += 1;
    second.next.lines += 5;
    let first = stage.get(writer.run).await;
    assert_eq!(stage.store.restore(&second).await.unwrap(), Restored::Existing);
    assert_unchanged(&first, &stage.get(writer.run).await);
}

/// A run that was placed anew, and that nobody took over since, gives way to the writer of the lost one; one that was
/// taken over or ended does not.
pub async fn a_run_placed_anew_gives_way(h: &dyn HotHarness) {
    let stage = Stage::new(h, "restore::a_run_placed_anew_gives_way");
    let (mut writer, before, confirmed) = recorded(&stage).await;
    let mut queued = stage.head(2);
    queued.id = writer.run;
    let restore = writer.restore(&before, confirmed, before.next.clone());
    for attempt in 0..3 {
        if !h.lose(writer.run).await {
            return;
        }
        assert_eq!(stage.store.open(&queued).await.unwrap(), Opened::Created);
        assert_eq!(writer.send(&writer.batch(lines_body(["early"]))).await.outcome, Outcome::Fenced);
        match attempt {
            0 => drop(stage.take(writer.run).await),
            1 => drop(stage.store.cancel(writer.run, None).await.unwrap()),
            _ => break,
        }
        let there = stage.get(writer.run).await;
        assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Existing);
        assert_unchanged(&there, &stage.get(writer.run).await);
    }
    let mut ended = restore.clone();
    ended.head.states.push(StateChange::new(RunState::Failed, before.now));
    let answer = stage.store.restore(&ended).await.unwrap();
    assert_eq!(answer, Restored::Sealed(Seal::Ended(RunState::Failed)), "an end is not put back");
    assert_eq!(stage.get(writer.run).await.next.states, 1);

    assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Restored);
    let run = stage.get(writer.run).await;
    assert_eq!((&run.next, run.last_seq), (&before.next, before.last_seq));
    assert_eq!((run.head.state(), run.lease.unwrap().mark), (&RunState::InProgress, writer.mark));
    assert_eq!(stage.store.open(&queued).await.unwrap(), Opened::Existing);
    assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Existing);
    writer.apply(lines_body(["after"])).await;
    assert_eq!(stage.store.lines(writer.run, 10..99).await.unwrap().unwrap().lines[0].text, "after");
}

/// A store that went back to an older copy has less than its writer still keeps: that one puts the run back from where all
/// is confirmed. What others gave the run stays.
pub async fn an_older_copy_gives_way_to_its_writer(h: &dyn HotHarness) {
    let stage = Stage::new(h, "restore::an_older_copy_gives_way_to_its_writer");
    let (mut writer, before, _) = recorded(&stage).await;
    let note = SmallAttachment::new(NewAttachment::new("note.txt".parse().unwrap(), "text/plain"), *b"by people");
    stage.store.put_attachment(writer.run, None, &note).await.unwrap();
    let event = store_event(3);
    stage.store.note(writer.run, std::slice::from_ref(&event)).await.unwrap();
    stage.store.cancel(writer.run, None).await.unwrap();
    let there = stage.get(writer.run).await;
    let further = Positions { lines: 14, samples: vec![1_200, 400], ..before.next.clone() };
    let mut restore = writer.restore(&before, further.clone(), further.clone());
    let mut other = restore.clone();
    (other.mark.epoch, other.last_seq) = (other.mark.epoch + 1, 9);
    let mut forged = restore.clone();
    (forged.mark.writer, forged.last_seq) = (WriterId::from_bits(writer.mark.writer.bits() ^ 2), 9);
    for refused in [&restore, &Restore { last_seq: 2, ..restore.clone() }, &other, &forged] {
        assert_eq!(stage.store.restore(refused).await.unwrap(), Restored::Existing);
        assert_unchanged(&there, &stage.get(writer.run).await);
    }

    restore.last_seq = 5;
    assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Restored);
    let run = stage.get(writer.run).await;
    assert_eq!((&run.next, &run.confirmed, run.last_seq), (&further, &further, 5));
    assert_eq!((run.base.lines, run.base.sample(0), run.cancel), (14, 1_200, true));
    assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Existing);
    let outcome = writer.send(&writer.batch(lines_body(["again"]))).await.outcome;
    assert_eq!(outcome, Outcome::Behind(5));
    writer.seq = 5;
    let mut body = samples_body(writer.run, [(0, 1_200..1_300)]);
    body.lines = lines_body(["after"]).lines;
    writer.apply(body).await;
    let lines = stage.store.lines(writer.run, 0..99).await.unwrap().unwrap();
    assert_eq!((lines.first, lines.lines.len(), &*lines.lines[0].text), (14, 1, "after"));
    let series = stage.store.window(writer.run, 0, 0..9_999).await.unwrap().unwrap();
    assert_eq!((series.first, series.end, series.gaps.len()), (1_200, 1_300, 0));
    let (_, bytes) = stage.store.attachment(writer.run, &note.attachment.name).await.unwrap().unwrap();
    assert_eq!(&*bytes, b"by people");
    assert_eq!(stage.store.events(writer.run).await.unwrap().unwrap(), [event]);

    writer.apply(state_body([RunState::Cancelled])).await;
    let ended = stage.get(writer.run).await;
    assert_eq!(stage.store.restore(&Restore { last_seq: 99, ..restore }).await.unwrap(), Restored::Existing);
    assert_unchanged(&ended, &stage.get(writer.run).await);
}

/// After a restore, only the writer that restored is let in, whatever numbers another one has.
pub async fn others_are_fenced(h: &dyn HotHarness) {
    let stage = Stage::new(h, "restore::others_are_fenced");
    let (old, before, confirmed) = recorded(&stage).await;
    stage.outlive_leases().await;
    let new = stage.take(old.run).await;
    if !h.lose(old.run).await {
        return;
    }
    let restore = new.restore(&before, confirmed, before.next.clone());
    assert_eq!(stage.store.restore(&restore).await.unwrap(), Restored::Restored);
    let mut forged = old.mark;
    forged.epoch = new.mark.epoch;
    for mark in [old.mark, forged] {
        for seq in [1, new.seq + 1, old.seq + 1] {
            let batch = Batch::new(old.run, mark, seq, lines_body(["stale"]));
            assert_eq!(old.send(&batch).await.outcome, Outcome::Fenced, "{mark:?}");
        }
    }
    assert_eq!(stage.get(old.run).await.next.lines, 10);
    stage.outlive_leases().await;
    assert_eq!(stage.take(old.run).await.mark.epoch, new.mark.epoch + 1, "epochs go on from the restored one");
}

/// What the restored numbers cover is behind, not applied again.
pub async fn covered_numbers_are_behind(h: &dyn HotHarness) {
    let stage = Stage::new(h, "restore::covered_numbers_are_behind");
    let (mut writer, before, confirmed) = recorded(&stage).await;
    if !h.lose(writer.run).await {
        return;
    }
    let restore = writer.restore(&before, confirmed, before.next.clone());
    stage.store.restore(&restore).await.unwrap();
    for seq in [1, 3, 5] {
        let outcome = writer.send(&writer.batch_at(seq, lines_body(["again"]))).await.outcome;
        assert_eq!(outcome, Outcome::Behind(3), "number {seq}");
    }
    writer.apply(lines_body(["next"])).await;
    assert_eq!(writer.seq, 4);
}

/// A run that has ended or was deleted does not come back.
pub async fn ended_runs_do_not_come_back(h: &dyn HotHarness) {
    let stage = Stage::new(h, "restore::ended_runs_do_not_come_back");
    let (writer, before, confirmed) = recorded(&stage).await;
    if !h.lose(writer.run).await {
        return;
    }
    let mut restore = writer.restore(&before, confirmed, before.next.clone());
    restore.head.states.push(StateChange::new(RunState::Failed, before.now));
    restore.next.states += 1;
    let answer = stage.store.restore(&restore).await.unwrap();
    assert_eq!(answer, Restored::Sealed(Seal::Ended(RunState::Failed)));
    assert!(stage.store.get(writer.run).await.unwrap().is_none());
}

/// A restored run can be opened, cancelled, confirmed, trimmed and ended like any other.
pub async fn a_restored_run_lives_on(h: &dyn HotHarness) {
    let stage = Stage::new(h, "restore::a_restored_run_lives_on");
    let (mut writer, before, confirmed) = recorded(&stage).await;
    if !h.lose(writer.run).await {
        return;
    }
    let mut restore = writer.restore(&before, confirmed, before.next.clone());
    restore.mark.writer = WriterId::from_bits(writer.mark.writer.bits() ^ 2);
    writer.mark = restore.mark;
    stage.store.restore(&restore).await.unwrap();
    assert_eq!(stage.store.open(&before.head).await.unwrap(), Opened::Existing);
    stage.store.cancel(writer.run, None).await.unwrap();
    let answer = writer.send(&writer.batch(lines_body(["one more"]))).await;
    assert_eq!((answer.outcome, answer.cancel), (Outcome::Applied, true));
    writer.seq += 1;
    let next = stage.get(writer.run).await.next;
    assert_eq!(stage.store.confirm(writer.run, &next).await.unwrap().unwrap(), next);
    let base = stage.store.trim(writer.run, &next).await.unwrap().unwrap();
    assert_eq!((base.lines, base.sample(0), base.sample(1)), (11, 1_000, 400));
    writer.apply(state_body([RunState::Cancelled])).await;
    assert_eq!(stage.get(writer.run).await.seal, Some(Seal::Ended(RunState::Cancelled)));
}
