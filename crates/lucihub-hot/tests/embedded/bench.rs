//! A store under test with a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use lucihub_hot::embedded::{EmbeddedHot, EmbeddedOptions};
use lucihub_models_core::hot::{HotAppend, HotRun, HotRuns, HotWatch, Opened, Outcome, TakeOver, TookOver};
use lucihub_models_core::{Batch, BatchBody, RunHead, RunId, RunState, WriterId, WriterMark};
use lucihub_testkit::ManualClock;
use lucihub_testkit::models::{lines_body, run_head, samples_body, state_body};

/// The lease that every worker takes here.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// How long things are kept here.
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// The answer of a call. The embedded store never makes a caller wait.
pub(crate) fn at_once<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().expect("no call of the embedded store waits")
}

/// A store and its clock.
pub(crate) struct Bench {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hot: Arc<EmbeddedHot>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(EmbeddedOptions::default())
    }

    pub(crate) fn with(options: EmbeddedOptions) -> Self {
        let clock = Arc::new(ManualClock::new());
        Self { hot: Arc::new(EmbeddedHot::new(options, clock.clone())), clock }
    }

    pub(crate) fn used(&self) -> u64 {
        at_once(self.hot.health()).unwrap().used_bytes
    }

    pub(crate) fn get(&self, run: RunId) -> HotRun {
        at_once(self.hot.get(run)).unwrap().expect("the run is there")
    }

    /// Opens a run and takes it over.
    pub(crate) fn start(&self, head: &RunHead) -> Worker {
        assert_eq!(at_once(self.hot.open(head)).unwrap(), Opened::Created);
        self.take_over(head.id, 1)
    }

    pub(crate) fn take_over(&self, run: RunId, writer: u128) -> Worker {
        let request = request(run, writer);
        match at_once(self.hot.take_over(&request)).unwrap() {
            TookOver::Taken(taken) => Worker { hot: self.hot.clone(), run, mark: taken.mark, seq: taken.last_seq() },
            other => panic!("not taken: {other:?}"),
        }
    }

    /// A started run with four channels.
    pub(crate) fn started(&self, seed: u64) -> Worker {
        self.start(&run_head(seed))
    }
}

pub(crate) fn request(run: RunId, writer: u128) -> TakeOver {
    TakeOver { run, worker: format!("worker-{writer}"), writer: WriterId::from_bits(writer), lease: LEASE }
}

/// The writer of a run.
pub(crate) struct Worker {
    pub(crate) hot: Arc<EmbeddedHot>,
    pub(crate) run: RunId,
    pub(crate) mark: WriterMark,
    pub(crate) seq: u64,
}

impl Worker {
    /// The next batch, not sent yet.
    pub(crate) fn batch(&self, body: BatchBody) -> Batch {
        Batch::new(self.run, self.mark, self.seq + 1, body)
    }

    /// Sends a body under the next number.
    pub(crate) fn send(&mut self, body: BatchBody) -> Outcome {
        let outcome = at_once(self.hot.append(&self.batch(body))).unwrap().outcome;
        if outcome == Outcome::Applied {
            self.seq += 1;
        }
        outcome
    }

    /// Sends a body that must be applied.
    pub(crate) fn put(&mut self, body: BatchBody) {
        assert_eq!(self.send(body), Outcome::Applied);
    }
}

/// A run that went through everything that takes room.
pub(crate) fn busy(bench: &Bench, seed: u64) -> Worker {
    let mut worker = bench.started(seed);
    worker.put(state_body([RunState::InProgress, RunState::InProgress]));
    worker.put(samples_body(worker.run, [(0, 0..100), (2, 50..80)]));
    worker.put(lines_body(["one", "two"]));
    let mut patch = BatchBody::default();
    patch.patch.firmware = Some("1.4.3".to_owned());
    patch.patch.error = Some("overload".repeat(100));
    worker.put(patch.clone());
    patch.patch.error = Some("none".to_owned());
    worker.put(patch);
    worker
}
