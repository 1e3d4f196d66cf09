//! The scale behind samples that a converter made: each is one of evenly spaced values.
//!
//! A converter gives whole numbers, and who reads it makes samples of them: times a step, plus an offset, in some order of
//! rounding, perhaps in single precision. Neither is told to us; both can be seen. Found from the samples alone, a scale says
//! which whole number a sample was, and comes near the sample itself: within some units in the last place, unless that is much
//! nearer to 0 than any that was seen.

/// The most steps between the lowest value and the highest one: those of a converter of 16 bits.
pub(super) const MOST_STEPS: i32 = u16::MAX as i32;

/// Added to a number below 2^51 and taken off again, it leaves that number rounded. Until it is taken off, the lower bits
/// are that whole number. Without a newer processor than all have, rounding is a call of a function.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Evenly spaced values. All of its arithmetic is that of IEEE 754, so every machine finds the same ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// The value of step 0.
    pub(super) base: f64,
    /// From one value to the next.
    pub(super) step: f64,
    /// Whether values are rounded to single precision.
    pub(super) single: bool,
}

impl Scale {
    /// Looks for the scale of samples. `None` if they are not evenly spaced as far as can be seen.
    pub(super) fn find(samples: &[f64]) -> Option<Self> {
        /// To sort more of them would take a notable part of the time of packing them.
        const LOOK_AT: usize = 2_048;
        let every = samples.len().div_ceil(LOOK_AT).max(1);
        let finite = samples.iter().step_by(every).copied().filter(|sample| sample.is_finite());
        // The sum turns -0.0 into 0.0.
        let mut seen: Vec<f64> = finite.map(|sample| sample + 0.0).collect();
        seen.sort_unstable_by(f64::total_cmp);
        seen.dedup();
        // Rounding is least where the base is, and a float has most places near 0: what is 0 stays exactly that.
        let base = seen.iter().copied().min_by(|one, other| one.abs().total_cmp(&other.abs()))?;
        let step = even_step(&seen)?;
        let scale = Self { base, step, single: false };
        let single = Self { single: true, ..scale };
        let holds_all = |scale: Self| seen.iter().all(|sample| scale.value(scale.nearest(*sample)) == *sample);
        let are_single = || seen.iter().all(|sample| round_to_single(*sample) == *sample);
        Some(if !holds_all(scale) && are_single() { single } else { scale })
    }

    /// The value of a step.
    pub(super) fn value(&self, step: i32) -> f64 {
        let value = self.base + f64::from(step) * self.step;
        if self.single { round_to_single(value) } else { value }
    }

    /// The step that comes nearest to a sample; some step, for one that is far away or no number.
    #[expect(clippy::cast_possible_truncation, reason = "the lower bits are the whole number")]
    pub(super) fn nearest(&self, sample: f64) -> i32 {
        ((sample - self.base) / self.step + ROUND).to_bits() as i32
    }

    /// How many floats a sample is above the value of a step. `None` if that does not tell it.
    pub(super) fn off(&self, step: i32, sample: f64) -> Option<i16> {
        let value = self.value(step);
        // Whatever the differences wrap to: `at` wraps back.
        let off = if self.single {
            // What is not of single precision is on no such scale.
            let is_single = round_to_single(sample).to_bits() == sample.to_bits();
            is_single.then(|| rank_of_single(sample).wrapping_sub(rank_of_single(value)))?.into()
        } else {
            rank(sample).wrapping_sub(rank(value))
        };
        i16::try_from(off).ok()
    }

    /// The float that is so many above the value of a step.
    pub(super) fn at(&self, step: i32, off: i16) -> f64 {
        let value = self.value(step);
        if self.single {
            let rank = rank_of_single(value).wrapping_add(off.into());
            f32::from_bits(swap_single(rank).cast_unsigned()).into()
        } else {
            f64::from_bits(swap(rank(value).wrapping_add(off.into())).cast_unsigned())
        }
    }
}

/// The distance of values that are evenly spaced, from those of them that were seen, in order.
fn even_step(seen: &[f64]) -> Option<f64> {
    /// As often as the step may turn out to be a part of what it seemed.
    const TRIES: usize = 8;
    let (first, last) = (seen.first()?, seen.last()?);
    let span = last - first;
    let distances = || seen.windows(2).map(|pair| pair[1] - pair[0]);
    let is_fine_enough = |step: f64| span / step <= f64::from(MOST_STEPS);
    let mut step = distances().fold(f64::INFINITY, f64::min);
    // Short distances that are no multiples share a smaller step.
    for _ in 0..TRIES {
        if !is_fine_enough(step) {
            return None;
        }
        let short = distances().filter(|distance| distance / step < 64.0);
        let remainders = short.map(|distance| (distance - (distance / step).round() * step).abs());
        let Some(smaller) = remainders.filter(|left| 8.0 * left > step).reduce(f64::min) else { break };
        step = smaller;
    }
    // A step that was rounded misses where it is taken often, so it is found from longer and longer distances.
    for most in [8.0, 64.0, 512.0, f64::INFINITY] {
        let known = distances().filter(|distance| distance / step < most);
        let (steps, way) = known.fold((0.0, 0.0), |(steps, way), it| (steps + (it / step).round(), way + it));
        if steps > 0.0 {
            step = way / steps;
        }
    }
    let are_even = distances().all(|distance| (distance / step - (distance / step).round()).abs() < 0.25);
    // Their sum was rounded; this is not.
    let step = span / (span / step).round();
    (are_even && step.is_normal() && is_fine_enough(step)).then_some(step)
}

#[expect(clippy::cast_possible_truncation, reason = "rounding is meant")]
fn round_to_single(value: f64) -> f64 {
    f64::from(value as f32)
}

/// The place of a float in the order of all.
fn rank(value: f64) -> i64 {
    swap(value.to_bits().cast_signed())
}

/// The place of a float of single precision among those.
#[expect(clippy::cast_possible_truncation, reason = "it is of single precision")]
fn rank_of_single(value: f64) -> i32 {
    swap_single((value as f32).to_bits().cast_signed())
}

/// From the bits of a float to its rank, and back: those of negative ones count downwards.
const fn swap(bits: i64) -> i64 {
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// As [`swap`], in single precision.
const fn swap_single(bits: i32) -> i32 {
    if bits < 0 { bits ^ i32::MAX } else { bits }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LSB: f64 = 2.5 / 16_384.0;

    fn raw() -> impl Iterator<Item = f64> {
        (0..5_000_i32).map(|n| ((f64::from(n) / 300.0).sin() * 7_000.0).round())
    }

    /// The most steps that samples are apart, if they have a scale and each is near one of its values.
    fn steps(samples: &[f64]) -> Option<i32> {
        let scale = Scale::find(samples)?;
        let steps: Vec<i32> = samples.iter().map(|sample| scale.nearest(*sample)).collect();
        for (step, sample) in steps.iter().zip(samples) {
            let off = scale.off(*step, *sample).unwrap_or_else(|| panic!("{sample} is far from step {step}"));
            assert_eq!(scale.at(*step, off).to_bits(), sample.to_bits());
        }
        Some(steps.iter().max().unwrap() - steps.iter().min().unwrap())
    }

    #[test]
    fn the_scale_of_a_converter_is_found() {
        let exact: Vec<f64> = raw().map(|n| n * LSB + 0.0).collect();
        let scale = Scale::find(&exact).unwrap();
        assert!(exact.iter().all(|sample| scale.value(scale.nearest(*sample)).to_bits() == sample.to_bits()));
        assert_eq!((scale.step, scale.single), (LSB, false));
        let double: Vec<f64> = raw().map(|n| n * LSB * 1.0173 + 0.313).collect();
        let inverted: Vec<f64> = raw().map(|n| 1.25 - (8_192.0 - n) * 2.5 / 16_383.0).collect();
        #[expect(clippy::cast_possible_truncation, reason = "as a device does")]
        let single: Vec<f64> = raw().map(|n| (n as f32 * LSB as f32 * 1.0173 + 0.313).into()).collect();
        for (what, samples) in [("exact", exact), ("double", double), ("single", single), ("inverted", inverted)] {
            assert_eq!(steps(&samples), Some(14_000), "{what}");
        }
    }

    #[test]
    fn zero_is_on_the_scale_of_an_idle_channel() {
        let single = |n: i32| f64::from(n as f32 * 0.000_152_3_f32);
        let pulse = |n: i32| single(n * n % 4_001 - 2_000);
        let pulses: Vec<f64> = (0..4_000).map(|n| if n % 3 == 0 { pulse(n) } else { 0.0 }).collect();
        let scale = Scale::find(&pulses).unwrap();
        assert!(scale.single && scale.value(scale.nearest(0.0)).to_bits() == 0);
        assert!(steps(&pulses).is_some_and(|steps| (3_900..=4_000).contains(&steps)));
    }

    #[test]
    fn a_step_that_never_comes_alone_is_found() {
        assert_eq!(steps(&[0.0, 0.6, 1.0, 3.0, 2.4]), Some(15), "multiples of 0.2");
        assert_eq!(steps(&[5.0, 5.0, 7.0]), Some(1), "there is nothing between the two");
    }

    #[test]
    fn other_signals_have_none() {
        let sine: Vec<f64> = (0..5_000).map(|n| (f64::from(n) / 1_000.0).sin()).collect();
        for samples in [&sine[..], &[], &[0.5], &[0.5; 100], &[f64::NAN; 10], &[0.0, -0.0], &[f64::MIN, f64::MAX]] {
            assert_eq!(Scale::find(samples), None, "{:?}", &samples[..samples.len().min(3)]);
        }
        assert_eq!(Scale::find(&[0.0, 1.0, 65_536.0]), None, "more steps than 16 bits tell");
        assert!(Scale::find(&[0.0, 1.0, 65_535.0]).is_some());
    }

    proptest! {
        #[test]
        fn an_offset_tells_the_very_float(
            base in any::<f64>(), step in any::<f64>(), single: bool, at in any::<i32>(), bits: u64, near in -40_000_i64..40_000,
        ) {
            let scale = Scale { base, step, single };
            for sample in [f64::from_bits(bits), f64::from_bits(bits.wrapping_add_signed(near)), scale.value(at)] {
                for step in [at, scale.nearest(sample)] {
                    if let Some(off) = scale.off(step, sample) {
                        prop_assert_eq!(scale.at(step, off).to_bits(), sample.to_bits());
                    }
                }
            }
        }
    }
}
