//! What the bytes of a cell on a scale say.
//!
//! Little-endian: the form (one byte), base and step (f64), the lowest number (i32) and how far the highest one is above it
//! (u16); the length of the packed numbers (u32), and these as i16, modulo 65,536, in pco's standalone format; the length
//! of the table (u32), and that, packed alike, from the lowest number to the highest, or nothing where all are 0; then
//! for each odd sample its place (u32) and its bits (u64). Some number of another sample stands in its place.

use super::bytes::Reader;
use super::pack::{Packing, unpack};
use super::scale::Scale;
use super::{Damage, Decoded};

/// In the form: values are rounded to single precision.
const SINGLE: u8 = 1;

/// What the bytes say.
#[derive(Debug, PartialEq)]
pub(super) struct Parts<'a> {
    pub(super) scale: Scale,
    pub(super) lowest: i32,
    pub(super) highest: i32,
    /// As they are packed.
    pub(super) numbers: &'a [u8],
    /// From the lowest number to the highest; nothing where all are 0.
    pub(super) table: Vec<i16>,
    pub(super) odd: Vec<(usize, u64)>,
}

impl<'a> Parts<'a> {
    /// Writes them.
    pub(super) fn encode(&self) -> Decoded<Vec<u8>> {
        let (mut table, mut packing) = (Vec::new(), Packing::new());
        if !self.table.is_empty() {
            if !packing.push(&self.table) {
                return Err(Damage::new("its table cannot be packed"));
            }
            table = packing.file()?;
        }
        let Scale { base, step, single } = self.scale;
        let mut out = vec![if single { SINGLE } else { 0 }];
        out.extend_from_slice(&base.to_le_bytes());
        out.extend_from_slice(&step.to_le_bytes());
        out.extend_from_slice(&self.lowest.to_le_bytes());
        out.extend_from_slice(&modulo(self.highest.wrapping_sub(self.lowest)).to_le_bytes());
        for packed in [self.numbers, &table] {
            out.extend_from_slice(&u32::try_from(packed.len()).map_err(Damage::new)?.to_le_bytes());
            out.extend_from_slice(packed);
        }
        for (place, bits) in &self.odd {
            out.extend_from_slice(&u32::try_from(*place).map_err(Damage::new)?.to_le_bytes());
            out.extend_from_slice(&bits.to_le_bytes());
        }
        Ok(out)
    }

    /// Reads them; the numbers stay packed.
    pub(super) fn decode(bytes: &'a [u8]) -> Decoded<Self> {
        let mut reader = Reader::new(bytes);
        let [form] = reader.array()?;
        if form & !SINGLE != 0 {
            return Err(Damage::new(format!("form {form} of steps is not known to this version")));
        }
        let (base, step) = (f64::from_le_bytes(reader.array()?), f64::from_le_bytes(reader.array()?));
        let scale = Scale { base, step, single: form & SINGLE != 0 };
        let (lowest, above) = (i32::from_le_bytes(reader.array()?), u16::from_le_bytes(reader.array()?));
        let mut section = || {
            let length = u32::from_le_bytes(reader.array()?);
            reader.take(length as usize)
        };
        let (numbers, packed) = (section()?, section()?);
        let mut table = Vec::new();
        if !packed.is_empty() {
            table.resize(usize::from(above) + 1, 0_i16);
            unpack(packed, &mut table)?;
        }
        let mut odd = Vec::new();
        while !reader.is_empty() {
            let place = u32::from_le_bytes(reader.array()?);
            odd.push((place as usize, u64::from_le_bytes(reader.array()?)));
        }
        Ok(Self { scale, lowest, highest: lowest.wrapping_add(above.into()), numbers, table, odd })
    }

    /// The samples, as many as there are places for them.
    pub(super) fn samples_into(&self, samples: &mut [f64]) -> Decoded<()> {
        let mut numbers = vec![0_i16; samples.len()];
        unpack(self.numbers, &mut numbers)?;
        self.values_into(&numbers, samples)?;
        for (place, bits) in &self.odd {
            let outside = || Damage::new("an odd sample lies outside the cell");
            *samples.get_mut(*place).ok_or_else(outside)? = f64::from_bits(*bits);
        }
        Ok(())
    }

    /// What the numbers became, but for odd samples.
    pub(super) fn values_into(&self, numbers: &[i16], samples: &mut [f64]) -> Decoded<()> {
        let Self { scale, lowest, table, .. } = self;
        let above = numbers.iter().map(|number| number.cast_unsigned().wrapping_sub(modulo(*lowest).cast_unsigned()));
        if table.is_empty() {
            for (sample, above) in samples.iter_mut().zip(above) {
                *sample = scale.value(lowest.wrapping_add(above.into()));
            }
        } else {
            let values = (0..).zip(table).map(|(above, off)| scale.at(lowest.wrapping_add(above), *off));
            let values: Vec<f64> = values.collect();
            let unknown = || Damage::new("a number has no entry in the table");
            for (sample, above) in samples.iter_mut().zip(above) {
                *sample = *values.get(usize::from(above)).ok_or_else(unknown)?;
            }
        }
        Ok(())
    }
}

/// Decodes as many samples as there are places for them.
pub(super) fn decode_into(bytes: &[u8], samples: &mut [f64]) -> Decoded<()> {
    Parts::decode(bytes)?.samples_into(samples)
}

/// The lower 16 bits.
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a cell are at most 65,535 apart")]
pub(super) const fn modulo(number: i32) -> i16 {
    number as i16
}
