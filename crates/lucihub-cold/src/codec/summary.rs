//! Summaries of a cell: one bucket per 1,024 indices, 36 little-endian bytes each.

use lucihub_models_core::{Bucket, EnvelopeBuilder, SUMMARY_WIDTH, Series};

use super::{Damage, Decoded};

/// min, max, first, last as f64; count and NaN count as u16.
const BUCKET_BYTES: usize = 4 * 8 + 2 * 2;

/// Summarises a series that begins at a multiple of [`SUMMARY_WIDTH`].
pub(crate) fn encode(series: &Series) -> Vec<u8> {
    let mut builder = EnvelopeBuilder::new(series.first, SUMMARY_WIDTH);
    builder.series(series);
    let buckets = builder.finish().buckets;
    let mut out = Vec::with_capacity(buckets.len() * BUCKET_BYTES);
    for bucket in &buckets {
        for value in [bucket.min, bucket.max, bucket.first, bucket.last] {
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        for count in [bucket.count, bucket.nan] {
            // A bucket has at most 1,024 samples.
            out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
        }
    }
    out
}

/// Decodes the buckets of `[first, end)`, of which `values` indices have a sample.
pub(crate) fn decode(bytes: &[u8], first: u64, end: u64, values: u64) -> Decoded<Vec<Bucket>> {
    let expected = end.saturating_sub(first).div_ceil(SUMMARY_WIDTH);
    if (bytes.len() as u64) != expected.saturating_mul(BUCKET_BYTES as u64) {
        return Err(Damage::new(format!("{} bytes for {expected} buckets", bytes.len())));
    }
    let (parts, _) = bytes.as_chunks();
    let buckets: Vec<Bucket> = parts.iter().map(bucket).collect();
    // All at once: a plot decodes a hundred thousand of these, and no check may stand between two of them.
    let (mut possible, mut sum) = (true, 0);
    for bucket in &buckets {
        possible &= bucket.count <= SUMMARY_WIDTH && bucket.nan <= bucket.count;
        sum += bucket.count;
    }
    if !possible {
        return Err(Damage::new("impossible counts"));
    }
    if sum != values {
        return Err(Damage::new("the counts do not add up"));
    }
    Ok(buckets)
}

fn bucket(bytes: &[u8; BUCKET_BYTES]) -> Bucket {
    let number = |at: usize| f64::from_bits(u64::from_le_bytes(array(bytes, at)));
    let count = |at: usize| u64::from(u16::from_le_bytes(array(bytes, at)));
    Bucket { min: number(0), max: number(8), first: number(16), last: number(24), count: count(32), nan: count(34) }
}

/// Some of the bytes of a bucket. The places are constants: what this checks, the compiler has checked.
fn array<const N: usize>(bytes: &[u8; BUCKET_BYTES], at: usize) -> [u8; N] {
    std::array::from_fn(|n| bytes[at + n])
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{Gap, GapCause};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gaps_leave_empty_buckets() {
        let mut series = Series::starting_at(4_096);
        series.push_values(&[0.5, f64::NAN, -0.25]);
        series.push_gap(Gap::new(0..8_000, GapCause::Device));
        series.push_values(&[1.0]);
        let buckets = decode(&encode(&series), series.first, series.end, 4).unwrap();
        assert_eq!(buckets.len(), 4);
        assert_eq!(buckets[0], Bucket::of(&[0.5, f64::NAN, -0.25]));
        assert_eq!(buckets[1..3], [Bucket::EMPTY; 2]);
        assert_eq!(buckets[3], Bucket::of(&[1.0]));
    }

    proptest! {
        #[test]
        fn buckets_come_back(values in proptest::collection::vec(any::<f64>(), 0..5_000), cell in 0_u64..1 << 20) {
            let mut series = Series::starting_at(cell * 65_536);
            series.push_values(&values);
            let buckets = decode(&encode(&series), series.first, series.end, values.len() as u64).unwrap();
            let expected: Vec<Bucket> = values.chunks(1_024).map(Bucket::of).collect();
            prop_assert_eq!(buckets, expected);
        }

        #[test]
        fn any_bytes_are_buckets_or_damage(bytes in proptest::collection::vec(any::<u8>(), 0..200), length in 0_u64..6_000, values in any::<u64>()) {
            let _ = decode(&bytes, 0, length, values);
        }
    }
}
