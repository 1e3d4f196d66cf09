//! What a checkpoint wrote, by hash.

use std::collections::HashMap;
use std::ops::Range;

use lucihub_models_core::{Digest, LogCell};

use crate::read::CellKey;

/// The hashes of cells as they were when a checkpoint read them from hot storage.
///
/// A cell that cold storage gives back with the same hash need not be compared with hot storage once more; one that it gave
/// back byte for byte need not be decoded.
#[derive(Debug, Default)]
pub(super) struct Written(HashMap<CellKey, Hash>);

/// The hash of one cell.
#[derive(Debug)]
struct Hash {
    range: Range<u64>,
    hash: Digest,
    /// Whether cold storage gave back the bytes that it was given.
    given_back: bool,
}

impl Written {
    /// Notes a log cell.
    pub(super) fn note_lines(&mut self, cell: &LogCell) {
        self.note(CellKey::Lines(cell.cell), cell.first..cell.end(), cell.hash(), false);
    }

    /// Notes a cell, and whether cold storage gave back the bytes that it was given.
    pub(super) fn note(&mut self, key: CellKey, range: Range<u64>, hash: Digest, given_back: bool) {
        self.0.insert(key, Hash { range, hash, given_back });
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a cell, which has this hash, was written as just that.
    pub(super) fn has(&self, key: CellKey, range: &Range<u64>, hash: &Digest) -> bool {
        self.0.get(&key).is_some_and(|written| written.range == *range && written.hash == *hash)
    }

    /// The hash of a cell that cold storage gave back byte for byte.
    pub(super) fn given_back(&self, key: CellKey, range: &Range<u64>) -> Option<Digest> {
        self.0.get(&key).filter(|written| written.given_back && written.range == *range).map(|written| written.hash)
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{LogLine, Timestamp};

    use super::*;

    #[test]
    fn only_the_same_range_with_the_same_content_was_written() {
        let log = |text: &str| LogCell { cell: 2, first: 2_048, lines: vec![LogLine::new(Timestamp::EPOCH, text)] };
        let mut written = Written::default();
        assert!(written.is_empty());
        written.note_lines(&log("a"));
        let (lines, samples) = (CellKey::Lines(2), CellKey::Samples { channel: 1, cell: 0 });
        let [one, other] = ["one", "other"].map(|content| Digest::of(content.as_bytes()));
        written.note(samples, 0..2, one, false);

        assert!(written.has(lines, &(2_048..2_049), &log("a").hash()));
        assert!(!written.has(lines, &(2_048..2_049), &log("b").hash()));
        assert!(written.has(samples, &(0..2), &one));
        assert!(!written.has(samples, &(0..2), &other));
        assert!(!written.has(samples, &(0..1), &one));
        assert!(!written.has(CellKey::Samples { channel: 2, cell: 0 }, &(0..2), &one));
        assert!(!Written::default().has(samples, &(0..2), &one));
    }

    #[test]
    fn only_what_came_back_byte_for_byte_is_not_decoded() {
        let (here, there) = (CellKey::Samples { channel: 1, cell: 0 }, CellKey::Samples { channel: 2, cell: 0 });
        let hash = Digest::of(b"content");
        let mut written = Written::default();
        written.note(here, 0..2, hash, true);
        written.note(there, 0..2, hash, false);
        assert_eq!(written.given_back(here, &(0..2)), Some(hash));
        assert_eq!(written.given_back(here, &(0..3)), None, "it has grown since");
        assert_eq!(written.given_back(there, &(0..2)), None);
    }
}
