//! Each run has one turn at a time: a wake-up and a walk do not do the same work twice.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lucihub_models_core::RunId;

/// The runs that are attended to, and whether they are to be looked at once more.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<RunId, bool>>);

/// The turn of one run. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    run: RunId,
    ended: bool,
}

impl Turns {
    /// Begins the turn of a run. `None` if it has one already, which then goes on for one look more.
    pub(super) fn begin(&self, run: RunId) -> Option<Turn<'_>> {
        let mut turns = self.lock();
        if let Some(again) = turns.get_mut(&run) {
            *again = true;
            return None;
        }
        turns.insert(run, false);
        Some(Turn { turns: self, run, ended: false })
    }

    /// A panic while it was held leaves it usable: every change of it is one step.
    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Ends the turn, or gives it back if the run was to be looked at meanwhile.
    pub(super) fn end(mut self) -> Option<Self> {
        {
            let mut turns = self.turns.lock();
            self.ended = !turns.get_mut(&self.run).is_some_and(std::mem::take);
            if self.ended {
                turns.remove(&self.run);
            }
        }
        (!self.ended).then_some(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Once it has ended, another may have begun.
        if !self.ended {
            self.turns.lock().remove(&self.run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_changes_while_it_is_attended_to_is_looked_at_once_more() {
        let [run, other] = [1, 2].map(lucihub_testkit::models::run_id);
        let turns = Turns::default();
        let turn = turns.begin(run).unwrap();
        assert!(turns.begin(other).is_some(), "another run has its own turn");
        assert!(turns.begin(run).is_none());
        assert!(turns.begin(run).is_none(), "however often it is asked for");
        let turn = turn.end().expect("it changed meanwhile");
        assert!(turn.end().is_none());
        drop(turns.begin(run).expect("the turn has ended"));
        assert!(turns.begin(run).is_some(), "a turn that is dropped has ended too");
    }
}
