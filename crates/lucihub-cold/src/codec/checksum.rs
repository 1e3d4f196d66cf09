//! Checksums of stored cells: CRC-32C over where a cell belongs, its small columns and its bytes.

use lucihub_models_core::RunId;

/// Collects what a checksum covers. The key is part of it, so that a row which
/// stands under another one's key is found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checksum(u32);

impl Checksum {
    /// Begins with what is checked, of which run, and the numbers of the row.
    pub(crate) fn of(kind: &str, run: RunId, numbers: &[i64]) -> Self {
        Self(0).bytes(kind.as_bytes()).bytes(run.as_uuid().as_bytes()).numbers(numbers)
    }

    /// Adds numbers of the row.
    pub(crate) fn numbers(self, numbers: &[i64]) -> Self {
        numbers.iter().fold(self, |sum, number| sum.feed(&number.to_le_bytes()))
    }

    /// Adds bytes and their length.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.feed(&(bytes.len() as u64).to_le_bytes()).feed(bytes)
    }

    /// The sum, as the column holds it.
    pub(crate) fn finish(self) -> i64 {
        self.0.into()
    }

    fn feed(self, bytes: &[u8]) -> Self {
        Self(crc32c::crc32c_append(self.0, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let run = |n: u128| RunId::from_uuid(uuid::Uuid::from_u128(n));
        let sums = [
            Checksum::of("samples", run(1), &[0, 1]).bytes(b"ab").bytes(b"c"),
            Checksum::of("summary", run(1), &[0, 1]).bytes(b"ab").bytes(b"c"),
            Checksum::of("samples", run(2), &[0, 1]).bytes(b"ab").bytes(b"c"),
            Checksum::of("samples", run(1), &[1, 0]).bytes(b"ab").bytes(b"c"),
            Checksum::of("samples", run(1), &[0, 1]).bytes(b"a").bytes(b"bc"),
            Checksum::of("samples", run(1), &[0, 1]).bytes(b"ab").bytes(b"d"),
        ];
        for (n, sum) in sums.iter().enumerate() {
            for other in &sums[n + 1..] {
                assert_ne!(sum.finish(), other.finish());
            }
        }
    }
}
