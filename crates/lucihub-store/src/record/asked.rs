//! Writer ids of take-overs that got no certain answer.

use std::sync::{Arc, Mutex, PoisonError};

use lucihub_models_core::{RunId, WriterId};

/// Beyond these the oldest is forgotten: its run is then had again once the lease has run out.
const MOST: usize = 1_000;

/// Who may hold a run without knowing it: a take-over that failed, or was dropped, may have been made all the same. The
/// same worker, asking again, uses the same writer id, and so is not kept out by itself until the lease runs out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<Vec<(RunId, String, WriterId)>>>);

/// A take-over under way. Dropped before it was [answered](Self::answered), its writer id is kept.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    asked: &'a Asked,
    of: Option<(RunId, String, WriterId)>,
}

impl Asked {
    /// The writer id that a worker's last request for a run was made under, if nobody knows what became of it. Only one
    /// caller gets it.
    pub(super) fn again(&self, run: RunId, worker: &str) -> Option<WriterId> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = asked.iter().position(|(r, w, _)| *r == run && w == worker)?;
        Some(asked.remove(at).2)
    }

    pub(super) fn asking(&self, run: RunId, worker: &str, writer: WriterId) -> Asking<'_> {
        Asking { asked: self, of: Some((run, worker.to_owned(), writer)) }
    }
}

impl Asking<'_> {
    /// What became of it is known.
    pub(super) fn answered(mut self) {
        self.of = None;
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let Some(of) = self.of.take() else { return };
        let mut asked = self.asked.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= MOST {
            asked.remove(0);
        }
        asked.push(of);
    }
}
