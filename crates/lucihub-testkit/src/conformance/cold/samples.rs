//! Sample cells: bit for bit, with their gaps and summaries.

use std::ops::Range;

use lucihub_models_core::{Bucket, CellSummary, Gap, GapCause, Grid, RunId, SUMMARY_WIDTH, SampleCell, Series};

use super::Store;
use super::given::{cells, checkpoint, create, gap, head, id, samples, value};

/// A run with cells of a size that takes these cells and nothing else.
async fn with_cells(store: &Store, size: u32, all: &[SampleCell]) -> RunId {
    let mut queued = head(1);
    queued.grid = Grid { samples: size, lines: 4 };
    create(&**store, &queued).await;
    checkpoint(&**store, queued.id, &cells([], all)).await;
    queued.id
}

/// A cell of 1,024 from stretches of samples and gaps.
fn cell(channel: u32, cell: u64, parts: impl FnOnce(&mut Series)) -> SampleCell {
    let mut series = Series::starting_at(cell * 1_024);
    parts(&mut series);
    assert!(series.is_consistent(), "{series:?}");
    SampleCell { channel, cell, series }
}

/// The samples of a range in a series.
fn push(series: &mut Series, channel: u32, range: Range<u64>) {
    series.push_values(&range.map(|index| value(channel, index)).collect::<Vec<_>>());
}

/// The summary of a cell, index by index.
fn naive(cell: &SampleCell) -> CellSummary {
    let Series { first, end, ref gaps, .. } = cell.series;
    let bucket = |start: u64| {
        let indices = start..end.min(start + SUMMARY_WIDTH);
        Bucket::of(&indices.filter_map(|index| cell.series.get(index)).collect::<Vec<_>>())
    };
    let starts = (first..end).step_by(usize::try_from(SUMMARY_WIDTH).unwrap());
    CellSummary {
        channel: cell.channel,
        cell: cell.cell,
        first,
        end,
        gaps: gaps.clone(),
        buckets: starts.map(bucket).collect(),
    }
}

/// NaN with its payload, infinities, both zeros, subnormals, and the extremes
/// come back bit for bit, alone and among ordinary samples.
pub async fn every_bit_of_a_sample_survives(store: Store) {
    let special = [
        0x7ff8_0000_0000_0000, // the usual NaN
        0x7ff8_0000_0000_0001,
        0xfff8_dead_beef_cafe,
        0x7ff0_0000_0000_0001, // a signalling NaN
        0xffff_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000, // the infinities
        0xfff0_0000_0000_0000,
        0x8000_0000_0000_0000, // -0.0
        0x0000_0000_0000_0000,
        0x0000_0000_0000_0001, // subnormals
        0x800f_ffff_ffff_ffff,
        0x0010_0000_0000_0000, // the least and the greatest normal number
        0x7fef_ffff_ffff_ffff,
        0xffef_ffff_ffff_ffff,
        0x3fb9_9999_9999_999a, // 0.1
    ]
    .map(f64::from_bits);
    let all = [
        cell(0, 0, |s| s.push_values(&special)),
        cell(1, 0, |s| {
            push(s, 1, 0..500);
            s.push_values(&special);
            push(s, 1, 515..1_024);
        }),
        cell(2, 0, |s| s.push_values(&[special[2]; 1_024])),
        cell(3, 0, |s| s.push_values(&special[7..8])),
        cell(4, 0, |s| s.push_values(&[-0.0, 0.0].repeat(512))),
        cell(5, 0, |s| s.push_values(&[f64::INFINITY; 3])),
    ];
    let run = with_cells(&store, 1_024, &all).await;
    for cell in &all {
        // `Series` compares bits.
        let stored = store.sample_cells(run, cell.channel, 0..1).await.unwrap();
        assert_eq!(stored, std::slice::from_ref(cell));
        assert_eq!(stored[0].hash(), cell.hash());
        assert_eq!(store.summaries(run, cell.channel, 0..1).await.unwrap(), [naive(cell)]);
    }
}

/// Gaps at the edges of cells, cells that are only gap, neighbours of different
/// cause, and inferred lengths come back as they are.
pub async fn gaps_stay_gaps(store: Store) {
    let all = [
        // Begins and ends with a gap.
        cell(0, 0, |s| {
            s.push_gap(gap(0..10));
            push(s, 0, 10..1_000);
            s.push_gap(gap(1_000..1_024));
        }),
        // Only gap, full and partial.
        cell(0, 1, |s| s.push_gap(gap(1_024..2_048))),
        cell(0, 2, |s| s.push_gap(gap(2_048..2_050))),
        // Neighbouring gaps that differ in cause or certainty.
        cell(1, 0, |s| {
            push(s, 1, 0..1);
            s.push_gap(gap(1..2));
            s.push_gap(Gap::new(2..3, GapCause::Overflow));
            s.push_gap(Gap::new(3..4, GapCause::Overflow).inferred());
            s.push_gap(Gap::new(4..5, GapCause::Store));
            s.push_gap(Gap::new(5..6, GapCause::Other("a word\nof \u{0} a newer component".into())));
            push(s, 1, 6..7);
        }),
        // As many gaps as a cell can have.
        cell(2, 0, |s| {
            for index in (0..1_024).step_by(2) {
                push(s, 2, index..index + 1);
                s.push_gap(gap(index + 1..index + 2));
            }
        }),
        // A NaN beside a gap is not part of it.
        cell(3, 0, |s| {
            s.push_values(&[f64::NAN]);
            s.push_gap(gap(1..2));
            s.push_values(&[f64::NAN]);
        }),
    ];
    let run = with_cells(&store, 1_024, &all).await;
    for channel in 0..4 {
        let of_channel: Vec<_> = all.iter().filter(|cell| cell.channel == channel).cloned().collect();
        assert_eq!(store.sample_cells(run, channel, 0..9).await.unwrap(), of_channel);
        let summaries: Vec<_> = of_channel.iter().map(naive).collect();
        assert_eq!(store.summaries(run, channel, 0..9).await.unwrap(), summaries);
    }
}

/// Cells come back full and partly filled, ascending, in any range; cells that
/// are not there are left out.
pub async fn ranges_of_cells_read_exactly(store: Store) {
    let last = (1_u64 << 40) / 1_024 - 1;
    let all = [
        samples(0, 3_072..4_096),
        samples(0, 0..1_024),
        samples(0, 1_024..1_025),
        samples(0, last * 1_024..last * 1_024 + 5),
    ];
    let run = with_cells(&store, 1_024, &all).await;
    for (range, expected) in [
        (0..0, &[][..]),
        (1..1, &[]),
        (2..3, &[]),
        (4..last, &[]),
        (last + 1..last + 9, &[]),
        (0..1, &[1]),
        (0..2, &[1, 2]),
        (1..4, &[2, 0]),
        (3..4, &[0]),
        (last..last + 1, &[3]),
        (0..1 << 40, &[1, 2, 0, 3]),
    ] {
        let expected: Vec<SampleCell> = expected.iter().map(|&n: &usize| all[n].clone()).collect();
        assert_eq!(store.sample_cells(run, 0, range.clone()).await.unwrap(), expected, "{range:?}");
        let summaries: Vec<_> = expected.iter().map(naive).collect();
        assert_eq!(store.summaries(run, 0, range.clone()).await.unwrap(), summaries, "{range:?}");
    }
    assert_eq!(store.sample_cells(run, 1, 0..9).await.unwrap(), [], "another channel");
    assert_eq!(store.sample_cells(id(2), 0, 0..9).await.unwrap(), [], "an absent run");
    assert_eq!(store.summaries(id(2), 0, 0..9).await.unwrap(), []);
}

/// Cells that follow each other come as one series, from the first cell that was asked for: gaps that meet become one, and
/// what does not follow is left out.
pub async fn cells_join_into_one_series(store: Store) {
    let all = [
        samples(0, 0..1_024),
        samples(0, 1_024..1_500),
        samples(0, 2_048..2_100),
        cell(1, 0, |s| {
            push(s, 1, 0..1_000);
            s.push_gap(gap(1_000..1_024));
        }),
        cell(1, 1, |s| {
            s.push_gap(gap(1_024..1_100));
            s.push_gap(Gap::new(1_100..1_101, GapCause::Overflow));
            s.push_values(&[f64::NAN, -0.0]);
        }),
        cell(2, 0, |s| s.push_gap(gap(0..1_024))),
    ];
    let run = with_cells(&store, 1_024, &all).await;
    for (cells, expected) in [
        (0..1, Some(0..1_024)),
        (0..2, Some(0..1_500)),
        (0..9, Some(0..1_500)),
        (1..9, Some(1_024..1_500)),
        (2..3, Some(2_048..2_100)),
        (3..9, None),
        (1..1, None),
    ] {
        let expected = expected.map(|range| {
            let mut series = Series::starting_at(range.start);
            push(&mut series, 0, range);
            series
        });
        assert_eq!(store.series(run, 0, cells.clone()).await.unwrap(), expected, "{cells:?}");
    }
    let mut meeting = Series::starting_at(0);
    push(&mut meeting, 1, 0..1_000);
    meeting.push_gap(gap(1_000..1_100));
    meeting.push_gap(Gap::new(1_100..1_101, GapCause::Overflow));
    meeting.push_values(&[f64::NAN, -0.0]);
    assert_eq!(store.series(run, 1, 0..2).await.unwrap(), Some(meeting));
    assert_eq!(store.series(run, 2, 0..2).await.unwrap(), Some(all[5].series.clone()));
    assert_eq!(store.series(run, 3, 0..9).await.unwrap(), None, "another channel");
    assert_eq!(store.series(id(2), 0, 0..9).await.unwrap(), None, "an absent run");
}

/// Channels are kept apart, up to the last one, and so are runs.
pub async fn channels_are_kept_apart(store: Store) {
    let channels = [0, 1, 2, 255, 256, 4_095];
    let all = channels.map(|channel| samples(channel, 0..40 + u64::from(channel) / 8));
    let run = with_cells(&store, 1_024, &all).await;
    let other = head(2);
    create(&*store, &other).await;
    checkpoint(&*store, other.id, &cells([], [samples(1, 0..3)])).await;
    for (channel, cell) in channels.into_iter().zip(&all) {
        assert_eq!(store.sample_cells(run, channel, 0..2).await.unwrap(), std::slice::from_ref(cell));
        assert_eq!(store.summaries(run, channel, 0..2).await.unwrap(), [naive(cell)]);
    }
    assert_eq!(store.sample_cells(run, 3, 0..2).await.unwrap(), []);
    assert_eq!(store.sample_cells(other.id, 1, 0..2).await.unwrap(), [samples(1, 0..3)]);
    let at = store.get(run).await.unwrap().unwrap().positions;
    assert_eq!((at.sample(4_095), at.sample(3), at.sample(256)), (40 + 511, 0, 72));
}

/// Cells of the default size: full, with a hole, quantised like an ADC, and not
/// compressible at all; their summaries have a bucket per 1,024 indices.
pub async fn large_cells_come_back_whole(store: Store) {
    const SIZE: u64 = 65_536;
    let quantised = |index: u64| ((value(9, index / 50) * 6_553.6).round() / 6_553.6).min(1.25);
    let mut all = Vec::new();
    for channel in 0..3 {
        let mut series = Series::starting_at(SIZE);
        let range = |range: Range<u64>| -> Vec<f64> {
            let of_channel = |index: u64| match channel {
                0 => quantised(index),
                // Random bits, so that no codec finds anything; NaN among them.
                1 => f64::from_bits(value(1, index).to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                _ => value(channel, index),
            };
            range.map(of_channel).collect()
        };
        series.push_values(&range(SIZE..SIZE + 20_000));
        if channel == 2 {
            series.push_gap(gap(SIZE + 20_000..SIZE + 29_000));
        } else {
            series.push_values(&range(SIZE + 20_000..SIZE + 29_000));
        }
        series.push_values(&range(SIZE + 29_000..2 * SIZE));
        all.push(SampleCell { channel, cell: 1, series });
    }
    let run = with_cells(&store, 65_536, &all).await;
    for cell in &all {
        assert_eq!(store.sample_cells(run, cell.channel, 0..3).await.unwrap(), std::slice::from_ref(cell));
        let summaries = store.summaries(run, cell.channel, 0..3).await.unwrap();
        assert_eq!(summaries, [naive(cell)]);
        assert_eq!(summaries[0].buckets.len(), 64);
    }
}
