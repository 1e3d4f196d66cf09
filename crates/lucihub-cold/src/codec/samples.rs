//! Samples of a cell: on the scale of a converter where they have one, else in pco where it is smaller, else plain
//! little-endian f64.

use super::pack::{Packing, unpack};
use super::steps::Steps;
use super::{Damage, Decoded, parts};

/// Little-endian f64, one after the other.
const RAW: i64 = 0;
/// The standalone format of pco.
const PCO: i64 = 1;
/// Whole numbers on a scale.
const STEPS: i64 = 2;

/// The most samples that a cell may have, as the grid allows.
pub(crate) const MAX_SAMPLES: u64 = 1 << 20;

/// Samples of a cell that are encoded as they come.
#[derive(Debug, Clone)]
pub(crate) struct Encoder(Form);

#[derive(Debug, Clone)]
enum Form {
    /// As floats, or none yet.
    Floats(Packing),
    /// As numbers of a converter.
    Steps(Steps),
}

impl Encoder {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self(Form::Floats(Packing::new()))
    }

    /// Encodes more of them. `false` if they cannot be: then what was there before counts.
    pub(crate) fn push(&mut self, values: &[f64]) -> bool {
        match &mut self.0 {
            Form::Floats(floats) if floats.count() > 0 => floats.push(values),
            Form::Floats(floats) => match Steps::begin(values) {
                Some(steps) => {
                    self.0 = Form::Steps(steps);
                    true
                }
                None => floats.push(values),
            },
            Form::Steps(steps) => {
                // No converter after all where that fails.
                steps.push(values)
                    || as_floats(steps).ok().flatten().is_some_and(|mut floats| {
                        let packed = floats.push(values);
                        if packed {
                            self.0 = Form::Floats(floats);
                        }
                        packed
                    })
            }
        }
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        match &self.0 {
            Form::Floats(floats) => floats.count(),
            Form::Steps(steps) => steps.count(),
        }
    }

    /// Bytes that they take.
    pub(crate) const fn bytes(&self) -> usize {
        match &self.0 {
            Form::Floats(floats) => floats.bytes(),
            Form::Steps(steps) => steps.bytes(),
        }
    }

    /// All of them and the rest: the codec's number, and the bytes.
    pub(crate) fn finish(mut self, rest: &[f64]) -> Decoded<(i64, Vec<u8>)> {
        let begun = self.clone();
        if self.push(rest)
            && let Ok((codec, packed)) = self.packed()
            && packed.len() < 8 * self.count()
        {
            return Ok((codec, packed));
        }
        // What is no smaller when it is packed, or does not come back, is kept raw.
        let before = match begun.0 {
            Form::Steps(steps) => steps.samples()?,
            Form::Floats(floats) => {
                let mut before = vec![0.0; floats.count()];
                if floats.count() > 0 {
                    unpack(&floats.file()?, &mut before)?;
                }
                before
            }
        };
        Ok((RAW, before.iter().chain(rest).flat_map(|value| value.to_bits().to_le_bytes()).collect()))
    }

    fn packed(&self) -> Decoded<(i64, Vec<u8>)> {
        let steps = match &self.0 {
            Form::Floats(floats) => return Ok((PCO, floats.file()?)),
            Form::Steps(steps) => steps,
        };
        let packed = match steps.encode() {
            Ok(packed) if packed.len() <= 4 * steps.count() => return Ok((STEPS, packed)),
            packed => packed,
        };
        // More than is usual: there are few of them beside the table, or the scale is one by chance.
        match (packed, as_floats(steps)?) {
            (Ok(packed), Some(floats)) => {
                let floats = floats.file()?;
                Ok(if floats.len() < packed.len() { (PCO, floats) } else { (STEPS, packed) })
            }
            (packed, None) => Ok((STEPS, packed?)),
            (Err(_), Some(floats)) => Ok((PCO, floats.file()?)),
        }
    }
}

/// The same samples packed anew; `None` if they cannot be.
fn as_floats(steps: &Steps) -> Decoded<Option<Packing>> {
    let mut floats = Packing::new();
    Ok(floats.push(&steps.samples()?).then_some(floats))
}

/// How many samples a cell says that it has, if it may have so many.
pub(crate) fn count(claimed: u64) -> Decoded<usize> {
    if claimed > MAX_SAMPLES {
        return Err(Damage::new(format!("{claimed} samples in one cell")));
    }
    usize::try_from(claimed).map_err(Damage::new)
}

/// Decodes a number of samples.
#[cfg(test)]
pub(crate) fn decode(codec: i64, bytes: &[u8], claimed: u64) -> Decoded<Vec<f64>> {
    let mut values = vec![0.0; count(claimed)?];
    decode_into(codec, bytes, &mut values)?;
    Ok(values)
}

/// Decodes as many samples as there are places for them.
pub(crate) fn decode_into(codec: i64, bytes: &[u8], values: &mut [f64]) -> Decoded<()> {
    match codec {
        RAW => raw(bytes, values),
        PCO => unpack(bytes, values),
        STEPS => parts::decode_into(bytes, values),
        other => Err(Damage::new(format!("codec {other} of samples is not known to this version"))),
    }
}

fn raw(bytes: &[u8], values: &mut [f64]) -> Decoded<()> {
    let (plain, rest) = bytes.as_chunks::<8>();
    if plain.len() != values.len() || !rest.is_empty() {
        return Err(Damage::new(format!("{} bytes for {} samples", bytes.len(), values.len())));
    }
    for (value, bytes) in values.iter_mut().zip(plain) {
        *value = f64::from_bits(u64::from_le_bytes(*bytes));
    }
    Ok(())
}

/// Encodes samples: the codec's number, and the bytes.
#[cfg(test)]
pub(crate) fn encode(values: &[f64]) -> (i64, Vec<u8>) {
    Encoder::new().finish(values).unwrap()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn pco_itself_keeps_every_bit_of_odd_values() {
        let odd: Vec<u64> = vec![
            0,
            1 << 63,
            1,
            0x000f_ffff_ffff_ffff,
            0x7ff0_0000_0000_0000,
            0xfff0_0000_0000_0000,
            0x7ff8_0000_0000_0001,
            0x7ff0_0000_0000_0001,
            0xffff_ffff_ffff_ffff,
            f64::MAX.to_bits(),
        ];
        let values: Vec<f64> = odd.iter().cycle().take(5_000).map(|bits| f64::from_bits(*bits)).collect();
        let (codec, packed) = encode(&values);
        assert_eq!(codec, PCO, "none of them makes pco fail the comparison");
        assert_eq!(bits(&decode(codec, &packed, 5_000).unwrap()), bits(&values));
    }

    #[test]
    fn noise_is_kept_raw() {
        let mut state = 1_u64;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            f64::from_bits(state)
        };
        let values: Vec<f64> = (0..2_000).map(|_| noise()).collect();
        let (codec, packed) = encode(&values);
        assert_eq!((codec, packed.len()), (RAW, 16_000));
        assert_eq!(bits(&decode(codec, &packed, 2_000).unwrap()), bits(&values));
    }

    #[test]
    fn a_beginning_with_its_rest_is_the_whole() {
        let mut state = 1_u64;
        let noise: Vec<f64> = (0..6_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                f64::from_bits(state)
            })
            .collect();
        let steps: Vec<f64> = (0..6_000_u32).map(|n| f64::from(n * n % 977) * 0.125).collect();
        for (values, codec) in [(&noise, RAW), (&steps, STEPS), (&[&steps[..3_000], &noise].concat(), PCO)] {
            for begun in [0, 1_024, 4_096, values.len()] {
                let mut encoder = Encoder::new();
                assert!(encoder.push(&values[..begun.min(1_024)]) && encoder.push(&values[begun.min(1_024)..begun]));
                assert_eq!(encoder.count(), begun);
                let (found, packed) = encoder.finish(&values[begun..]).unwrap();
                assert_eq!(found, codec, "{begun}");
                assert_eq!(bits(&decode(found, &packed, values.len() as u64).unwrap()), bits(values));
            }
        }
    }

    #[test]
    fn a_wrong_count_is_damage() {
        let (codec, packed) = encode(&vec![0.5; 3_000]);
        for count in [0, 1, 255, 256, 2_999, 3_001, 4_096, MAX_SAMPLES, MAX_SAMPLES + 1, u64::MAX] {
            assert!(decode(codec, &packed, count).is_err(), "{count}");
        }
        assert!(decode(3, &packed, 3_000).is_err());
    }

    proptest! {
        #[test]
        fn samples_come_back(values in proptest::collection::vec(any::<u64>().prop_map(f64::from_bits), 0..3_000)) {
            let (codec, packed) = encode(&values);
            prop_assert_eq!(bits(&decode(codec, &packed, values.len() as u64).unwrap()), bits(&values));
        }

        #[test]
        fn steps_of_an_adc_come_back(values in proptest::collection::vec((-8_192_i32..8_192).prop_map(|n| f64::from(n) * (2.5 / 16_384.0)), 0..3_000)) {
            let (codec, packed) = encode(&values);
            prop_assert_eq!(bits(&decode(codec, &packed, values.len() as u64).unwrap()), bits(&values));
        }

        #[test]
        fn any_bytes_are_samples_or_damage(bytes in proptest::collection::vec(any::<u8>(), 0..400), count in 0_u64..2_000, codec in 0_i64..3) {
            if let Ok(values) = decode(codec, &bytes, count) {
                prop_assert_eq!(values.len() as u64, count);
            }
        }

        #[test]
        fn damaged_cells_are_samples_or_damage(at in 0_usize..10_000, flip in 1_u8..=255, step in 1_usize..50) {
            let values: Vec<f64> = (0..1_000_u32).map(|n| f64::from(n * n % 977) * 0.125).collect();
            let (codec, mut packed) = encode(&values);
            let length = packed.len();
            for place in (at % length..length).step_by(step * 17) {
                packed[place] ^= flip;
            }
            if let Ok(values) = decode(codec, &packed, 1_000) {
                prop_assert_eq!(values.len(), 1_000);
            }
        }
    }
}
