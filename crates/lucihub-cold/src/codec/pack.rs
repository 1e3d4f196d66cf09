//! How numbers become pco: in chunks, each in the way that was found for those before it.
//!
//! pco finds out by trial which mode and which order of differences suit numbers best, and that takes it longer than the
//! packing. A channel rarely changes its nature within a cell, so the trial is made once, on its first samples, and again
//! where a chunk came out larger than was to be expected. Chunks of 128 KiB stay in the cache of a core while they are
//! sorted into bins. Together that is half the time of one chunk with a trial of its own, for 1 to 2 percent more bytes.

use pco::data_types::Number;
use pco::errors::PcoResult;
use pco::metadata::{ChunkMeta, DeltaEncoding, DynLatent, Mode};
use pco::standalone::{FileCompressor, simple_decompress_into};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

use super::{Damage, Decoded};

/// Samples of a chunk.
const CHUNK: usize = 16_384;

/// Numbers that are packed.
pub(super) trait Packed: Number {
    /// How hard pco tries.
    const LEVEL: usize;
    /// Numbers that the first trial is made on; all of the first chunk are, where that is shorter.
    const TRIAL: usize;

    /// Whether each bit is the same.
    fn same(self, other: Self) -> bool;
}

impl Packed for f64 {
    /// 0.3 bytes per sample of a 14-bit ADC, about 2 of smooth f64. Lower levels and the classic mode alone are poor.
    const LEVEL: usize = 8;
    const TRIAL: usize = 4_096;

    fn same(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }
}

impl Packed for i16 {
    /// More brings less than a percent.
    const LEVEL: usize = 6;
    /// Of a quarter of them the wrong order of differences was taken for two channels of eight, at two thirds more bytes.
    const TRIAL: usize = CHUNK;

    fn same(self, other: Self) -> bool {
        self == other
    }
}

/// Numbers that are packed as they come. Where they come in multiples of a chunk, the bytes do not depend on how.
#[derive(Debug, Clone)]
pub(super) struct Packing {
    chunks: Vec<u8>,
    count: usize,
    /// How the last chunk was packed.
    last: Option<Chunk>,
}

impl Packing {
    /// None yet.
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), count: 0, last: None }
    }

    /// Packs more numbers, of the same kind as those before. Each chunk is decoded and compared at once: decoding costs a
    /// few percent of encoding, and the archive is the last copy. `false` if pco does not give each bit back, or fails:
    /// then what was there before counts.
    pub(super) fn push<T: Packed>(&mut self, numbers: &[T]) -> bool {
        let (length, count) = (self.chunks.len(), self.count);
        let pushed = self.push_chunks(numbers).unwrap_or(false);
        if !pushed {
            self.chunks.truncate(length);
            self.count = count;
        }
        pushed
    }

    fn push_chunks<T: Packed>(&mut self, numbers: &[T]) -> PcoResult<bool> {
        let file = FileCompressor::default();
        if self.last.is_none() && numbers.len() >= CHUNK && T::TRIAL < CHUNK {
            self.last = Some(Chunk::of(&file, &numbers[..T::TRIAL], &Way::default())?.0);
        }
        let mut unpacked = Vec::new();
        for chunk in numbers.chunks(CHUNK) {
            let known = self.last.as_ref().map(|before| before.way.clone()).unwrap_or_default();
            let (mut best, mut bytes) = Chunk::of(&file, chunk, &known)?;
            if self.last.as_ref().is_some_and(|before| best.is_poor_beside(before)) {
                let (anew, in_bytes) = Chunk::of(&file, chunk, &Way::default())?;
                if anew.length < best.length {
                    (best, bytes) = (anew, in_bytes);
                }
            }
            unpacked.resize(chunk.len(), T::default());
            if !gives_back(&file, &bytes, chunk, &mut unpacked)? {
                return Ok(false);
            }
            self.chunks.extend_from_slice(&bytes);
            self.count += chunk.len();
            self.last = Some(best);
        }
        Ok(true)
    }

    /// How many numbers there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Bytes that they take.
    pub(super) const fn bytes(&self) -> usize {
        self.chunks.len()
    }

    /// All of them in the standalone format.
    pub(super) fn file(&self) -> Decoded<Vec<u8>> {
        let file = FileCompressor::default().with_n_hint(self.count);
        let mut packed = file.write_header(Vec::with_capacity(self.chunks.len() + 16)).map_err(Damage::new)?;
        packed.extend_from_slice(&self.chunks);
        file.write_footer(packed).map_err(Damage::new)
    }
}

/// Unpacks as many numbers as there are places for them.
pub(super) fn unpack<T: Packed>(bytes: &[u8], numbers: &mut [T]) -> Decoded<()> {
    let progress = simple_decompress_into(bytes, numbers).map_err(Damage::new)?;
    if progress.n_processed != numbers.len() || !progress.finished {
        return Err(Damage::new(format!("{} of {} numbers", progress.n_processed, numbers.len())));
    }
    Ok(())
}

/// Whether a chunk decodes to its numbers, bit for bit.
fn gives_back<T: Packed>(file: &FileCompressor, bytes: &[u8], chunk: &[T], unpacked: &mut [T]) -> PcoResult<bool> {
    let mut alone = file.write_header(Vec::with_capacity(bytes.len() + 16))?;
    alone.extend_from_slice(bytes);
    let alone = file.write_footer(alone)?;
    let progress = simple_decompress_into(&alone, unpacked)?;
    let same = |(found, number): (&T, &T)| found.same(*number);
    Ok(progress.n_processed == chunk.len() && progress.finished && unpacked.iter().zip(chunk).all(same))
}

/// A way to pack; by default pco looks for one.
#[derive(Debug, Clone, Default)]
struct Way {
    mode: ModeSpec,
    delta: DeltaSpec,
}

/// How a chunk was packed.
#[derive(Debug, Clone)]
struct Chunk {
    length: usize,
    count: usize,
    way: Way,
}

impl Chunk {
    fn of<T: Packed>(file: &FileCompressor, chunk: &[T], way: &Way) -> PcoResult<(Self, Vec<u8>)> {
        let config = ChunkConfig::default()
            .with_compression_level(T::LEVEL)
            .with_mode_spec(way.mode.clone())
            .with_delta_spec(way.delta.clone());
        let mut compressor = file.chunk_compressor(chunk, &config)?;
        let way = Way::found(compressor.meta());
        let bytes = compressor.write(Vec::with_capacity(compressor.size_hint()))?;
        Ok((Self { length: bytes.len(), count: chunk.len(), way }, bytes))
    }

    /// Whether it takes more than a quarter more bytes per sample: then it may be of another nature.
    const fn is_poor_beside(&self, before: &Self) -> bool {
        4 * self.length * before.count > 5 * before.length * self.count
    }
}

impl Way {
    /// The way that a chunk was packed. What cannot be asked for by name is looked for again.
    fn found(meta: &ChunkMeta) -> Self {
        let mode = match &meta.mode {
            Mode::Classic => ModeSpec::Classic,
            Mode::FloatMult(DynLatent::U64(base)) => ModeSpec::TryFloatMult(of_ordered(*base)),
            Mode::FloatQuant(bits) => ModeSpec::TryFloatQuant(*bits),
            Mode::IntMult(DynLatent::U16(base)) => ModeSpec::TryIntMult((*base).into()),
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

    fn pack(values: &[f64]) -> Decoded<Vec<u8>> {
        let mut packing = Packing::new();
        assert!(packing.push(values));
        packing.file()
    }

    /// What pco makes of it as one chunk with a trial of its own.
    fn one_chunk(values: &[f64]) -> usize {
        simple_compress(values, &ChunkConfig::default().with_compression_level(f64::LEVEL)).unwrap().len()
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
    fn the_bytes_do_not_depend_on_how_chunks_come() {
        let values = [adc(30_000), noise(30_000)].concat();
        let whole = pack(&values).unwrap();
        let mut packing = Packing::new();
        for part in [&values[..16_384], &values[16_384..49_152], &values[49_152..]] {
            assert!(packing.push(part));
        }
        assert_eq!((packing.count(), packing.file().unwrap()), (60_000, whole));
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
