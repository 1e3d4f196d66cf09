//! Buckets and envelopes against a plain pass over every sample.

use lucihub_models_core::{Bucket, Envelope, EnvelopeBuilder, Series};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::given::{cases, floats, series};

/// The order of numbers with -0.0 before 0.0; NaN never gets here.
fn naive(values: &[f64]) -> Bucket {
    let mut numbers: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let (first, last) = (numbers.first().copied(), numbers.last().copied());
    numbers.sort_by(f64::total_cmp);
    Bucket {
        min: numbers.first().copied().unwrap_or(f64::NAN),
        max: numbers.last().copied().unwrap_or(f64::NAN),
        first: first.unwrap_or(f64::NAN),
        last: last.unwrap_or(f64::NAN),
        count: values.len() as u64,
        nan: (values.len() - numbers.len()) as u64,
    }
}

/// The envelope of a series, sample by sample.
fn plain(series: &Series, width: u64) -> Envelope {
    let first = series.first / width * width;
    let mut buckets = Vec::new();
    let mut at = first;
    while at < series.end {
        let values: Vec<f64> = (at..at + width).filter_map(|index| series.get(index)).collect();
        buckets.push(naive(&values));
        at += width;
    }
    Envelope { first, end: series.end.max(first), width, buckets, gaps: series.gaps.clone() }
}

fn zeros() -> impl Strategy<Value = f64> + Clone {
    prop::sample::select(vec![0.0, -0.0, f64::NAN, 1.0, -1.0])
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_bucket_is_what_a_plain_pass_finds(values in vec(prop_oneof![floats(), zeros()], 0..80)) {
        prop_assert_eq!(Bucket::of(&values), naive(&values));
    }

    #[test]
    fn zeros_are_told_apart(values in vec(zeros(), 0..6)) {
        prop_assert_eq!(Bucket::of(&values), naive(&values));
    }

    #[test]
    fn buckets_together_are_buckets_one_by_one(parts in vec(vec(prop_oneof![floats(), zeros()], 0..5), 0..40), first in 0_u64..40, fine in 0_u32..4, coarser in 0_u32..5) {
        let (width, mut at) = (1 << fine, first << fine);
        let buckets: Vec<Bucket> = parts.iter().map(|values| Bucket::of(values)).collect();
        let new = || EnvelopeBuilder::new(first >> coarser << (fine + coarser), width << coarser);
        let (mut together, mut apart) = (new(), new());
        together.buckets(at, width, &buckets);
        for bucket in &buckets {
            apart.bucket(at, bucket);
            at += width;
        }
        together.reach(at);
        apart.reach(at);
        prop_assert_eq!(together.finish(), apart.finish());
    }

    #[test]
    fn joined_buckets_equal_the_bucket_of_all(values in vec(prop_oneof![floats(), zeros()], 0..60), cut in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let mut edges = [cut.index(values.len() + 1), other.index(values.len() + 1)];
        edges.sort_unstable();
        let [a, b] = edges;
        let [x, y, z] = [&values[..a], &values[a..b], &values[b..]].map(Bucket::of);
        prop_assert_eq!(x.then(&y).then(&z), naive(&values));
        prop_assert_eq!(x.then(&y.then(&z)), naive(&values));
        prop_assert_eq!(Bucket::EMPTY.then(&x), x.then(&Bucket::EMPTY));
    }

    #[test]
    fn an_envelope_is_what_a_plain_pass_finds(series in series(), power in 0_u32..9, cuts in vec(any::<prop::sample::Index>(), 0..5)) {
        let width = 1_u64 << power;
        let length = usize::try_from(series.end - series.first).unwrap();
        let mut edges: Vec<u64> = cuts.iter().map(|cut| series.first + cut.index(length + 1) as u64).collect();
        edges.push(series.end);
        edges.sort_unstable();
        let mut builder = EnvelopeBuilder::new(series.first / width * width, width);
        let mut from = series.first;
        for edge in edges {
            builder.series(&series.slice(from..edge));
            from = edge;
        }
        prop_assert_eq!(builder.finish(), plain(&series, width));
    }

    #[test]
    fn finer_buckets_join_to_the_same_envelope(series in series(), fine in 0_u32..5, more in 0_u32..5) {
        let (width, wide) = (1_u64 << fine, 1_u64 << (fine + more));
        let parts = plain(&series, width);
        let mut builder = EnvelopeBuilder::new(series.first / wide * wide, wide);
        for (n, bucket) in parts.buckets.iter().enumerate() {
            builder.bucket(parts.first + n as u64 * width, bucket);
        }
        builder.gaps(&series.gaps);
        builder.reach(series.end);
        prop_assert_eq!(builder.finish(), plain(&series, wide));
    }

    #[test]
    fn the_width_is_the_least_that_fits(start in 0_u64..1 << 40, length in 0_u64..1 << 40, most in 2_usize..5_000) {
        let range = start..start + length;
        let width = Envelope::width_for(&range, most);
        prop_assert!(width.is_power_of_two());
        let over = |width: u64| {
            let aligned = Envelope::aligned(&range, width);
            (aligned.end - aligned.start) / width
        };
        prop_assert!(over(width) <= most as u64);
        prop_assert!(width == 1 || over(width / 2) > most as u64);
    }
}
