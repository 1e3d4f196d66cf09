//! What a checkpoint wrote, by hash.

use std::collections::HashMap;
use std::ops::Range;

use lucihub_models_core::cold::Checkpoint;
use lucihub_models_core::{Digest, SampleCell};

use crate::read::CellKey;

/// The hashes of cells as they were when a checkpoint read them from hot storage.
///
/// A cell that cold storage gives back with the same hash need not be compared with hot storage once more.
#[derive(Debug, Default)]
pub(super) struct Written(HashMap<CellKey, (Range<u64>, Digest)>);

impl Written {
    /// Notes what was written.
    pub(super) fn note(&mut self, cells: &Checkpoint) {
        let lines = cells.lines.iter().map(|cell| (CellKey::Lines(cell.cell), (cell.first..cell.end(), cell.hash())));
        let samples = cells.samples.iter().map(|cell| {
            let SampleCell { channel, cell: number, series } = cell;
            let key = CellKey::Samples { channel: *channel, cell: *number };
            (key, (series.first..series.end, cell.hash()))
        });
        self.0.extend(lines.chain(samples));
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a cell was written as just that.
    pub(super) fn has(&self, key: CellKey, range: &Range<u64>, hash: &Digest) -> bool {
        self.0.get(&key).is_some_and(|(at, written)| at == range && written == hash)
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{LogCell, LogLine, Series, Timestamp};

    use super::*;

    #[test]
    fn only_the_same_range_with_the_same_content_was_written() {
        let samples = |values: &[f64]| {
            let series = Series { first: 0, end: values.len() as u64, gaps: Vec::new(), values: values.to_vec() };
            SampleCell { channel: 1, cell: 0, series }
        };
        let lines = |text: &str| LogCell { cell: 2, first: 2_048, lines: vec![LogLine::new(Timestamp::EPOCH, text)] };
        let mut written = Written::default();
        written.note(&Checkpoint { lines: vec![lines("a")], samples: vec![samples(&[1.0, 2.0])], head: None });

        let key = CellKey::Samples { channel: 1, cell: 0 };
        assert!(written.has(key, &(0..2), &samples(&[1.0, 2.0]).hash()));
        assert!(!written.has(key, &(0..2), &samples(&[1.0, 3.0]).hash()));
        assert!(!written.has(key, &(0..1), &samples(&[1.0, 2.0]).hash()));
        assert!(!written.has(CellKey::Samples { channel: 2, cell: 0 }, &(0..2), &samples(&[1.0, 2.0]).hash()));
        assert!(written.has(CellKey::Lines(2), &(2_048..2_049), &lines("a").hash()));
        assert!(!written.has(CellKey::Lines(2), &(2_048..2_049), &lines("b").hash()));
        assert!(!Written::default().has(key, &(0..2), &samples(&[1.0, 2.0]).hash()));
    }
}
