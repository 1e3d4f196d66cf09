//! Phase portraits: one channel over another, from both envelopes.
//!
//! The first sample of a bucket is a sample at a known index, so the envelopes of
//! a long run hold every n-th sample of it, n a power of two: the same ones each
//! time, and no cell need be decoded.

use std::ops::Range;

use lucihub_models_core::{Envelope, Gap};

use super::axis::{Axis, drawable};
use super::trace::Piece;

/// The most points of a portrait.
pub(super) const MOST: usize = 20_000;

/// A portrait.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Portrait {
    /// The points, cut where samples are missing between two of them.
    pub(super) pieces: Vec<Piece>,
    /// Every how many samples there is a point.
    pub(super) every: u64,
    /// Whether lines between the points would be an invention: so much happens
    /// from one to the next.
    pub(super) scattered: bool,
}

/// The portrait of two envelopes of one window.
pub(super) fn portrait(x: &Envelope, y: &Envelope, window: &Range<u64>) -> Portrait {
    let every = x.width;
    let mut pieces = Vec::new();
    let mut piece = Piece::default();
    let mut gaps = [x.gaps.as_slice(), y.gaps.as_slice()];
    let mut at = x.first;
    for (a, b) in x.buckets.iter().zip(&y.buckets) {
        let index = at;
        at += every;
        // A bucket's first number is the sample at its edge only if none is missing there.
        let missing = gaps.iter_mut().any(|gaps| cut(gaps, index));
        if missing || a.nan + b.nan > 0 || a.count == 0 || b.count == 0 {
            pieces.push(std::mem::take(&mut piece));
            continue;
        }
        if window.contains(&index) {
            piece.line.push((drawable(a.first), drawable(b.first)));
        }
        if gaps.iter().any(|gaps| gaps.first().is_some_and(|gap| gap.first < at)) {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.line.is_empty());
    let scattered = every > 1 && !smooth(&pieces);
    Portrait { pieces, every, scattered }
}

/// Whether an index lies in a gap; drops the gaps before it.
fn cut(gaps: &mut &[Gap], index: u64) -> bool {
    while gaps.first().is_some_and(|gap| gap.end <= index) {
        *gaps = &gaps[1..];
    }
    gaps.first().is_some_and(|gap| gap.first <= index)
}

/// Whether the typical step is small beside the whole.
fn smooth(pieces: &[Piece]) -> bool {
    const SMALL: f64 = 0.05;
    let points = || pieces.iter().flat_map(|piece| &piece.line);
    let width = Axis::around("", points().map(|p| p.0));
    let height = Axis::around("", points().map(|p| p.1));
    let (width, height) = (width.high - width.low, height.high - height.low);
    let mut steps: Vec<f64> = pieces
        .iter()
        .flat_map(|piece| piece.line.windows(2))
        .map(|pair| ((pair[1].0 - pair[0].0) / width).abs().max(((pair[1].1 - pair[0].1) / height).abs()))
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).is_some_and(|step| *step <= SMALL)
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small indices")]
mod tests {
    use lucihub_models_core::{EnvelopeBuilder, GapCause, Series};

    use super::*;

    fn envelope(samples: u64, width: u64, gap: Option<Range<u64>>, value: impl Fn(u64) -> f64) -> Envelope {
        let mut series = Series::starting_at(0);
        let gap = gap.unwrap_or(samples..samples);
        series.push_values(&(0..gap.start).map(&value).collect::<Vec<_>>());
        series.push_gap(Gap::new(gap.clone(), GapCause::Store));
        series.push_values(&(gap.end..samples).map(&value).collect::<Vec<_>>());
        let mut builder = EnvelopeBuilder::new(0, width);
        builder.series(&series);
        builder.finish()
    }

    fn ends(portrait: &Portrait) -> Vec<(f64, f64)> {
        portrait.pieces.iter().map(|p| (p.line[0].0, p.line[p.line.len() - 1].0)).collect()
    }

    #[test]
    fn every_point_is_a_pair_taken_at_one_index() {
        for width in [1, 4, 16] {
            let x = envelope(1_000, width, None, |n| n as f64);
            let y = envelope(1_000, width, None, |n| 2.0 * n as f64);
            let drawn = portrait(&x, &y, &(100..900));
            assert_eq!(drawn.every, width);
            assert!(!drawn.scattered, "a straight line");
            for (a, b) in &drawn.pieces[0].line {
                assert!(*b == 2.0 * a && (100.0..900.0).contains(a) && a % width as f64 == 0.0);
            }
        }
    }

    #[test]
    fn a_gap_on_either_channel_breaks_the_line() {
        for width in [1_u64, 8] {
            // At an edge, within a bucket, over edges; on one channel or the other.
            for gap in [16..17, 18..20, 13..27] {
                let whole = envelope(64, width, None, |n| n as f64);
                let torn = envelope(64, width, Some(gap.clone()), |n| n as f64);
                let edge = |n: u64| n as f64;
                let before = (gap.start - 1) / width * width;
                let after = gap.end.div_ceil(width) * width;
                let wanted = vec![(0.0, edge(before)), (edge(after), edge(63 / width * width))];
                assert_eq!(ends(&portrait(&whole, &torn, &(0..64))), wanted, "{width} {gap:?}");
                assert_eq!(ends(&portrait(&torn, &whole, &(0..64))), wanted, "{width} {gap:?}");
            }
        }
    }

    #[test]
    fn fast_signals_thinned_are_points_and_not_lines() {
        let fast = |n: u64| (n as f64 * 1.3).sin();
        let slow = |n: u64| (n as f64 / 2_000.0).sin();
        let drawn = |width, value: fn(u64) -> f64| {
            portrait(&envelope(9_000, width, None, value), &envelope(9_000, width, None, value), &(0..9_000)).scattered
        };
        assert!(drawn(8, fast) && !drawn(8, slow) && !drawn(1, fast));
    }

    #[test]
    fn where_a_number_is_missing_there_is_no_point() {
        let x = envelope(8, 1, None, |n| n as f64);
        let y = envelope(8, 1, None, |n| if n == 3 { f64::NAN } else { 1.0 });
        assert_eq!(ends(&portrait(&x, &y, &(0..8))), [(0.0, 2.0), (4.0, 7.0)]);
    }
}
