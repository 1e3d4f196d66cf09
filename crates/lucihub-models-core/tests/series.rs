//! Series against a plain list with one entry per index.

use lucihub_models_core::Series;
use proptest::prelude::*;

use crate::given::{cases, series};

/// One entry per index: the bits of a sample, or why there is none.
fn entries(series: &Series) -> Vec<Result<u64, (String, bool)>> {
    let mut values = series.values.iter();
    (series.first..series.end)
        .map(|index| match series.gaps.iter().find(|gap| (gap.first..gap.end).contains(&index)) {
            Some(gap) => Err((gap.cause.to_string(), gap.inferred)),
            None => Ok(values.next().copied().unwrap_or(f64::NAN).to_bits()),
        })
        .collect()
}

fn at(series: &Series, index: u64) -> Option<Result<u64, (String, bool)>> {
    let place = usize::try_from(index.checked_sub(series.first)?).ok()?;
    entries(series).get(place).cloned()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn get_gives_the_sample_of_an_index(series in series()) {
        prop_assert!(series.is_consistent());
        for index in series.first.saturating_sub(2)..series.end + 2 {
            let wanted = at(&series, index).and_then(Result::ok);
            prop_assert_eq!(series.get(index).map(f64::to_bits), wanted, "index {}", index);
        }
    }

    #[test]
    fn slices_keep_every_index(series in series(), start in 0_u64..6_000, length in 0_u64..600) {
        let range = start..start + length;
        let part = series.slice(range.clone());
        prop_assert!(part.is_consistent());
        let (first, end) = (start.max(series.first), range.end.min(series.end));
        if first < end {
            prop_assert_eq!((part.first, part.end), (first, end));
            let skip = usize::try_from(first - series.first).unwrap();
            let count = usize::try_from(end - first).unwrap();
            prop_assert_eq!(entries(&part), entries(&series)[skip..skip + count].to_vec());
        } else {
            prop_assert_eq!(part, Series::starting_at(start.clamp(series.first, series.end)));
        }
    }

    #[test]
    fn parts_join_to_the_whole(series in series(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let length = usize::try_from(series.end - series.first).unwrap();
        let mut edges: Vec<u64> = cuts.iter().map(|cut| series.first + cut.index(length + 1) as u64).collect();
        edges.push(series.end);
        edges.sort_unstable();
        let mut joined = Series::starting_at(series.first);
        for edge in edges {
            let part = series.slice(joined.end..edge);
            joined.append(&part);
        }
        prop_assert_eq!(joined, series);
    }

    #[test]
    fn segments_and_dense_agree_with_get(series in series()) {
        let mut seen = 0;
        for (start, values) in series.segments() {
            prop_assert!(!values.is_empty());
            for (index, value) in (start..).zip(values) {
                prop_assert_eq!(series.get(index).map(f64::to_bits), Some(value.to_bits()));
                seen += 1;
            }
        }
        prop_assert_eq!(seen, series.values.len());
        let dense = series.dense(42.5);
        prop_assert_eq!(dense.len() as u64, series.end - series.first);
        for (index, value) in (series.first..).zip(dense) {
            prop_assert_eq!(value.to_bits(), series.get(index).unwrap_or(42.5).to_bits());
        }
    }

    #[test]
    fn damaged_series_are_noticed(mut series in series(), more in 1_u64..9) {
        series.end += more;
        prop_assert!(!series.is_consistent());
    }
}
