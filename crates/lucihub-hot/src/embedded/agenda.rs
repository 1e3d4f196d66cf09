//! When sealed runs and tombstones leave.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use lucihub_models_core::{RunId, Timestamp};

use super::lock;

/// What leaves, and when; the earliest time stands beside the lock, so that
/// every call can afford to look.
#[derive(Debug)]
pub(super) struct Agenda {
    earliest: AtomicI64,
    leaving: Mutex<BTreeSet<(Timestamp, RunId)>>,
}

impl Default for Agenda {
    fn default() -> Self {
        Self { earliest: AtomicI64::new(i64::MAX), leaving: Mutex::default() }
    }
}

impl Agenda {
    /// Moves a run's entry from one time to another.
    pub(super) fn set(&self, run: RunId, before: Option<Timestamp>, after: Option<Timestamp>) {
        if before == after {
            return;
        }
        let mut leaving = lock(&self.leaving);
        if let Some(at) = before {
            leaving.remove(&(at, run));
        }
        if let Some(at) = after {
            leaving.insert((at, run));
        }
        self.note(&leaving);
    }

    /// Takes out those whose time has come, earliest first.
    pub(super) fn due(&self, now: Timestamp) -> Vec<RunId> {
        if self.earliest.load(Ordering::Relaxed) > now.as_micros() {
            return Vec::new();
        }
        let mut leaving = lock(&self.leaving);
        let mut due = Vec::new();
        while leaving.first().is_some_and(|(at, _)| *at <= now) {
            due.extend(leaving.pop_first().map(|(_, run)| run));
        }
        self.note(&leaving);
        due
    }

    fn note(&self, leaving: &BTreeSet<(Timestamp, RunId)>) {
        let earliest = leaving.first().map_or(i64::MAX, |(at, _)| at.as_micros());
        self.earliest.store(earliest, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{RunId, Timestamp};

    use super::Agenda;

    #[test]
    fn each_leaves_once_at_its_last_time() {
        let agenda = Agenda::default();
        let run = |text: &str| text.parse::<RunId>().unwrap();
        let (a, b) = (run("00000000-0000-0000-0000-00000000000a"), run("00000000-0000-0000-0000-00000000000b"));
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        agenda.set(a, None, Some(at(10)));
        agenda.set(b, None, Some(at(5)));
        agenda.set(b, Some(at(5)), Some(at(20)));
        assert!(agenda.due(at(9)).is_empty());
        assert_eq!(agenda.due(at(10)), [a]);
        assert_eq!(agenda.due(at(30)), [b]);
        assert!(agenda.due(Timestamp::MAX).is_empty());
    }
}
