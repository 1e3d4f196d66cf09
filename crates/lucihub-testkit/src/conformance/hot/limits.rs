//! Limits: at each one it works, one past it nothing is written.

use lucihub_models_core::hot::Outcome;
use lucihub_models_core::{
    BatchBody, Channel, GapCause, HeadPatch, JsonText, LogLine, Phase, PhaseChange, Positions, Reject, SampleBlock,
    StoreError, Timestamp,
};

use super::append::refused_body;
use super::stage::{Stage, Writer, assert_unchanged};
use crate::harness::HotHarness;
use crate::models::{gap_in, lines_body, samples_body};

/// The body is refused as invalid and writes nothing; its number is free.
async fn refused(stage: &Stage<'_>, writer: &mut Writer, body: BatchBody, what: &str) {
    let before = stage.get(writer.run).await;
    let outcome = writer.append(body).await;
    assert!(matches!(outcome, Outcome::Rejected(Reject::Invalid(_))), "{what}: {outcome:?}");
    assert_unchanged(&before, &stage.get(writer.run).await);
}

fn zeros(channel: u32, first: u64, count: usize) -> BatchBody {
    let values = vec![0.0; count].into();
    BatchBody { blocks: vec![SampleBlock { channel, first, values }], ..BatchBody::default() }
}

/// The longest line fits, a byte more does not.
pub async fn long_lines(h: &dyn HotHarness) {
    let stage = Stage::new(h, "long_lines");
    let mut writer = stage.writer(0).await;
    let most = h.limits().line_bytes;
    let line = "é".repeat(most / 2) + &"x".repeat(most % 2);
    writer.apply(lines_body([line.clone()])).await;
    refused(&stage, &mut writer, lines_body([line.clone() + "x"]), "a byte more").await;
    refused(&stage, &mut writer, lines_body(["x".repeat(1_000_000)]), "a million bytes").await;
    let mut level = LogLine::from(String::new());
    level.level = Some("x".repeat(h.limits().text_bytes + 1));
    refused(&stage, &mut writer, BatchBody { lines: [level].into(), ..BatchBody::default() }, "its level").await;
    assert_eq!(stage.store.lines(writer.run, 0..9).await.unwrap().unwrap().lines[0].text, line);
}

/// The largest batch fits, a sample more does not.
pub async fn large_batches(h: &dyn HotHarness) {
    let stage = Stage::new(h, "large_batches");
    let mut writer = stage.writer(1).await;
    let most = (h.limits().batch_bytes - 16) / 8;
    refused(&stage, &mut writer, zeros(0, 0, most + 1), "a sample more").await;
    writer.apply(zeros(0, 0, most)).await;
    let series = stage.store.window(writer.run, 0, 0..u64::MAX).await.unwrap().unwrap();
    assert_eq!(series.values.len(), most);
}

/// No channels are allowed, and so are as many as the limit says.
pub async fn none_and_many_channels(h: &dyn HotHarness) {
    let stage = Stage::new(h, "none_and_many_channels");
    let mut none = stage.writer(0).await;
    let outcome = none.append(samples_body(none.run, [(0, 0..1)])).await;
    assert_eq!(outcome, Outcome::Rejected(Reject::NoChannel { channel: 0, channels: 0 }));
    none.apply(lines_body(["fine"])).await;

    let most = u32::try_from(h.limits().channels).unwrap();
    let mut many = stage.writer(h.limits().channels).await;
    for first in [0, 2] {
        many.apply(samples_body(many.run, (0..most).map(|channel| (channel, first..first + 2)))).await;
    }
    assert_eq!(stage.get(many.run).await.next.samples, vec![4; h.limits().channels]);
    for channel in [0, 1, most / 2, most - 1] {
        let series = stage.store.window(many.run, channel, 1..3).await.unwrap().unwrap();
        assert_eq!(series, super::samples::expected(many.run, channel, 1..3), "channel {channel}");
    }
    let outcome = many.append(samples_body(many.run, [(most, 0..1)])).await;
    let channels = h.limits().channels;
    assert_eq!(outcome, Outcome::Rejected(Reject::NoChannel { channel: most, channels }));

    let mut patch = HeadPatch::default();
    patch.channels = Some(vec![Channel::default(); channels + 1]);
    refused(&stage, &mut many, BatchBody { patch, ..BatchBody::default() }, "a channel more").await;
}

/// A head past a limit is not opened.
pub async fn heads_past_a_limit_are_not_opened(h: &dyn HotHarness) {
    let stage = Stage::new(h, "heads_past_a_limit_are_not_opened");
    let limits = h.limits();
    let mut channels = stage.head(limits.channels + 1);
    channels.labels.clear();
    let mut labels = stage.head(1);
    labels.labels = (0..=limits.labels).map(|n| (format!("l{n}"), String::new())).collect();
    let mut input = stage.head(1);
    input.input = Some(JsonText::from_stored(format!("\"{}\"", "x".repeat(limits.json_bytes))));
    let mut broken = stage.head(1);
    broken.input = Some(JsonText::from_stored("{\"a\": NaN}"));
    let mut owner = stage.head(1);
    owner.owner = Some("x".repeat(limits.word_bytes + 1));
    let mut states = stage.head(1);
    states.states.clear();
    for head in [channels, labels, input, broken, owner, states] {
        let answer = stage.store.open(&head).await;
        assert!(matches!(answer, Err(StoreError::Invalid(_))), "{answer:?}");
        assert!(stage.store.get(head.id).await.unwrap().is_none());
    }
    let mut most = stage.head(1);
    most.labels = (0..limits.labels).map(|n| (format!("l{n}"), String::new())).collect();
    most.input = Some(JsonText::from_stored(format!("\"{}\"", "x".repeat(limits.json_bytes - 2))));
    most.owner = Some("x".repeat(limits.word_bytes));
    stage.store.open(&most).await.unwrap();
    assert_eq!(*stage.get(most.id).await.head, most);
}

/// The longest gap fits, known or jumped over; one index more does not.
pub async fn long_gaps(h: &dyn HotHarness) {
    let stage = Stage::new(h, "long_gaps");
    let most = h.limits().gap;
    let mut writer = stage.writer(2).await;
    let known = |first, end| gap_in(BatchBody::default(), 0, first..end, GapCause::Overflow);
    refused(&stage, &mut writer, known(0, most + 1), "an index more").await;
    writer.apply(known(0, most)).await;
    refused(&stage, &mut writer, zeros(1, most + 1, 1), "a jump of one index more").await;
    writer.apply(zeros(1, most, 1)).await;
    let series = stage.store.window(writer.run, 1, most - 5..u64::MAX).await.unwrap().unwrap();
    assert_eq!((series.first, series.end, series.values.len()), (most - 5, most + 1, 1));
    assert_eq!(stage.get(writer.run).await.next.samples, [most, most + 1]);
}

/// No index lies past the limit, and huge ones are refused without harm.
pub async fn far_indices(h: &dyn HotHarness) {
    let stage = Stage::new(h, "far_indices");
    let limits = h.limits();
    let mut writer = stage.writer(1).await;
    for first in [limits.samples, u64::MAX - 1, u64::MAX] {
        refused(&stage, &mut writer, zeros(0, first, 1), "a far sample").await;
        let gap = gap_in(BatchBody::default(), 0, first..u64::MAX, GapCause::Store);
        refused(&stage, &mut writer, gap, "a far gap").await;
    }
    refused(&stage, &mut writer, zeros(0, 0, 0), "an empty block").await;
    refused(&stage, &mut writer, gap_in(BatchBody::default(), 0, 0..0, GapCause::Store), "an empty gap").await;
    #[expect(clippy::reversed_empty_ranges, reason = "a gap that ends before it begins is what is tested")]
    let backwards = gap_in(BatchBody::default(), 0, 7..3, GapCause::Store);
    refused(&stage, &mut writer, backwards, "a gap backwards").await;
    writer.apply(zeros(0, 0, 1)).await;
}

/// The head takes as many entries as the limit says, over all batches.
pub async fn many_entries(h: &dyn HotHarness) {
    let stage = Stage::new(h, "many_entries");
    let mut writer = stage.writer(0).await;
    let most = h.limits().head_entries;
    let phases = |count| BatchBody {
        phases: vec![PhaseChange::new(Phase::TmpHalt, Timestamp::EPOCH); count],
        ..BatchBody::default()
    };
    writer.apply(phases(most - 1)).await;
    refused(&stage, &mut writer, phases(2), "one more than fit").await;
    writer.apply(phases(1)).await;
    refused(&stage, &mut writer, phases(1), "one more").await;
    assert_eq!(stage.get(writer.run).await.head.phases.len(), most);
}

/// Parts of a patch obey their limits.
pub async fn bad_patches(h: &dyn HotHarness) {
    let stage = Stage::new(h, "bad_patches");
    let mut writer = stage.writer(1).await;
    let long = || Some("x".repeat(h.limits().text_bytes + 1));
    let patch = |change: &dyn Fn(&mut HeadPatch)| {
        let mut patch = HeadPatch::default();
        change(&mut patch);
        BatchBody { patch, ..BatchBody::default() }
    };
    let bodies = [
        patch(&|patch| patch.error = long()),
        patch(&|patch| patch.firmware = long()),
        patch(&|patch| patch.entity_digest = long()),
        patch(&|patch| patch.output = Some(JsonText::from_stored("{\"a\":1,\"a\":2}"))),
        patch(&|patch| patch.output = Some(JsonText::from_stored(""))),
        patch(&|patch| patch.time_base = Some(lucihub_models_core::TimeBase::from_rate(f64::NAN))),
        patch(&|patch| patch.time_base = Some(lucihub_models_core::TimeBase::from_rate(0.0))),
    ];
    for (n, body) in bodies.into_iter().enumerate() {
        refused(&stage, &mut writer, body, &format!("patch {n}")).await;
    }
}

/// A full store writes nothing of a batch, still knows repeats and faults, and
/// goes on when there is room.
pub async fn full_stores_go_on_after_trimming(h: &dyn HotHarness) {
    const BLOCK: u64 = 2_000;
    let stage = Stage::new(h, "full_stores_go_on_after_trimming");
    let Some(small) = h.small(1 << 20).await else { return };
    let stage = stage.on(small);
    let mut writer = stage.writer(1).await;
    let body = |n: u64, run| {
        let mut body = samples_body(run, [(0, n * BLOCK..(n + 1) * BLOCK)]);
        body.lines = lines_body([format!("batch {n}")]).lines;
        body
    };
    let run = writer.run;
    let mut applied = 0;
    let full = loop {
        match writer.append(body(applied, run)).await {
            Outcome::Applied => applied += 1,
            other => break other,
        }
        assert!(applied < 10_000, "a store for a mebibyte took {applied} blocks of {BLOCK} samples");
    };
    assert_eq!(full, Outcome::Full);
    assert!(applied > 0, "not even one batch fits");
    let before = stage.get(run).await;
    assert_eq!((before.next.lines, before.next.sample(0)), (applied, applied * BLOCK));

    // A repeat, a wrong number and a broken rule come before a full store.
    assert_eq!(writer.send(&writer.batch_at(writer.seq, body(applied - 1, run))).await.outcome, Outcome::Duplicate);
    assert_eq!(writer.send(&writer.batch_at(99_999, body(applied, run))).await.outcome, Outcome::Behind(applied));
    let mut broken = body(applied, run);
    broken.blocks.extend(refused_body().blocks);
    assert!(matches!(writer.append(broken).await, Outcome::Rejected(_)));
    assert_unchanged(&before, &stage.get(run).await);

    let safe = Positions { lines: applied, samples: vec![applied * BLOCK], ..Positions::default() };
    stage.store.confirm(run, &safe).await.unwrap();
    stage.store.trim(run, &safe).await.unwrap();
    writer.apply(body(applied, run)).await;
    let read = stage.store.window(run, 0, 0..u64::MAX).await.unwrap().unwrap();
    assert_eq!(read, super::samples::expected(run, 0, applied * BLOCK..(applied + 1) * BLOCK));
}
