//! What the adapter remembers of runs: copies that the server confirms, never decisions.
//!
//! - A head is large and rarely changes: it is fetched again only when its revision has.
//! - A batch is planned here, by core's pure code, on the run as it was after the batch before. The script writes it
//!   only if the run is still exactly that: its *tip*, which names incarnation, writer and last batch, is the same. So plans may run ahead of the answers,
//!   with a whole window in flight, and a plan that is out of date writes nothing.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use lucihub_models_core::{Batch, Positions, RunHead, RunId, WriterMark};

/// The run after one batch of one writer.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) mark: WriterMark,
    pub(super) seq: u64,
    /// What the server calls the run as it is then.
    pub(super) tip: String,
    pub(super) head: Arc<RunHead>,
    pub(super) next: Positions,
}

/// What is remembered of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    /// Drawn when the run was placed: another one is another life of the run.
    pub(super) incarnation: String,
    /// The head, and the revision it is of.
    pub(super) head: Option<(String, Arc<RunHead>)>,
    /// Confirmed positions, and the revision they are of, incarnation included.
    pub(super) confirmed: Option<(String, Positions)>,
    /// The run after each of the last batches, in order.
    stages: VecDeque<Stage>,
}

impl Remembered {
    /// What `snapshot` in the scripts compares: incarnation and revision of the head.
    pub(super) fn known_head(&self) -> String {
        self.head.as_ref().map_or_else(String::new, |(rev, _)| format!("{}.{rev}", self.incarnation))
    }

    pub(super) fn known_confirmed(&self) -> String {
        self.confirmed.as_ref().map_or_else(String::new, |(rev, _)| rev.clone())
    }

    /// The run as it is before a batch, if that is remembered.
    pub(super) fn before(&self, batch: &Batch) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.mark == batch.mark() && stage.seq.checked_add(1) == Some(batch.seq()))
    }

    /// Remembers the run after a batch, and forgets what was planned to follow another one.
    pub(super) fn stage(&mut self, stage: Stage) {
        if self.stages.back().is_some_and(|last| last.mark != stage.mark) {
            self.stages.clear();
        }
        self.stages.retain(|other| other.seq < stage.seq);
        self.stages.push_back(stage);
        if self.stages.len() > Batch::WINDOW + 1 {
            self.stages.pop_front();
        }
    }

    /// Forgets all that another incarnation left.
    pub(super) fn be(&mut self, incarnation: &str) {
        if self.incarnation != incarnation {
            *self = Self { incarnation: incarnation.to_owned(), ..Self::default() };
        }
    }

    /// Forgets what batches are planned on.
    pub(super) fn forget_stages(&mut self) {
        self.stages.clear();
    }
}

/// What is remembered of the runs that were last asked for.
pub(super) struct Cache {
    runs: Mutex<LruCache<RunId, Remembered>>,
}

impl Cache {
    /// Runs that are remembered. A head has a few kilobytes, and at most a few megabytes.
    const RUNS: NonZeroUsize = NonZeroUsize::new(2_048).expect("not zero");

    pub(super) fn new() -> Self {
        Self { runs: Mutex::new(LruCache::new(Self::RUNS)) }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<RunId, Remembered>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at or changes what is remembered of a run.
    pub(super) fn with<T>(&self, run: RunId, act: impl FnOnce(&mut Remembered) -> T) -> T {
        act(self.lock().get_or_insert_mut(run, Remembered::default))
    }

    pub(super) fn forget(&self, run: RunId) {
        self.lock().pop(&run);
    }
}
