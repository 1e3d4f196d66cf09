//! The requests whose answer a proxy swallows: patterns that it looks for in what clients send.

use std::sync::{Mutex, PoisonError};

/// The patterns of a proxy, each as often as it may still be found.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<Vec<Vec<u8>>>);

/// The end of what a client has sent, for a pattern that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Tail(Vec<u8>);

impl Requests {
    pub(super) fn add(&self, pattern: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(pattern.to_owned());
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn left(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Looks at the next bytes of a client and takes the pattern that ends first in them, if one does; returns how many of the
    /// bytes it takes to complete it.
    pub(super) fn take(&self, tail: &mut Tail, bytes: &[u8]) -> Option<usize> {
        let mut patterns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(longest) = patterns.iter().map(Vec::len).max() else {
            // What passes before there is a pattern is no part of one.
            tail.0.clear();
            return None;
        };
        let before = tail.0.len();
        tail.0.extend_from_slice(bytes);
        // Where a pattern ends in the tail alone, it was not looked for then.
        let end_of = |pattern: &Vec<u8>| {
            let found = tail.0.windows(pattern.len()).map(|window| window == pattern).enumerate();
            let mut ends = found.filter(|(_, is_it)| *is_it).map(|(at, _)| at + pattern.len());
            ends.find(|end| *end > before)
        };
        let found = patterns.iter().enumerate().filter_map(|(index, pattern)| Some((end_of(pattern)?, index))).min();
        let useless = (tail.0.len() + 1).saturating_sub(longest);
        tail.0.drain(..useless);
        found.map(|(end, index)| {
            patterns.remove(index);
            end - before
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(patterns: &[&str]) -> Requests {
        let requests = Requests::default();
        patterns.iter().for_each(|pattern| requests.add(pattern.as_bytes()));
        requests
    }

    #[test]
    fn a_pattern_is_found_once_however_it_is_cut() {
        let text = b"xxCOCOMMITyyCOMMIT";
        for cut in 0..=text.len() {
            for more in cut..=text.len() {
                let requests = requests(&["COMMIT"]);
                let (mut tail, mut passed, mut found) = (Tail::default(), 0, Vec::new());
                for piece in [&text[..cut], &text[cut..more], &text[more..]] {
                    found.extend(requests.take(&mut tail, piece).map(|end| passed + end));
                    passed += piece.len();
                }
                assert_eq!(found, [10], "cut at {cut} and {more}");
                assert_eq!(requests.left(), 0);
            }
        }
    }

    #[test]
    fn the_pattern_that_ends_first_is_taken_and_the_others_stay() {
        let requests = requests(&["long pattern", "tt", "tt"]);
        let mut tail = Tail::default();
        assert_eq!(requests.take(&mut tail, b"long pat"), None);
        assert_eq!(requests.take(&mut tail, b"tern"), Some(1));
        assert_eq!(requests.left(), 2);
        assert_eq!(requests.take(&mut Tail::default(), b"tern"), None, "another connection");
    }

    #[test]
    fn what_passed_before_the_pattern_was_there_does_not_count() {
        let requests = requests(&[]);
        let mut tail = Tail::default();
        assert_eq!(requests.take(&mut tail, b"COM"), None);
        requests.add(b"COMMIT");
        assert_eq!(requests.take(&mut tail, b"MIT"), None);
        requests.clear();
        assert_eq!(requests.take(&mut tail, b"COMMIT"), None);
    }
}
