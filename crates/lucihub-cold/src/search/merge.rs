//! Several walks, merged: never more in memory than twice of what is wanted.

use std::cmp::Ordering;

use lucihub_models_core::Order;

use super::conditions::Bound;
use crate::types::{Id, Time};

/// What has a place in a list.
pub(super) trait Placed {
    fn key(&self) -> (Time, Id);
}

impl Placed for (Time, Id) {
    fn key(&self) -> Self {
        *self
    }
}

/// The first so many of what walks find, in order.
pub(super) struct Merge<T> {
    order: Order,
    most: usize,
    found: Vec<T>,
}

impl<T: Placed> Merge<T> {
    pub(super) const fn new(order: Order, most: usize) -> Self {
        Self { order, most, found: Vec::new() }
    }

    /// Where the next walk may end: what comes from there on would be left out again. `None` while there is room.
    pub(super) fn end(&self) -> Option<Bound> {
        if self.found.len() < self.most {
            return None;
        }
        let (created_at, id) = self.found.last()?.key();
        Some(Bound::before(self.order, created_at.0, id.0))
    }

    /// What a walk has found. A run that several walks find counts once.
    pub(super) fn add(&mut self, walked: Vec<T>) {
        self.found.extend(walked);
        // Both are in order: this sort sees that, and merges them.
        self.found.sort_by(|a, b| place(self.order, a.key(), b.key()));
        self.found.dedup_by(|a, b| a.key() == b.key());
        self.found.truncate(self.most);
    }

    pub(super) fn into_found(self) -> Vec<T> {
        self.found
    }
}

/// Which of two places comes first in a list.
pub(super) fn place(order: Order, a: (Time, Id), b: (Time, Id)) -> Ordering {
    let oldest = (a.0, a.1.0).cmp(&(b.0, b.1.0));
    match order {
        Order::Oldest => oldest,
        Order::Newest => oldest.reverse(),
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{RunId, Timestamp};

    use super::*;

    fn key(n: u32) -> (Time, Id) {
        (Time(Timestamp::from_micros(n.into()).unwrap()), Id(RunId::from_uuid(uuid::Uuid::from_u128(n.into()))))
    }

    #[test]
    fn walks_merge_to_the_first_of_all_each_once() {
        for order in [Order::Newest, Order::Oldest] {
            let mut merge = Merge::new(order, 6);
            let mut expected: Vec<_> = (0..100).filter(|n| n % 3 == 0 || n % 5 == 0).map(key).collect();
            if order == Order::Newest {
                expected.reverse();
            }
            for step in [3, 5, 15] {
                // A walk stops where it is told to.
                let end = merge.found.get(5).copied();
                let mut walk: Vec<_> = (0..100).filter(|n| n % step == 0).map(key).collect();
                walk.sort_by(|a, b| place(order, *a, *b));
                walk.retain(|key| end.is_none_or(|end| place(order, *key, end).is_lt()));
                walk.truncate(6);
                merge.add(walk);
                assert!(merge.found.len() <= 6);
                assert_eq!(merge.end().is_some(), merge.found.len() == 6);
            }
            assert_eq!(merge.into_found(), expected[..6]);
        }
    }
}
