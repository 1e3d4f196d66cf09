//! Envelopes: buckets of samples, so that any plot is one small read.
//!
//! Buckets have a power-of-two width and are aligned to index 0, so buckets read
//! earlier and later, from hot and from cold, join without a seam.

use std::ops::Range;

use crate::latest::{Gap, Series};

/// The width of the buckets that each stored cell carries, in samples.
pub const SUMMARY_WIDTH: u64 = 1_024;

/// What a stretch of samples looks like.
///
/// NaN is counted and otherwise ignored; -0.0 comes before 0.0. Where no number
/// was seen, `min`, `max`, `first` and `last` are NaN.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// The least number.
    pub min: f64,
    /// The greatest number.
    pub max: f64,
    /// The first number.
    pub first: f64,
    /// The last number.
    pub last: f64,
    /// Samples that exist, NaN included.
    pub count: u64,
    /// Samples that are NaN.
    pub nan: u64,
}

impl PartialEq for Bucket {
    /// Bit for bit, any NaN equal to any other.
    fn eq(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        same(self.min, other.min)
            && same(self.max, other.max)
            && same(self.first, other.first)
            && same(self.last, other.last)
            && (self.count, self.nan) == (other.count, other.nan)
    }
}

impl Bucket {
    /// A bucket without samples.
    pub const EMPTY: Self = Self { min: f64::NAN, max: f64::NAN, first: f64::NAN, last: f64::NAN, count: 0, nan: 0 };

    /// The bucket of consecutive samples.
    ///
    /// ```
    /// use lucihub_models_core::Bucket;
    /// let bucket = Bucket::of(&[0.5, f64::NAN, -0.25]);
    /// assert_eq!((bucket.min, bucket.max, bucket.first, bucket.last), (-0.25, 0.5, 0.5, -0.25));
    /// assert_eq!((bucket.count, bucket.nan), (3, 1));
    /// ```
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let (mut min, mut max, mut nan) = (f64::INFINITY, f64::NEG_INFINITY, 0_u64);
        for &value in values {
            // Comparisons with NaN are false: it changes neither bound.
            min = if value < min { value } else { min };
            max = if value > max { value } else { max };
            nan += u64::from(value.is_nan());
        }
        let count = values.len() as u64;
        if nan == count {
            return Self { count, nan, ..Self::EMPTY };
        }
        // `<` does not tell the zeros apart; a bound of zero is rare enough to look again.
        if min == 0.0 {
            min = zero(values.iter().any(|v| v.to_bits() == (-0.0_f64).to_bits()));
        }
        if max == 0.0 {
            max = zero(!values.iter().any(|v| v.to_bits() == 0));
        }
        let number = |v: &&f64| !v.is_nan();
        Self {
            min,
            max,
            first: values.iter().find(number).copied().unwrap_or(f64::NAN),
            last: values.iter().rfind(number).copied().unwrap_or(f64::NAN),
            count,
            nan,
        }
    }

    /// This bucket and the one after it, as one.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let (count, nan) = (self.count + next.count, self.nan + next.nan);
        let parts = match (self.has_numbers(), next.has_numbers()) {
            (_, false) => *self,
            (false, true) => *next,
            (true, true) => Self {
                min: if next.min.total_cmp(&self.min).is_lt() { next.min } else { self.min },
                max: if next.max.total_cmp(&self.max).is_gt() { next.max } else { self.max },
                first: self.first,
                last: next.last,
                ..Self::EMPTY
            },
        };
        Self { count, nan, ..parts }
    }

    /// Consecutive buckets as one: what [`then`](Self::then) makes of them one by
    /// one, without a bucket written for each.
    fn all(parts: &[Self]) -> Self {
        let (mut min, mut max, mut count, mut nan) = (i64::MAX, i64::MIN, 0, 0);
        for part in parts {
            if part.has_numbers() {
                min = min.min(order(part.min));
                max = max.max(order(part.max));
            }
            count += part.count;
            nan += part.nan;
        }
        let mut numbers = parts.iter().filter(|part| part.has_numbers());
        let Some(first) = numbers.next() else { return Self { count, nan, ..Self::EMPTY } };
        let last = numbers.next_back().unwrap_or(first);
        Self { min: ordered(min), max: ordered(max), first: first.first, last: last.last, count, nan }
    }

    const fn has_numbers(&self) -> bool {
        self.count > self.nan
    }
}

/// A number that stands where [`f64::total_cmp`] puts the value. Comparing whole
/// numbers is an instruction; a plot does it two hundred thousand times.
const fn order(value: f64) -> i64 {
    flip(value.to_bits().cast_signed())
}

/// The value of an [`order`].
const fn ordered(order: i64) -> f64 {
    f64::from_bits(flip(order).cast_unsigned())
}

/// Turns the order of negative values round, and back.
const fn flip(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

const fn zero(negative: bool) -> f64 {
    if negative { -0.0 } else { 0.0 }
}

/// The buckets of one channel over a range of indices.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The first index: a multiple of the width.
    pub first: u64,
    /// The index after the last sample covered.
    pub end: u64,
    /// Samples per bucket: a power of two.
    pub width: u64,
    /// The buckets; bucket `n` covers `[first + n * width, first + (n + 1) * width)`.
    pub buckets: Vec<Bucket>,
    /// Where samples are missing.
    pub gaps: Vec<Gap>,
}

impl Envelope {
    /// The least width with which at most `most` aligned buckets cover a range.
    ///
    /// ```
    /// use lucihub_models_core::Envelope;
    /// assert_eq!(Envelope::width_for(&(0..1_000), 1_000), 1);
    /// assert_eq!(Envelope::width_for(&(0..100_000_000), 2_000), 65_536);
    /// ```
    #[must_use]
    pub fn width_for(range: &Range<u64>, most: usize) -> u64 {
        let most = (most as u64).max(1);
        let mut width = 1_u64;
        while Self::buckets_over(range, width) > most && width < 1 << 62 {
            width *= 2;
        }
        width
    }

    /// Adds the envelope that begins where this one ends, of the same width. The
    /// bucket at the seam may have a part in each: it becomes one.
    ///
    /// ```
    /// use lucihub_models_core::{EnvelopeBuilder, Series};
    /// let part = |first: u64, values: &[f64]| {
    ///     let mut series = Series::starting_at(first);
    ///     series.push_values(values);
    ///     let mut builder = EnvelopeBuilder::new(first / 4 * 4, 4);
    ///     builder.series(&series);
    ///     builder.finish()
    /// };
    /// let mut joined = part(0, &[0.1, 0.2, 0.3, 0.4, 0.5]);
    /// joined.join(&part(5, &[0.6, 0.7]));
    /// assert_eq!(joined, part(0, &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]));
    /// ```
    pub fn join(&mut self, next: &Self) {
        debug_assert_eq!(self.width, next.width);
        let mut builder = EnvelopeBuilder { envelope: std::mem::replace(self, next.clone()) };
        builder.buckets(next.first, next.width, &next.buckets);
        builder.gaps(&next.gaps);
        builder.reach(next.end);
        *self = builder.finish();
    }

    /// The same in wider buckets: a power-of-two multiple of this width.
    #[must_use]
    pub fn coarser(&self, width: u64) -> Self {
        debug_assert!(width.is_power_of_two() && width >= self.width);
        let mut builder = EnvelopeBuilder::new(self.first / width * width, width);
        builder.buckets(self.first, self.width, &self.buckets);
        builder.gaps(&self.gaps);
        builder.reach(self.end);
        builder.finish()
    }

    fn buckets_over(range: &Range<u64>, width: u64) -> u64 {
        if range.start >= range.end { 0 } else { range.end.div_ceil(width) - range.start / width }
    }

    /// A range widened to the edges of its buckets.
    #[must_use]
    pub fn aligned(range: &Range<u64>, width: u64) -> Range<u64> {
        if range.start >= range.end {
            let at = range.start / width * width;
            return at..at;
        }
        range.start / width * width..range.end.div_ceil(width).saturating_mul(width)
    }
}

/// Collects an envelope from samples and from buckets, in order of index.
#[derive(Debug, Clone)]
pub struct EnvelopeBuilder {
    envelope: Envelope,
}

impl EnvelopeBuilder {
    /// Begins an envelope of buckets of `width` at the aligned index `first`. A
    /// width that is no power of two becomes the next one.
    #[must_use]
    pub const fn new(first: u64, width: u64) -> Self {
        let width = width.next_power_of_two();
        Self { envelope: Envelope { first, end: first, width, buckets: Vec::new(), gaps: Vec::new() } }
    }

    /// Adds the samples of a series.
    pub fn series(&mut self, series: &Series) {
        for (start, values) in series.segments() {
            let (mut at, mut rest) = (start, values);
            while !rest.is_empty() {
                let width = self.envelope.width;
                let room = usize::try_from(width - at % width).unwrap_or(usize::MAX);
                let (part, tail) = rest.split_at(room.min(rest.len()));
                self.bucket(at, &Bucket::of(part));
                at += part.len() as u64;
                rest = tail;
            }
        }
        self.gaps(&series.gaps);
        self.reach(series.end);
    }

    /// Adds a finer bucket that begins at an index.
    pub fn bucket(&mut self, at: u64, bucket: &Bucket) {
        if bucket.count == 0 {
            return;
        }
        // The width is a power of two.
        let place = (at - self.envelope.first) >> self.envelope.width.trailing_zeros();
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        if self.envelope.buckets.len() <= place {
            self.envelope.buckets.resize(place + 1, Bucket::EMPTY);
        }
        let slot = &mut self.envelope.buckets[place];
        *slot = slot.then(bucket);
    }

    /// Adds consecutive finer buckets of one width, the first of which begins at
    /// an index.
    ///
    /// ```
    /// use lucihub_models_core::{Bucket, EnvelopeBuilder};
    /// let mut builder = EnvelopeBuilder::new(0, 4);
    /// builder.buckets(2, 2, &[Bucket::of(&[0.5, 0.25]), Bucket::of(&[1.0, 2.0]), Bucket::of(&[-1.0])]);
    /// builder.reach(7);
    /// assert_eq!(builder.finish().buckets, [Bucket::of(&[0.5, 0.25]), Bucket::of(&[1.0, 2.0, -1.0])]);
    /// ```
    pub fn buckets(&mut self, first: u64, width: u64, buckets: &[Bucket]) {
        let (mut at, mut rest) = (first, buckets);
        while !rest.is_empty() {
            // All that lie in one of ours become one before that one is touched.
            let room = self.envelope.width - at % self.envelope.width;
            let within = usize::try_from(room.div_ceil(width)).unwrap_or(usize::MAX);
            let (part, tail) = rest.split_at(within.min(rest.len()));
            self.bucket(at, &Bucket::all(part));
            at += part.len() as u64 * width;
            rest = tail;
        }
    }

    /// Adds gaps.
    pub fn gaps(&mut self, gaps: &[Gap]) {
        for gap in gaps {
            Gap::push(&mut self.envelope.gaps, gap.clone());
        }
    }

    /// Says that the range up to `end` is covered.
    pub fn reach(&mut self, end: u64) {
        self.envelope.end = self.envelope.end.max(end);
    }

    /// The envelope, with one bucket for every stretch up to its end.
    #[must_use]
    pub fn finish(mut self) -> Envelope {
        let e = &mut self.envelope;
        let wanted = usize::try_from((e.end - e.first).div_ceil(e.width)).unwrap_or(usize::MAX);
        e.buckets.resize(wanted, Bucket::EMPTY);
        self.envelope
    }
}
