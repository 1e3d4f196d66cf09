//! What the adapter remembers of runs: copies that the server confirms, never decisions.
//!
//! - A head is large and rarely changes: it is fetched again only when its revision has.
//! - A batch is planned here, by core's pure code, on the run as it was after the batch before. The script writes it
//!   only if the run is still exactly that: its *tip*, which names incarnation, writer and last batch, is the same. So
//!   plans may run ahead of the answers, with a whole window in flight, and a plan that is out of date writes nothing.

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
    /// Bytes that the head is as a document, about.
    pub(super) head_bytes: usize,
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

    /// Whether the run is remembered as it is under this tip.
    pub(super) fn has_stage(&self, tip: &str) -> bool {
        self.stages.iter().any(|stage| stage.tip == tip)
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

    /// Bytes that this takes, about.
    fn weight(&self) -> usize {
        /// What there is besides heads and positions.
        const REST: usize = 512;
        let positions = |positions: &Positions| 8 * positions.samples.len();
        let confirmed = self.confirmed.as_ref().map_or(0, |(_, confirmed)| positions(confirmed));
        let mut heads = 0;
        let mut last = self.head.as_ref().map(|(_, head)| Arc::as_ptr(head));
        heads += usize::from(last.is_some());
        for stage in &self.stages {
            let this = Some(Arc::as_ptr(&stage.head));
            heads += usize::from(this != last);
            last = this;
        }
        let stages: usize = self.stages.iter().map(|stage| REST + positions(&stage.next)).sum();
        REST + confirmed + stages + heads * self.head_bytes
    }

    /// Forgets what batches are planned on.
    pub(super) fn forget_stages(&mut self) {
        self.stages.clear();
    }
}

/// What is remembered of the runs that were last asked for.
pub(super) struct Cache {
    runs: Mutex<Runs>,
}

struct Runs {
    known: LruCache<RunId, (usize, Remembered)>,
    /// Bytes of all of them, about.
    bytes: usize,
}

impl Cache {
    /// Runs that are remembered: more than are live at once. A keeper walks over all of them in turn, so with fewer places
    /// than runs it would find none of them here.
    const RUNS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");
    /// Bytes that are remembered, about: what bounds them. A head has a few kilobytes, and at most a few megabytes.
    const BYTES: usize = 64 * 1024 * 1024;

    pub(super) fn new() -> Self {
        Self { runs: Mutex::new(Runs { known: LruCache::new(Self::RUNS), bytes: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at or changes what is remembered of a run.
    pub(super) fn with<T>(&self, run: RunId, act: impl FnOnce(&mut Remembered) -> T) -> T {
        let mut runs = self.lock();
        if !runs.known.contains(&run)
            && let Some((_, (bytes, _))) = runs.known.push(run, (0, Remembered::default()))
        {
            runs.bytes -= bytes;
        }
        let (before, remembered) = runs.known.get_or_insert_mut(run, Default::default);
        let answer = act(remembered);
        let weight = remembered.weight();
        let grown = std::mem::replace(before, weight);
        runs.bytes = runs.bytes - grown + weight;
        // The one that was just asked for stays.
        while runs.bytes > Self::BYTES
            && runs.known.len() > 1
            && let Some((_, (bytes, _))) = runs.known.pop_lru()
        {
            runs.bytes -= bytes;
        }
        answer
    }

    pub(super) fn forget(&self, run: RunId) {
        let mut runs = self.lock();
        if let Some((bytes, _)) = runs.known.pop(&run) {
            runs.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use lucihub_models_core::{JobType, Timestamp};

    use super::*;

    #[test]
    fn large_heads_leave_before_they_fill_the_memory() {
        const LARGE: usize = 4 * 1024 * 1024;
        let cache = Cache::new();
        let run = |n: u32| -> RunId { format!("00000000-0000-0000-0000-{n:012x}").parse().unwrap() };
        for n in 0..100 {
            let head = Arc::new(RunHead::queued(run(n), JobType::Run, Timestamp::EPOCH));
            cache.with(run(n), |known| {
                known.head = Some(("0".to_owned(), head));
                known.head_bytes = LARGE;
            });
        }
        let known = |n| cache.lock().known.contains(&run(n));
        assert!(known(99) && known(86) && !known(83) && !known(0));
        assert!(cache.lock().bytes <= Cache::BYTES);
        for n in 0..20_000 {
            cache.with(run(n), |_| {});
        }
        (0..20_000).for_each(|n| cache.forget(run(n)));
        assert_eq!(cache.lock().bytes, 0);
    }
}
