//! Samples: bit for bit, at their index, with their gaps.

use std::ops::Range;

use lucihub_models_core::{BatchBody, Gap, GapCause, GapMark, RunId, SampleBlock, Series};

use super::stage::{Stage, Writer};
use crate::harness::HotHarness;
use crate::models::{gap_in, sample_value, samples_body};

/// What a window over samples without gaps must be.
pub(super) fn expected(run: RunId, channel: u32, range: Range<u64>) -> Series {
    let mut series = Series::starting_at(range.start);
    let values: Vec<f64> = range.map(|index| sample_value(run, channel, index)).collect();
    series.push_values(&values);
    series
}

async fn window(stage: &Stage<'_>, writer: &Writer, channel: u32, range: Range<u64>) -> Series {
    let series = stage.store.window(writer.run, channel, range.clone()).await.unwrap().unwrap();
    assert!(series.is_consistent(), "channel {channel}, {range:?}: {series:?}");
    series
}

/// NaN payloads, infinities, both zeros and the least numbers come back as they were.
pub async fn samples_keep_every_bit(h: &dyn HotHarness) {
    let stage = Stage::new(h, "samples_keep_every_bit");
    let mut writer = stage.writer(1).await;
    let bits = [
        0x7ff8_0000_0000_0000,
        0x7ff0_0000_0000_0001,
        0xfff8_dead_beef_0001,
        0xffff_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0x8000_0000_0000_0000,
        0,
        1,
        0x800f_ffff_ffff_ffff,
        0x7fef_ffff_ffff_ffff,
    ];
    let values = bits.map(f64::from_bits);
    let block = SampleBlock { channel: 0, first: 0, values: values.into() };
    writer.apply(BatchBody { blocks: vec![block], ..BatchBody::default() }).await;
    let read = window(&stage, &writer, 0, 0..99).await;
    assert_eq!(read.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), bits);
    assert_eq!(read.gaps, [], "a NaN that was measured is no gap");
}

/// Every window gives its samples, wherever blocks meet, and is clipped to what is there.
pub async fn windows_are_clipped(h: &dyn HotHarness) {
    let stage = Stage::new(h, "windows_are_clipped");
    let mut writer = stage.writer(2).await;
    writer.apply(samples_body(writer.run, [(1, 0..3)])).await;
    writer.apply(samples_body(writer.run, [(1, 3..4)])).await;
    writer.apply(samples_body(writer.run, [(1, 4..7), (1, 7..10)])).await;
    for start in 0..12 {
        for end in 0..13 {
            let from = start.min(10);
            let wanted = expected(writer.run, 1, from..end.clamp(from, 10));
            assert_eq!(window(&stage, &writer, 1, start..end).await, wanted, "{start}..{end}");
        }
    }
    assert_eq!(window(&stage, &writer, 1, 8..u64::MAX).await, expected(writer.run, 1, 8..10));
    assert_eq!(window(&stage, &writer, 1, u64::MAX - 1..u64::MAX).await, Series::starting_at(10));
}

/// A channel without samples is empty from 0, whether or not others have some.
pub async fn channels_without_samples_are_empty(h: &dyn HotHarness) {
    let stage = Stage::new(h, "channels_without_samples_are_empty");
    let mut writer = stage.writer(3).await;
    assert_eq!(window(&stage, &writer, 0, 0..9).await, Series::starting_at(0));
    writer.apply(samples_body(writer.run, [(1, 0..5)])).await;
    for channel in [0, 2, 3, u32::MAX] {
        assert_eq!(window(&stage, &writer, channel, 2..9).await, Series::starting_at(0), "channel {channel}");
    }
}

/// Channels go on independently of each other.
pub async fn channels_have_their_own_pace(h: &dyn HotHarness) {
    let stage = Stage::new(h, "channels_have_their_own_pace");
    let mut writer = stage.writer(3).await;
    writer.apply(samples_body(writer.run, [(2, 0..100), (0, 0..10)])).await;
    writer.apply(samples_body(writer.run, [(1, 0..1), (2, 100..101)])).await;
    writer.apply(samples_body(writer.run, [(0, 10..500)])).await;
    for (channel, end) in [(0, 500), (1, 1), (2, 101)] {
        assert_eq!(window(&stage, &writer, channel, 0..999).await, expected(writer.run, channel, 0..end));
        assert_eq!(stage.get(writer.run).await.next.sample(channel), end);
    }
}

/// An index that nothing covers is a gap that the device left; a gap that the
/// worker knows keeps its cause.
pub async fn jumps_and_gaps_keep_their_cause(h: &dyn HotHarness) {
    let stage = Stage::new(h, "jumps_and_gaps_keep_their_cause");
    let mut writer = stage.writer(1).await;
    let run = writer.run;
    // 0..10 samples, 10..15 jumped over, 15..20 samples, 20..25 jumped over, 25..30 known, 30..35 samples.
    writer.apply(samples_body(run, [(0, 0..10)])).await;
    writer.apply(samples_body(run, [(0, 15..20)])).await;
    writer.apply(gap_in(samples_body(run, [(0, 30..35)]), 0, 25..30, GapCause::Overflow)).await;
    let gaps =
        [Gap::new(10..15, GapCause::Device), Gap::new(20..25, GapCause::Device), Gap::new(25..30, GapCause::Overflow)];
    let whole = window(&stage, &writer, 0, 0..99).await;
    assert_eq!((whole.first, whole.end, &whole.gaps[..]), (0, 35, &gaps[..]));
    for index in 0..35 {
        let missing = gaps.iter().any(|gap| (gap.first..gap.end).contains(&index));
        assert_eq!(whole.get(index), (!missing).then(|| sample_value(run, 0, index)), "index {index}");
    }
    for start in 0..36 {
        for end in start..36 {
            assert_eq!(window(&stage, &writer, 0, start..end).await, whole.slice(start..end), "{start}..{end}");
        }
    }
}

/// Gaps that touch and are alike are one, however they were cut; others stay apart.
pub async fn gaps_alike_become_one(h: &dyn HotHarness) {
    let stage = Stage::new(h, "gaps_alike_become_one");
    let mut writer = stage.writer(1).await;
    for (range, cause) in [
        (0..5, GapCause::Device),
        (5..9, GapCause::Device),
        (9..12, GapCause::Overflow),
        (12..20, GapCause::Other("meteor".to_owned())),
        (20..21, GapCause::Other("meteor".to_owned())),
    ] {
        writer.apply(gap_in(BatchBody::default(), 0, range, cause)).await;
    }
    let mut guess = BatchBody::default();
    let known = |range| Gap::new(range, GapCause::Device);
    guess.gaps.push(GapMark { channel: 0, gap: known(21..22) });
    guess.gaps.push(GapMark { channel: 0, gap: known(22..30).inferred() });
    writer.apply(guess).await;
    // A jump from here on is a gap of the same kind as `device`, but not a conclusion.
    writer.apply(samples_body(writer.run, [(0, 40..41)])).await;
    let read = window(&stage, &writer, 0, 0..99).await;
    let gaps = [
        known(0..9),
        Gap::new(9..12, GapCause::Overflow),
        Gap::new(12..21, GapCause::Other("meteor".to_owned())),
        known(21..22),
        known(22..30).inferred(),
        known(30..40),
    ];
    assert_eq!(read.gaps, gaps);
    assert_eq!(window(&stage, &writer, 0, 7..10).await.gaps, [known(7..9), Gap::new(9..10, GapCause::Overflow)]);
    assert_eq!(window(&stage, &writer, 0, 13..14).await.values.len(), 0);
}

/// A gap at the end of a run is part of it.
pub async fn a_run_may_end_in_a_gap(h: &dyn HotHarness) {
    let stage = Stage::new(h, "a_run_may_end_in_a_gap");
    let mut writer = stage.writer(1).await;
    writer.apply(gap_in(samples_body(writer.run, [(0, 0..10)]), 0, 10..1_000, GapCause::Overflow)).await;
    let read = window(&stage, &writer, 0, 5..5_000).await;
    assert_eq!((read.first, read.end, read.values.len()), (5, 1_000, 5));
    assert_eq!(read.gaps, [Gap::new(10..1_000, GapCause::Overflow)]);
    assert_eq!(stage.get(writer.run).await.next.sample(0), 1_000);
}

/// Windows in a long channel give exactly their samples.
pub async fn windows_of_a_long_channel(h: &dyn HotHarness) {
    const BLOCK: u64 = 20_000;
    let stage = Stage::new(h, "windows_of_a_long_channel");
    let mut writer = stage.writer(1).await;
    for n in 0..10 {
        writer.apply(samples_body(writer.run, [(0, n * BLOCK..(n + 1) * BLOCK)])).await;
    }
    for range in [0..1, 19_999..20_001, 65_535..65_537, 131_071..131_073, 39_000..61_000, 199_999..200_000, 0..200_000]
    {
        assert_eq!(window(&stage, &writer, 0, range.clone()).await, expected(writer.run, 0, range));
    }
}
