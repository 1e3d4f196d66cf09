//! Samples of a converter: as the whole numbers that it read, on a [`Scale`].
//!
//! The numbers take fewer bytes than pco finds in the floats, and less time both ways. Where rounding gave a value that is
//! not exactly the scale's, a table has how far it is off, once for each number and not once for each sample: a
//! converter's number always becomes the same float. What is on no step (no number, an infinity, a zero of the other
//! sign) stands beside, sample by sample. How all that is written: `parts.rs`.

use super::pack::Packing;
use super::parts::{Parts, modulo};
use super::scale::{MOST_STEPS, Scale};
use super::table::Table;
use super::{Damage, Decoded};

/// Below that many samples, a scale takes more than it saves.
const LEAST: usize = 256;

/// One sample of so many may be odd: each takes 12 bytes.
const ODD: usize = 64;

/// Samples that are packed as they come.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    scale: Scale,
    numbers: Packing,
    /// The lowest number and the highest one.
    range: Option<(i32, i32)>,
    table: Table,
    odd: Vec<(usize, u64)>,
}

impl Steps {
    /// Begins with samples. `None` if they are not those of a converter, or too few.
    pub(super) fn begin(samples: &[f64]) -> Option<Self> {
        let scale = (samples.len() >= LEAST).then(|| Scale::find(samples))??;
        let (numbers, table, odd) = (Packing::new(), Table::default(), Vec::new());
        let mut begun = Self { scale, numbers, range: None, table, odd };
        begun.push(samples).then_some(begun)
    }

    /// Packs more samples. `false` if too many of them are on no step, or cannot be packed: then what was there before
    /// counts.
    pub(super) fn push(&mut self, samples: &[f64]) -> bool {
        /// As many odd samples as any cell may have.
        const FREE: usize = 8;
        let before = self.odd.len();
        // One after the other, so that the compiler does several at once.
        let mut numbers: Vec<i32> = samples.iter().map(|sample| self.scale.nearest(*sample)).collect();
        let mut last = self.range.map(|(lowest, _)| lowest);
        for (at, sample) in samples.iter().enumerate() {
            let number = numbers[at];
            let off = self.scale.off(number, *sample);
            if off.is_some_and(|off| self.table.has(number, off) || self.takes(number, off)) {
                if last.is_none() {
                    // Those before it, all odd, had no number to repeat.
                    numbers[..at].fill(number);
                }
                last = Some(number);
                continue;
            }
            numbers[at] = last.unwrap_or_default();
            self.odd.push((self.count() + at, sample.to_bits()));
        }
        // Without an entry in the table, the cell could not be read.
        let in_range = |(low, high): (i32, i32)| numbers.iter().all(|number| (low..=high).contains(number));
        let all_known = self.range.is_some_and(in_range);
        let numbers: Vec<i16> = numbers.into_iter().map(modulo).collect();
        let may_be_odd = FREE + (self.count() + samples.len()) / ODD;
        let pushed = all_known
            && self.odd.len() <= may_be_odd
            && self.gives_back(&numbers, before, samples)
            && self.numbers.push(&numbers);
        if !pushed {
            // What the table has too much harms nothing.
            self.odd.truncate(before);
        }
        pushed
    }

    /// Takes a sample as what its number becomes from now on, unless that is another one or too far away.
    fn takes(&mut self, number: i32, off: i16) -> bool {
        let (low, high) = self.range.map_or((number, number), |(low, high)| (low.min(number), high.max(number)));
        let fits = high.checked_sub(low).is_some_and(|steps| steps <= MOST_STEPS);
        let taken = fits && self.table.takes(number, off);
        if taken {
            self.range = Some((low, high));
        }
        taken
    }

    /// Whether what is about to be packed becomes the samples again, bit for bit, as whoever reads it makes them. The odd
    /// ones among them stand from a place in their list on.
    fn gives_back(&self, numbers: &[i16], odd: usize, samples: &[f64]) -> bool {
        let mut found = vec![0.0; samples.len()];
        if self.parts(&[]).values_into(numbers, &mut found).is_err() {
            return false;
        }
        for (place, bits) in &self.odd[odd..] {
            found[place - self.count()] = f64::from_bits(*bits);
        }
        found.iter().zip(samples).all(|(found, sample)| found.to_bits() == sample.to_bits())
    }

    /// How many samples there are.
    pub(super) const fn count(&self) -> usize {
        self.numbers.count()
    }

    /// Bytes that they take while more may come.
    pub(super) const fn bytes(&self) -> usize {
        self.numbers.bytes() + size_of::<i16>() * self.table.len() + size_of::<(usize, u64)>() * self.odd.len()
    }

    /// All of them as bytes. Numbers and samples were compared as they came; what stands around them is compared here.
    pub(super) fn encode(&self) -> Decoded<Vec<u8>> {
        let numbers = self.numbers.file()?;
        let parts = self.parts(&numbers);
        let bytes = parts.encode()?;
        if Parts::decode(&bytes)? != parts {
            return Err(Damage::new("its steps cannot be written"));
        }
        Ok(bytes)
    }

    /// The samples that were packed.
    pub(super) fn samples(&self) -> Decoded<Vec<f64>> {
        let (numbers, mut samples) = (self.numbers.file()?, vec![0.0; self.count()]);
        self.parts(&numbers).samples_into(&mut samples)?;
        Ok(samples)
    }

    fn parts<'a>(&self, numbers: &'a [u8]) -> Parts<'a> {
        let (lowest, highest) = self.range.unwrap_or_default();
        let table = self.table.entries(lowest, highest);
        Parts { scale: self.scale, lowest, highest, numbers, table, odd: self.odd.clone() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::parts::decode_into;

    const LSB: f64 = 2.5 / 16_384.0;

    /// What a converter of 14 bits reads of a signal with some noise.
    fn raw(count: u32) -> impl Iterator<Item = f64> {
        let noise = |n: u32| f64::from(n.wrapping_mul(2_654_435_761) >> 30);
        (0..count).map(move |n| ((f64::from(n) / 3_000.0).sin() * 7_000.0 + noise(n)).round())
    }

    fn decode(bytes: &[u8], count: usize) -> Decoded<Vec<f64>> {
        let mut samples = vec![0.0; count];
        decode_into(bytes, &mut samples).map(|()| samples)
    }

    fn bits(samples: &[f64]) -> Vec<u64> {
        samples.iter().map(|sample| sample.to_bits()).collect()
    }

    /// Packs samples in parts, and says how many bytes that took.
    fn packed(samples: &[f64], part: usize) -> usize {
        let mut steps = Steps::begin(&samples[..part]).unwrap();
        assert!(samples[part..].chunks(part).all(|part| steps.push(part)));
        assert_eq!(steps.count(), samples.len());
        let bytes = steps.encode().unwrap();
        assert_eq!(bits(&decode(&bytes, samples.len()).unwrap()), bits(samples));
        bytes.len()
    }

    #[test]
    fn rounding_costs_nothing_per_sample() {
        let exact: Vec<f64> = raw(65_536).map(|n| n * LSB).collect();
        let double: Vec<f64> = raw(65_536).map(|n| n * LSB * 1.0173 + 0.313).collect();
        #[expect(clippy::cast_possible_truncation, reason = "as a device does")]
        let single: Vec<f64> = raw(65_536).map(|n| (n as f32 * LSB as f32 * 1.0173 + 0.313).into()).collect();
        let [exact, double, single] = [exact, double, single].map(|samples| {
            let parts = [packed(&samples, 8_192), packed(&samples, 65_536)];
            assert!(parts[0] * 100 < parts[1] * 110, "{parts:?}");
            parts[1]
        });
        let float = 65_536 * size_of::<f64>();
        assert!(exact * 16 < float, "{exact} bytes");
        // What a table of 14,000 entries takes.
        assert!(double < exact + 6_000 && single < exact + 6_000, "{exact}, {double}, {single} bytes");
    }

    #[test]
    fn odd_samples_stand_beside() {
        let mut samples: Vec<f64> = raw(4_000).map(|n| n * LSB).collect();
        let before = packed(&samples, 4_000);
        let odd =
            [f64::NAN, f64::INFINITY, -0.0, 0.3, f64::from_bits(0x7ff0_0000_0000_0001), 1e300, 100.0 * LSB + 1e-15];
        for (place, odd) in odd.into_iter().enumerate() {
            samples[317 * place] = odd;
        }
        assert!(packed(&samples, 1_000) < before + 400);
    }

    #[test]
    fn too_many_odd_samples_leave_what_was_there() {
        let samples: Vec<f64> = raw(4_000).map(|n| n * LSB * 1.0173 + 0.313).collect();
        let mut steps = Steps::begin(&samples[..2_000]).unwrap();
        let before = steps.encode().unwrap();
        // Half a step beside all others, and with the range of these.
        let beside: Vec<f64> = samples[2_000..].iter().map(|sample| sample + LSB / 2.0).collect();
        for other in [&beside[..], &[f64::NAN; 500], &[1e9; 500]] {
            assert!(!steps.push(other));
            assert_eq!(bits(&decode(&steps.encode().unwrap(), 2_000).unwrap()), bits(&samples[..2_000]));
        }
        assert!(steps.push(&samples[2_000..]));
        assert_eq!(bits(&decode(&steps.encode().unwrap(), 4_000).unwrap()), bits(&samples));
        assert_eq!(bits(&decode(&before, 2_000).unwrap()), bits(&samples[..2_000]));
    }

    #[test]
    fn an_offset_that_no_table_has_makes_no_room_for_its_number() {
        // Two floats that are 32,768 below those of the numbers 384 and 2^30, before anything else is known.
        let below = |value: f64| f64::from_bits(value.to_bits() - 32_768);
        let rest = (0..4_096_u32).map(|n| n / 2 % 600).map(|n| 16_000.0 + f64::from(if n < 300 { n } else { n + 200 }));
        let mut samples: Vec<f64> = rest.collect();
        (samples[0], samples[1]) = (below(16_384.0), below(16_000.0 + f64::from(1 << 30)));
        let steps = Steps::begin(&samples).unwrap();
        assert!(steps.bytes() < 100_000, "{} bytes", steps.bytes());
        assert_eq!(bits(&steps.samples().unwrap()), bits(&samples));
    }

    #[test]
    fn a_few_samples_have_no_scale() {
        let samples: Vec<f64> = raw(256).collect();
        assert!(Steps::begin(&samples).is_some() && Steps::begin(&samples[1..]).is_none());
        assert!(Steps::begin(&[0.0, -0.0].repeat(500)).is_none());
    }

    #[test]
    fn numbers_may_be_a_converter_of_16_bits_apart() {
        let ends = [0.0, 1.0, 65_535.0].repeat(200);
        packed(&ends, 300);
        packed(&ends.iter().map(|n| n * 0.1 - 7_000.0).collect::<Vec<f64>>(), 600);
        let mut steps = Steps::begin(&ends).unwrap();
        assert!(!steps.push(&[65_536.0; 100]) && !steps.push(&[-1.0; 100]));
    }

    proptest! {
        #[test]
        fn any_converter_reads_back(
            (step, base) in (1e-6_f64..1e6, -1e6_f64..1e6),
            single: bool,
            numbers in proptest::collection::vec(-9_000_i32..9_000, 256..1_500),
            odd in proptest::collection::vec((0_usize..1_500, any::<u64>()), 0..8),
        ) {
            #[expect(clippy::cast_possible_truncation, reason = "rounding is meant")]
            let sample = |number: i32| {
                let sample = base + f64::from(number) * step;
                if single { f64::from(sample as f32) } else { sample }
            };
            let mut samples: Vec<f64> = numbers.into_iter().map(sample).collect();
            let is_plain = odd.is_empty();
            for (place, bits) in odd {
                let place = if place > samples.len() { 0 } else { place % samples.len() };
                samples[place] = f64::from_bits(bits);
            }
            if let Some(steps) = Steps::begin(&samples) {
                prop_assert_eq!(bits(&decode(&steps.encode().unwrap(), samples.len()).unwrap()), bits(&samples));
            } else if is_plain {
                // Then steps are not told from rounding.
                prop_assert!(base.abs() > 1_000.0 * step, "base {}, step {}", base, step);
            }
        }

        #[test]
        fn any_bytes_are_samples_or_damage(bytes in proptest::collection::vec(any::<u8>(), 0..400), count in 0_usize..2_000) {
            let _ = decode(&bytes, count);
        }

        #[test]
        fn damaged_steps_are_samples_or_damage(at in 0_usize..10_000, flip in 1_u8..=255, step in 1_usize..50) {
            let samples: Vec<f64> = raw(1_000).map(|n| n * LSB * 1.0173 + 0.313).collect();
            let mut bytes = Steps::begin(&samples).unwrap().encode().unwrap();
            let length = bytes.len();
            for place in (at % length..length).step_by(step * 17) {
                bytes[place] ^= flip;
            }
            let _ = decode(&bytes, 1_000);
        }
    }
}
