//! What a checkpoint wrote, by hash.

use std::collections::HashMap;
use std::ops::Range;

use lucihub_models_core::cold::Checkpoint;
use lucihub_models_core::{Digest, SampleCell};

use super::tails::{Parts, is_made_of};
use crate::read::{Cell, CellKey};

/// The hashes of cells as they were when a checkpoint read them from hot storage.
///
/// A cell that cold storage gives back with the same hash need not be compared with hot storage once more.
#[derive(Debug, Default)]
pub(super) struct Written(HashMap<CellKey, (Range<u64>, Hashes)>);

/// What a cell was made of.
#[derive(Debug)]
enum Hashes {
    Whole(Digest),
    Parts(Parts),
}

impl Written {
    /// Notes what was written whole.
    pub(super) fn note(&mut self, cells: &Checkpoint) {
        let whole = |range, hash| (range, Hashes::Whole(hash));
        let lines =
            cells.lines.iter().map(|cell| (CellKey::Lines(cell.cell), whole(cell.first..cell.end(), cell.hash())));
        let samples = cells.samples.iter().map(|cell| {
            let SampleCell { channel, cell: number, series } = cell;
            let key = CellKey::Samples { channel: *channel, cell: *number };
            (key, whole(series.first..series.end, cell.hash()))
        });
        self.0.extend(lines.chain(samples));
    }

    /// Notes a cell that was written part by part.
    pub(super) fn note_grown(&mut self, key: CellKey, parts: Parts) {
        if let (Some((first, _)), Some((last, _))) = (parts.first(), parts.last()) {
            self.0.insert(key, (first.start..last.end, Hashes::Parts(parts)));
        }
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a cell, which has this hash, was written as just that.
    pub(super) fn has(&self, key: CellKey, range: &Range<u64>, cell: &Cell, hash: &Digest) -> bool {
        self.0.get(&key).is_some_and(|(at, written)| {
            at == range
                && match (written, cell) {
                    (Hashes::Whole(written), _) => written == hash,
                    (Hashes::Parts(parts), Cell::Samples(cell)) => is_made_of(cell, parts),
                    (Hashes::Parts(_), Cell::Lines(_)) => false,
                }
        })
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{LogCell, LogLine, Series, Timestamp};

    use super::*;

    fn samples(values: &[f64]) -> SampleCell {
        let series = Series { first: 0, end: values.len() as u64, gaps: Vec::new(), values: values.to_vec() };
        SampleCell { channel: 1, cell: 0, series }
    }

    fn has(written: &Written, key: CellKey, range: Range<u64>, cell: &Cell) -> bool {
        written.has(key, &range, cell, &cell.hash())
    }

    #[test]
    fn only_the_same_range_with_the_same_content_was_written() {
        let sampled = |values: &[f64]| Cell::Samples(samples(values));
        let log = |text: &str| LogCell { cell: 2, first: 2_048, lines: vec![LogLine::new(Timestamp::EPOCH, text)] };
        let lines = |text: &str| Cell::Lines(log(text));
        let mut written = Written::default();
        let cells = Checkpoint { lines: vec![log("a")], samples: vec![samples(&[1.0, 2.0])], ..Checkpoint::default() };
        written.note(&cells);

        let key = CellKey::Samples { channel: 1, cell: 0 };
        assert!(has(&written, key, 0..2, &sampled(&[1.0, 2.0])));
        assert!(!has(&written, key, 0..2, &sampled(&[1.0, 3.0])));
        assert!(!has(&written, key, 0..1, &sampled(&[1.0, 2.0])));
        assert!(!has(&written, CellKey::Samples { channel: 2, cell: 0 }, 0..2, &sampled(&[1.0, 2.0])));
        assert!(has(&written, CellKey::Lines(2), 2_048..2_049, &lines("a")));
        assert!(!has(&written, CellKey::Lines(2), 2_048..2_049, &lines("b")));
        assert!(!has(&Written::default(), key, 0..2, &sampled(&[1.0, 2.0])));
    }

    #[test]
    fn a_cell_was_written_if_each_of_its_parts_was() {
        let whole = samples(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let part = |range: Range<u64>| {
            let series = whole.series.slice(range.clone());
            (range, SampleCell { series, ..whole.clone() }.hash())
        };
        let key = CellKey::Samples { channel: 1, cell: 0 };
        let written = |parts: Parts| {
            let mut written = Written::default();
            written.note_grown(key, parts);
            written
        };
        let all = written(vec![part(0..2), part(2..4), part(4..5)]);
        assert!(has(&all, key, 0..5, &Cell::Samples(whole.clone())));
        assert!(!has(&all, key, 0..5, &Cell::Samples(samples(&[1.0, 2.0, 3.0, -4.0, 5.0]))));
        assert!(!has(&all, key, 0..4, &Cell::Samples(samples(&[1.0, 2.0, 3.0, 4.0]))));
        for short in [vec![part(0..2), part(4..5)], vec![part(0..2), part(2..4)], vec![part(2..4), part(4..5)]] {
            assert!(!has(&written(short), key, 0..5, &Cell::Samples(whole.clone())));
        }
    }
}
