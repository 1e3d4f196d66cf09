//! A channel as a plain list, and what every read of it must answer.

use std::ops::Range;

use lucihub_models_core::{Bucket, Envelope, Gap, GapCause, Series};
use lucihub_testkit::Dice;

/// One entry per index: a sample, or why there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Naive(Vec<Result<f64, GapCause>>);

/// A stretch of a channel.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    /// Samples from a seed, or the cause of a gap.
    pub(crate) content: Result<u64, GapCause>,
    pub(crate) length: u64,
}

impl Stretch {
    pub(crate) fn values(&self) -> Option<Vec<f64>> {
        let dice = Dice::new(*self.content.as_ref().ok()?);
        Some((0..self.length).map(|_| awkward(&dice)).collect())
    }
}

/// Any bit pattern may be a sample; those that trip comparisons come often.
fn awkward(dice: &Dice) -> f64 {
    match dice.below(8) {
        0 => f64::from_bits(0x7ff8_0000_0000_0000 | dice.below(1 << 20)),
        1 => -0.0,
        2 => 0.0,
        3 => [f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, -1.25][usize::try_from(dice.below(4)).unwrap()],
        _ => dice.below(1 << 14) as f64 / 8_192.0 - 1.0,
    }
}

impl Naive {
    pub(crate) fn of(stretches: &[Stretch]) -> Self {
        let mut all = Vec::new();
        for stretch in stretches {
            match (stretch.values(), &stretch.content) {
                (Some(values), _) => all.extend(values.into_iter().map(Ok)),
                (None, Err(cause)) => all.extend((0..stretch.length).map(|_| Err(cause.clone()))),
                (None, Ok(_)) => unreachable!("samples have values"),
            }
        }
        Self(all)
    }

    pub(crate) fn end(&self) -> u64 {
        self.0.len() as u64
    }

    pub(crate) fn slice(&self, range: &Range<u64>) -> Series {
        let end = range.end.min(self.end());
        let mut series = Series::starting_at(range.start.min(end));
        for index in series.first..end {
            match &self.0[usize::try_from(index).unwrap()] {
                Ok(value) => series.push_values(&[*value]),
                Err(cause) => series.push_gap(Gap::new(index..index + 1, cause.clone())),
            }
        }
        series
    }

    pub(crate) fn envelope(&self, range: &Range<u64>, most: u64) -> Envelope {
        let (start, end) = (range.start.min(self.end()), range.end.min(self.end()));
        let mut width = 1;
        while start < end && end.div_ceil(width) - start / width > most.max(1) {
            width *= 2;
        }
        let first = start / width * width;
        let end = if start < end { (end.div_ceil(width) * width).min(self.end()) } else { first };
        let buckets =
            (first..end).step_by(usize::try_from(width).unwrap()).map(|at| self.bucket(at..end.min(at + width)));
        Envelope { first, end, width, buckets: buckets.collect(), gaps: self.slice(&(first..end)).gaps }
    }

    fn bucket(&self, range: Range<u64>) -> Bucket {
        let there: Vec<f64> = self.slice(&range).values;
        let numbers: Vec<f64> = there.iter().copied().filter(|value| !value.is_nan()).collect();
        let pick = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
        Bucket {
            min: pick(numbers.iter().min_by(|a, b| a.total_cmp(b))),
            max: pick(numbers.iter().max_by(|a, b| a.total_cmp(b))),
            first: pick(numbers.first()),
            last: pick(numbers.last()),
            count: there.len() as u64,
            nan: (there.len() - numbers.len()) as u64,
        }
    }
}
