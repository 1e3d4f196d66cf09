//! What the sizes of a carrier's chunks say about the size of a lost one.

use std::ops::RangeInclusive;

/// The sizes seen, in samples per channel. Only the chunk with the greatest
/// number is apart: it may be the last of the run, and shorter for that.
#[derive(Debug, Clone, Default)]
pub(super) struct Sizes {
    /// The least and the greatest size of all others.
    settled: Option<(u64, u64)>,
    /// The greatest number, and that chunk's size.
    highest: Option<(u64, u64)>,
}

impl Sizes {
    /// Notes a chunk that was not seen before.
    pub(super) fn see(&mut self, number: u64, size: u64) {
        let settled = match self.highest {
            Some((highest, _)) if number < highest => Some(size),
            former => {
                self.highest = Some((number, size));
                former.map(|(_, size)| size)
            }
        };
        if let Some(size) = settled {
            let (least, most) = self.settled.unwrap_or((size, size));
            self.settled = Some((least.min(size), most.max(size)));
        }
    }

    /// The greatest number seen.
    pub(super) fn highest(&self) -> Option<u64> {
        self.highest.map(|(number, _)| number)
    }

    /// The one size that all chunks have, while there is one.
    pub(super) fn steady(&self) -> Option<u64> {
        let ((least, most), (_, last)) = self.settled.zip(self.highest)?;
        (least == most && last <= most).then_some(most)
    }

    /// The sizes that a lost chunk may well have had: those seen; anything up to
    /// the limit where only one was.
    pub(super) fn plausible(&self, limit: u64) -> RangeInclusive<u64> {
        match self.settled.zip(self.highest) {
            Some(((least, most), (_, last))) => least..=most.max(last),
            None => 1..=limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(seen: &[(u64, u64)]) -> Sizes {
        let mut sizes = Sizes::default();
        for (number, size) in seen {
            sizes.see(*number, *size);
        }
        sizes
    }

    #[test]
    fn the_last_chunk_may_be_shorter() {
        assert_eq!(sizes(&[(0, 100), (1, 100), (2, 7)]).steady(), Some(100));
        assert_eq!(sizes(&[(2, 7), (0, 100)]).steady(), Some(100), "in any order");
        assert_eq!(sizes(&[(0, 100), (2, 7), (3, 100)]).steady(), None, "it was not the last");
        assert_eq!(sizes(&[(0, 100), (1, 101)]).steady(), None, "longer");
    }

    #[test]
    fn one_chunk_says_too_little() {
        assert_eq!(sizes(&[(4, 100)]).steady(), None);
        assert_eq!(sizes(&[(4, 100)]).plausible(800), 1..=800);
        assert_eq!(sizes(&[(4, 100), (6, 30), (5, 60), (7, 80)]).plausible(800), 30..=100);
    }
}
