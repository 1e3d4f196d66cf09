//! Putting samples in order before they are appended.

use std::collections::BTreeMap;

/// What became of samples that were pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// They follow what came before.
    InOrder,
    /// They wait for earlier ones.
    Waiting,
    /// Their place had become a gap, or was filled: they were dropped, and counted.
    Late,
}

/// Samples of one channel that came too early.
///
/// Datagrams overtake each other by a little. What is missing for longer than
/// the window is a gap, and final.
#[derive(Debug, Default)]
pub(super) struct Reorder {
    waiting: BTreeMap<u64, Vec<f64>>,
    samples: usize,
}

impl Reorder {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Keeps samples until those before them have come. Of two stretches that
    /// begin at the same index, the longer one is kept.
    pub(super) fn keep(&mut self, first: u64, values: &[f64]) {
        let slot = self.waiting.entry(first).or_default();
        if values.len() > slot.len() {
            self.samples += values.len() - slot.len();
            *slot = values.to_vec();
        }
    }

    /// Whether more than `most` samples wait.
    pub(super) const fn is_past(&self, most: usize) -> bool {
        self.samples > most
    }

    /// The first index that waits.
    pub(super) fn first(&self) -> Option<u64> {
        self.waiting.first_key_value().map(|(first, _)| *first)
    }

    /// The samples that follow index `next` without a gap, with what overlaps
    /// cut off.
    pub(super) fn following(&mut self, next: u64) -> Option<Vec<f64>> {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > next {
                return None;
            }
            let (first, mut values) = entry.remove_entry();
            self.samples -= values.len();
            let known = usize::try_from(next - first).unwrap_or(usize::MAX);
            if known < values.len() {
                values.drain(..known);
                return Some(values);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_in_order_what_came_out_of_order() {
        let mut reorder = Reorder::default();
        reorder.keep(4, &[4.0, 5.0]);
        reorder.keep(2, &[2.0, 3.0]);
        reorder.keep(2, &[2.0]);
        assert_eq!(reorder.following(0), None);
        assert_eq!(reorder.first(), Some(2));
        assert_eq!(reorder.following(2), Some(vec![2.0, 3.0]));
        assert_eq!(reorder.following(4), Some(vec![4.0, 5.0]));
        assert!(reorder.is_empty() && !reorder.is_past(0));
    }

    #[test]
    fn cuts_what_overlaps() {
        let mut reorder = Reorder::default();
        reorder.keep(1, &[1.0, 2.0, 3.0]);
        reorder.keep(2, &[2.0]);
        assert_eq!(reorder.following(2), Some(vec![2.0, 3.0]));
        assert_eq!(reorder.following(4), None);
        assert!(reorder.is_empty());
    }
}
