//! Bytes in use: reserved before a write, given back by dropping.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The room that all runs and devices of a store have together.
#[derive(Debug)]
pub(super) struct Room {
    used: AtomicU64,
    max: u64,
}

impl Room {
    pub(super) fn new(max: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), max })
    }

    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) const fn max(&self) -> u64 {
        self.max
    }

    /// A share of this size, if there is room for it.
    pub(super) fn share(self: &Arc<Self>, bytes: u64) -> Option<Share> {
        let mut share = Share { room: self.clone(), bytes: 0 };
        share.try_set(bytes).then_some(share)
    }
}

/// What one run or device holds of the room. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Share {
    room: Arc<Room>,
    bytes: u64,
}

impl Share {
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Changes the size; growing needs room. `false` if there is none, and then
    /// nothing has changed.
    pub(super) fn try_set(&mut self, bytes: u64) -> bool {
        if bytes > self.bytes {
            let (more, max) = (bytes - self.bytes, self.room.max);
            let within = |used: u64| used.checked_add(more).filter(|sum| *sum <= max);
            if self.room.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_err() {
                return false;
            }
            self.bytes = bytes;
        } else {
            self.set(bytes);
        }
        true
    }

    /// Changes the size, whether or not there is room: for the few bytes of a
    /// step that must not fail, such as a cancel.
    pub(super) fn set(&mut self, bytes: u64) {
        if bytes > self.bytes {
            self.room.used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            self.room.used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_stay_within_the_room_and_give_back_all() {
        let room = Room::new(100);
        let mut a = room.share(60).unwrap();
        assert!(room.share(41).is_none());
        let b = room.share(40).unwrap();
        assert!(!a.try_set(61), "one byte past the room");
        assert_eq!((a.bytes(), room.used()), (60, 100), "a refusal changes nothing");
        a.set(70);
        assert_eq!(room.used(), 110, "a step that must not fail is counted all the same");
        assert!(a.try_set(70), "what does not grow is never refused");
        assert!(a.try_set(10));
        assert_eq!(room.used(), 50);
        drop((a, b));
        assert_eq!(room.used(), 0);
    }
}
