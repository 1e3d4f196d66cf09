//! Traces: a channel over time, from its envelope.

use std::ops::Range;

use lucihub_models_core::{Envelope, Gap};

use super::axis::drawable;

/// What is drawn of a channel without lifting the pen.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Piece {
    /// Where each bucket reaches; empty where every sample is in the line.
    pub(super) slabs: Vec<Slab>,
    /// Through the first and the last sample of each bucket.
    pub(super) line: Vec<(f64, f64)>,
}

/// All that lies in one bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slab {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The pieces of an envelope inside a window; `x` says where an index is drawn.
///
/// A gap ends a piece where it begins, though it be in the midst of a bucket: the
/// bucket then stands on both sides of it, with its whole height, since nothing
/// says on which side its extremes are. A bucket of NaN alone ends a piece too.
pub(super) fn pieces(envelope: &Envelope, window: &Range<u64>, x: impl Fn(u64) -> f64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = Piece::default();
    let mut reached = None;
    let mut gaps = envelope.gaps.as_slice();
    let mut at = envelope.first;
    for bucket in &envelope.buckets {
        let extent = at.max(window.start)..(at + envelope.width).min(window.end).min(envelope.end);
        at += envelope.width;
        while gaps.first().is_some_and(|gap| gap.end <= extent.start) {
            gaps = &gaps[1..];
        }
        if bucket.min.is_nan() {
            reached = None;
            continue;
        }
        let (left, right) = outermost(&extent, gaps);
        let cut = right.is_some();
        let parts = left.map(|part| (part, true, !cut)).into_iter().chain(right.map(|part| (part, false, true)));
        for (part, begins, ends) in parts {
            if reached != Some(part.start) {
                pieces.push(std::mem::take(&mut piece));
            }
            if envelope.width > 1 {
                piece.slabs.push(Slab {
                    from: x(part.start),
                    to: x(part.end),
                    low: drawable(bucket.min),
                    high: drawable(bucket.max),
                });
            }
            if begins {
                piece.line.push((x(part.start), drawable(bucket.first)));
            }
            if ends && !(begins && part.end - part.start == 1) {
                piece.line.push((x(part.end - 1), drawable(bucket.last)));
            }
            reached = Some(part.end);
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| *piece != Piece::default());
    pieces
}

/// The first and, if gaps cut it, the last part of a range that has samples.
fn outermost(extent: &Range<u64>, gaps: &[Gap]) -> (Option<Range<u64>>, Option<Range<u64>>) {
    let (mut left, mut right) = (None, None);
    let mut keep = |part: Range<u64>| {
        if part.start < part.end {
            if left.is_none() { left = Some(part) } else { right = Some(part) }
        }
    };
    let mut at = extent.start;
    for gap in gaps.iter().take_while(|gap| gap.first < extent.end) {
        keep(at..gap.first);
        at = at.max(gap.end);
    }
    keep(at..extent.end);
    (left, right)
}

/// Where samples are missing inside a window. Gaps with less than a bucket
/// between them become one: they could not be told apart.
pub(crate) fn holes(envelope: &Envelope, window: &Range<u64>) -> Vec<Range<u64>> {
    let mut holes: Vec<Range<u64>> = Vec::new();
    for gap in envelope.gaps.iter().filter_map(|gap| gap.clip(window)) {
        match holes.last_mut() {
            Some(last) if gap.first - last.end < envelope.width => last.end = gap.end,
            _ => holes.push(gap.first..gap.end),
        }
    }
    holes
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small indices")]
#[expect(clippy::single_range_in_vec_init, reason = "lists of gaps, some of one")]
mod tests {
    use lucihub_models_core::{EnvelopeBuilder, GapCause, Series};

    use super::*;

    /// The envelope of a ramp with a spike, some gaps and a width.
    fn envelope(samples: u64, spike: u64, gaps: &[Range<u64>], width: u64) -> Envelope {
        let mut series = Series::starting_at(0);
        let values = |range: Range<u64>| -> Vec<f64> {
            range.map(|n| if n == spike { 9.0 } else { n as f64 / samples as f64 }).collect()
        };
        for gap in gaps {
            series.push_values(&values(series.end..gap.start));
            series.push_gap(Gap::new(gap.clone(), GapCause::Device));
        }
        series.push_values(&values(series.end..samples));
        let mut builder = EnvelopeBuilder::new(0, width);
        builder.series(&series);
        builder.finish()
    }

    fn spans(pieces: &[Piece]) -> Vec<(f64, f64)> {
        pieces.iter().map(|p| (p.slabs[0].from, p.slabs.last().unwrap().to)).collect()
    }

    #[test]
    fn one_sample_in_a_million_is_seen() {
        for spike in [0, 1, 65_535, 500_000, 999_999] {
            let envelope = envelope(1_000_000, spike, &[], 65_536);
            let pieces = pieces(&envelope, &(0..1_000_000), |n| n as f64);
            assert_eq!(spans(&pieces), [(0.0, 1e6)]);
            let tall: Vec<&Slab> = pieces[0].slabs.iter().filter(|slab| slab.high == 9.0).collect();
            assert_eq!(tall.len(), 1, "spike at {spike}");
            assert!(tall[0].from <= spike as f64 && (spike as f64) < tall[0].to);
        }
    }

    #[test]
    fn a_gap_stays_exactly_where_it_is() {
        for (gaps, seen) in [
            // Over whole buckets, inside one, and at the edges of one.
            (vec![200..488], vec![(0.0, 200.0), (488.0, 1000.0)]),
            (vec![130..140], vec![(0.0, 130.0), (140.0, 1000.0)]),
            (vec![128..130], vec![(0.0, 128.0), (130.0, 1000.0)]),
            (vec![190..192], vec![(0.0, 190.0), (192.0, 1000.0)]),
            (vec![0..70], vec![(70.0, 1000.0)]),
            // Two inside one bucket: what is between them counts, but is not placed.
            (vec![130..140, 150..160], vec![(0.0, 130.0), (160.0, 1000.0)]),
        ] {
            let envelope = envelope(1_000, 145, &gaps, 64);
            let pieces = pieces(&envelope, &(0..1_000), |n| n as f64);
            assert_eq!(spans(&pieces), seen, "{gaps:?}");
            assert!(pieces.iter().flat_map(|p| &p.slabs).any(|slab| slab.high == 9.0) || gaps[0].contains(&145));
            for (x, y) in pieces.iter().flat_map(|p| p.line.iter().copied()).filter(|(_, y)| *y < 1.0) {
                assert_eq!(y, x / 1_000.0, "the line is where the samples are");
            }
        }
    }

    #[test]
    fn buckets_join_and_the_window_is_kept() {
        let envelope = envelope(1_000, u64::MAX, &[], 64);
        let pieces = pieces(&envelope, &(100..900), |n| n as f64);
        assert_eq!(spans(&pieces), [(100.0, 900.0)]);
        for pair in pieces[0].slabs.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
        }
        assert!(pieces[0].line.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn single_samples_are_points_of_the_line() {
        let envelope = envelope(10, 4, &[6..8], 1);
        let pieces = pieces(&envelope, &(0..10), |n| n as f64);
        assert_eq!(pieces.iter().map(|p| p.line.len()).collect::<Vec<_>>(), [6, 2]);
        assert_eq!(pieces[0].line[4], (4.0, 9.0));
        assert!(pieces.iter().all(|p| p.slabs.is_empty()));
    }

    #[test]
    fn nan_breaks_and_infinity_is_bounded() {
        let mut series = Series::starting_at(0);
        series.push_values(&[0.5, f64::NAN, f64::INFINITY, 0.25]);
        let mut builder = EnvelopeBuilder::new(0, 1);
        builder.series(&series);
        let pieces = pieces(&builder.finish(), &(0..4), |n| n as f64);
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[1].line, [(2.0, crate::plot::axis::GREATEST), (3.0, 0.25)]);
    }

    #[test]
    fn near_gaps_are_one_hole() {
        let envelope = envelope(1_000, u64::MAX, &[100..110, 150..160, 400..420], 64);
        assert_eq!(holes(&envelope, &(0..1_000)), [100..160, 400..420]);
        assert_eq!(holes(&envelope, &(105..410)), [105..160, 400..410]);
    }
}
