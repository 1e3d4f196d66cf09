//! The time base that a column of times was made of.

use lucihub_models_core::TimeBase;

/// When a sample was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) index: u64,
    /// Seconds from the start of OP.
    pub(super) seconds: f64,
}

/// An index as a number.
#[expect(clippy::cast_precision_loss, reason = "an index past 2^53 is past every limit")]
pub(super) const fn count(index: u64) -> f64 {
    index as f64
}

/// At a known rate.
pub(super) fn at_rate(rate_hz: f64, first: Point) -> TimeBase {
    // Without it the origin would be a rounded nothing.
    let plain = TimeBase::from_rate(rate_hz);
    if passes(plain, first) {
        return plain;
    }
    TimeBase { rate_hz, origin_s: first.seconds - count(first.index) / rate_hz }
}

/// The simplest that gives these times bit for bit, so that an export of the import has the same; if there is none, the
/// nearest.
pub(super) fn through(first: Point, second: Point, last: Point) -> TimeBase {
    let rate = count(last.index - first.index) / (last.seconds - first.seconds);
    let near = (1..=8).flat_map(|ulps: u64| [rate.to_bits() + ulps, rate.to_bits().saturating_sub(ulps)]);
    // A round rate, or a round step, is more likely than any other that gives the same three times.
    let simple = rounded(rate).zip(rounded(1.0 / rate)).flat_map(|(rate, step)| [rate, 1.0 / step]);
    let rates = simple.chain([rate]).chain(near.map(f64::from_bits));
    for rate_hz in rates {
        let origin = first.seconds - count(first.index) / rate_hz;
        for origin_s in [0.0].into_iter().chain(rounded(origin)).chain([origin]) {
            let base = TimeBase { rate_hz, origin_s };
            if [first, second, last].into_iter().all(|point| passes(base, point)) {
                return base;
            }
        }
    }
    at_rate(rate, first)
}

/// A number with one digit, two, and so on.
fn rounded(number: f64) -> impl Iterator<Item = f64> {
    (0..17).filter_map(move |digits| format!("{number:.digits$e}").parse().ok())
}

fn passes(base: TimeBase, point: Point) -> bool {
    base.seconds(point.index).to_bits() == point.seconds.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_base_is_found_again() {
        let rates = [1.0, 1e4, 5e5, 1e6, 33_333.0, 1.0 / 3e-5, 44_100.0, 12_345.678_9, std::f64::consts::PI * 1e3];
        for rate_hz in rates {
            for (origin_s, begin) in [(0.0, 0), (0.0, 1_234), (-0.002, 0), (0.5, 77), (1.0 / 3.0, 0)] {
                let base = TimeBase { rate_hz, origin_s };
                let point = |index: u64| Point { index, seconds: base.seconds(index) };
                let found = through(point(begin), point(begin + 1), point(begin + 999_999));
                let same = (begin..begin + 1_000_000).filter(|n| !passes(found, point(*n))).count();
                assert_eq!(same, 0, "{base:?} and {found:?}");
            }
        }
    }

    #[test]
    fn times_of_no_time_base_give_the_nearest() {
        let point = |index, seconds| Point { index, seconds };
        let base = through(point(0, 0.0), point(1, 0.000_1), point(10, 0.001_000_1));
        assert!((base.rate_hz - 9_999.0).abs() < 1e-3, "{base:?}");
    }
}
