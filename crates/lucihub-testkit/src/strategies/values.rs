//! Samples: every kind of f64, the rare ones often.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::models::ADC_LSB;

/// Any f64 by its bits: NaN with payloads, infinities, both zeros, subnormals,
/// whole ADC steps, and everything else.
pub fn any_f64() -> impl Strategy<Value = f64> + Clone {
    let payload = 1_u64..1 << 52;
    let nan = (any::<bool>(), payload.clone())
        .prop_map(|(negative, payload)| f64::from_bits(u64::from(negative) << 63 | 0x7ff << 52 | payload));
    let subnormal =
        (any::<bool>(), payload).prop_map(|(negative, bits)| f64::from_bits(u64::from(negative) << 63 | bits));
    let special = prop::sample::select(vec![
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        f64::EPSILON,
    ]);
    let step = (-8_192_i32..8_192).prop_map(|raw| f64::from(raw) * ADC_LSB);
    let bits = any::<u64>().prop_map(f64::from_bits);
    prop_oneof![2 => nan, 1 => subnormal, 2 => special, 4 => step, 3 => bits]
}

/// Up to `most` samples.
pub fn sample_lists(most: usize) -> impl Strategy<Value = Vec<f64>> {
    vec(any_f64(), 0..=most)
}
