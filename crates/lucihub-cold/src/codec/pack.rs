//! How samples become pco: in chunks, each in the way that was found for those before it.
//!
//! pco finds out by trial which mode and which order of differences suit numbers best, and that takes it longer than the
//! packing. A channel rarely changes its nature within a cell, so the trial is made once, on its first samples, and again
//! where a chunk came out larger than was to be expected. Chunks of 128 KiB stay in the cache of a core while they are
//! sorted into bins. Together that is half the time of one chunk with a trial of its own, for 1 to 2 percent more bytes.

use pco::errors::PcoResult;
use pco::metadata::{ChunkMeta, DeltaEncoding, DynLatent, Mode};
use pco::standalone::FileCompressor;
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

/// 0.3 bytes per sample of a 14-bit ADC, about 2 of smooth f64. Lower levels and the classic mode alone are poor.
const LEVEL: usize = 8;

/// Samples of a chunk.
const CHUNK: usize = 16_384;

/// Samples that the first trial is made on.
const TRIAL: usize = 4_096;

/// Packs samples in the standalone format.
pub(super) fn pack(values: &[f64]) -> PcoResult<Vec<u8>> {
    let file = FileCompressor::default().with_n_hint(values.len());
    let mut packed = file.write_header(Vec::new())?;
    let trial = &values[..values.len().min(TRIAL)];
    let mut way = if values.len() > CHUNK { Some(Packed::of(&file, trial, &Way::default())?) } else { None };
    for chunk in values.chunks(CHUNK) {
        let known = way.as_ref().map(|before| &before.way);
        let mut best = Packed::of(&file, chunk, known.unwrap_or(&Way::default()))?;
        if way.as_ref().is_some_and(|before| best.is_poor_beside(before)) {
            let anew = Packed::of(&file, chunk, &Way::default())?;
            if anew.bytes.len() < best.bytes.len() {
                best = anew;
            }
        }
        packed.extend_from_slice(&best.bytes);
        way = way.map(|_| best);
    }
    file.write_footer(packed)
}

/// A way to pack; by default pco looks for one.
#[derive(Debug, Clone, Default)]
struct Way {
    mode: ModeSpec,
    delta: DeltaSpec,
}

/// A chunk, and the way it was packed.
struct Packed {
    bytes: Vec<u8>,
    count: usize,
    way: Way,
}

impl Packed {
    fn of(file: &FileCompressor, chunk: &[f64], way: &Way) -> PcoResult<Self> {
        let config = ChunkConfig::default()
            .with_compression_level(LEVEL)
            .with_mode_spec(way.mode.clone())
            .with_delta_spec(way.delta.clone());
        let mut compressor = file.chunk_compressor(chunk, &config)?;
        let way = Way::found(compressor.meta());
        let bytes = compressor.write(Vec::with_capacity(compressor.size_hint()))?;
        Ok(Self { bytes, count: chunk.len(), way })
    }

    /// Whether it takes more than a quarter more bytes per sample: then it may be of another nature.
    const fn is_poor_beside(&self, before: &Self) -> bool {
        4 * self.bytes.len() * before.count > 5 * before.bytes.len() * self.count
    }
}

impl Way {
    /// The way that a chunk was packed. What cannot be asked for by name is looked for again.
    fn found(meta: &ChunkMeta) -> Self {
        let mode = match &meta.mode {
            Mode::Classic => ModeSpec::Classic,
            Mode::FloatMult(DynLatent::U64(base)) => ModeSpec::TryFloatMult(of_ordered(*base)),
            Mode::FloatQuant(bits) => ModeSpec::TryFloatQuant(*bits),
            _ => ModeSpec::Auto,
        };
        let delta = match &meta.delta_encoding {
            DeltaEncoding::NoOp => DeltaSpec::NoOp,
            DeltaEncoding::Consecutive { order, .. } => DeltaSpec::TryConsecutive(*order),
            DeltaEncoding::Lookback { .. } => DeltaSpec::TryLookback,
            _ => DeltaSpec::Auto,
        };
        Self { mode, delta }
    }
}

/// The number behind pco's latent, whose order as an integer is that of the numbers.
const fn of_ordered(latent: u64) -> f64 {
    const SIGN: u64 = 1 << 63;
    f64::from_bits(if latent & SIGN == 0 { !latent } else { latent ^ SIGN })
}

#[cfg(test)]
mod tests {
    use pco::standalone::{simple_compress, simple_decompress};

    use super::*;

    /// One LSB of the converter, in machine units.
    const LSB: f64 = 2.5 / 16_384.0;

    fn adc(count: u32) -> Vec<f64> {
        (0..count).map(|n| ((f64::from(n) / 300.0).sin() * 7_000.0).round() * LSB).collect()
    }

    fn noise(count: u32) -> Vec<f64> {
        (0..count).map(|n| f64::from(n.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX)).collect()
    }

    /// What pco makes of it as one chunk with a trial of its own.
    fn one_chunk(values: &[f64]) -> usize {
        simple_compress(values, &ChunkConfig::default().with_compression_level(LEVEL)).unwrap().len()
    }

    #[test]
    fn chunks_take_few_more_bytes_than_one() {
        let smooth: Vec<f64> = (0..65_536).map(|n| (f64::from(n) / 1_000.0).sin()).collect();
        for (what, values) in [("adc", adc(65_536)), ("smooth", smooth), ("noise", noise(65_536))] {
            let packed = pack(&values).unwrap();
            assert_eq!(simple_decompress::<f64>(&packed).unwrap(), values, "{what}");
            let (ours, one) = (packed.len(), one_chunk(&values));
            assert!(ours * 100 < one * 110, "{what}: {ours} bytes, {one} as one chunk");
        }
    }

    #[test]
    fn a_channel_that_changes_its_nature_is_looked_at_anew() {
        // Nothing yet, then a signal, then noise, then a signal again.
        let parts = [vec![0.0; 20_000], adc(20_000), noise(12_000), adc(13_536)];
        let packed = pack(&parts.concat()).unwrap();
        assert_eq!(simple_decompress::<f64>(&packed).unwrap(), parts.concat());
        let (ours, one) = (packed.len(), one_chunk(&parts.concat()));
        assert!(ours * 100 < one * 105, "{ours} bytes, {one} as one chunk");
        // Had the way of the silence at the beginning been kept, the signal would be as large as the noise.
        let signal = pack(&[vec![0.0; 16_384], adc(49_152)].concat()).unwrap().len();
        assert!(signal * 100 < one_chunk(&adc(49_152)) * 115, "{signal} bytes");
    }

    #[test]
    fn latents_are_in_the_order_of_their_numbers() {
        // By the order that the standard library gives to all floats.
        let ordered = |number: f64| {
            let bits = number.to_bits();
            if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
        };
        for number in [LSB, -LSB, 0.0, -0.0, 1.0, f64::MAX, f64::MIN_POSITIVE, f64::NEG_INFINITY] {
            assert_eq!(of_ordered(ordered(number)).to_bits(), number.to_bits(), "{number}");
        }
    }
}
