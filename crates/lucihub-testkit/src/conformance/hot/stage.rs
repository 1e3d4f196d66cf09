//! Where a case plays: fresh ids, and writers that keep their own count.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{Answer, HotRun, HotStore, Outcome, Restore, TakeOver, Taken, TookOver};
use lucihub_models_core::{Batch, BatchBody, IdSource, Positions, RunHead, RunId, WriterMark};

use crate::harness::HotHarness;
use crate::ids::{SeededIds, mix};
use crate::models::run_head;

/// How long leases of the suite last. Real clocks go on while a case plays, so
/// no case takes longer than a fraction of it.
pub(super) const LEASE: Duration = Duration::from_secs(600);

/// The store under test, and ids that no other case has.
pub(super) struct Stage<'a> {
    pub(super) harness: &'a dyn HotHarness,
    pub(super) store: Arc<dyn HotStore>,
    pub(super) ids: SeededIds,
}

impl<'a> Stage<'a> {
    /// A stage of its own for a case, by its name.
    pub(super) fn new(harness: &'a dyn HotHarness, case: &str) -> Self {
        let named = case.bytes().fold(harness.seed(), |seed, byte| mix(seed ^ u64::from(byte)));
        Self { harness, store: harness.store(), ids: SeededIds::new(named) }
    }

    /// The same stage on another store.
    pub(super) fn on(&self, store: Arc<dyn HotStore>) -> Self {
        let (seed, _) = self.ids.run_id().as_uuid().as_u64_pair();
        Self { harness: self.harness, store, ids: SeededIds::new(mix(seed)) }
    }

    /// A queued head with an id of its own and this many channels.
    pub(super) fn head(&self, channels: usize) -> RunHead {
        let mut head = run_head(1);
        head.id = self.ids.run_id();
        let template = head.channels.remove(0);
        head.channels = vec![template; channels];
        head
    }

    /// Opens a run with this many channels.
    pub(super) async fn open(&self, channels: usize) -> RunId {
        let head = self.head(channels);
        self.store.open(&head).await.expect("open");
        head.id
    }

    /// A request of a new writer.
    pub(super) fn request(&self, run: RunId) -> TakeOver {
        let writer = self.ids.writer_id();
        TakeOver { run, worker: format!("worker-{}", writer.bits() % 1_000), writer, lease: LEASE }
    }

    /// Takes a run over as a new writer.
    pub(super) async fn take(&self, run: RunId) -> Writer {
        let request = self.request(run);
        let taken = taken(self.store.take_over(&request).await.expect("take_over"));
        Writer { store: Arc::clone(&self.store), run, mark: taken.mark, seq: taken.last_seq(), request }
    }

    /// Opens a run with this many channels and takes it over.
    pub(super) async fn writer(&self, channels: usize) -> Writer {
        let run = self.open(channels).await;
        self.take(run).await
    }

    /// The run, which must be there.
    pub(super) async fn get(&self, run: RunId) -> HotRun {
        self.store.get(run).await.expect("get").expect("the run is there")
    }

    /// Lets every lease of the suite run out.
    pub(super) async fn outlive_leases(&self) {
        self.harness.advance(LEASE + Duration::from_secs(1)).await;
    }
}

/// A writer of one run, with its count of applied batches.
pub(super) struct Writer {
    pub(super) store: Arc<dyn HotStore>,
    pub(super) run: RunId,
    pub(super) mark: WriterMark,
    pub(super) seq: u64,
    pub(super) request: TakeOver,
}

impl Writer {
    /// A body under the next number, which stays free until it was applied.
    pub(super) fn batch(&self, body: BatchBody) -> Batch {
        Batch::new(self.run, self.mark, self.seq + 1, body)
    }

    /// A body under any number.
    pub(super) fn batch_at(&self, seq: u64, body: BatchBody) -> Batch {
        Batch::new(self.run, self.mark, seq, body)
    }

    /// Sends a batch and gives the whole answer.
    pub(super) async fn send(&self, batch: &Batch) -> Answer {
        self.store.append(batch).await.expect("append")
    }

    /// Sends a body under the next number; counts it if it was applied.
    pub(super) async fn append(&mut self, body: BatchBody) -> Outcome {
        let answer = self.send(&self.batch(body)).await;
        self.seq += u64::from(answer.outcome == Outcome::Applied);
        answer.outcome
    }

    /// Sends a body that must be applied.
    pub(super) async fn apply(&mut self, body: BatchBody) {
        assert_eq!(self.append(body).await, Outcome::Applied);
    }

    /// What this writer would restore: it confirmed and reached these positions.
    pub(super) fn restore(&self, run: &HotRun, confirmed: Positions, next: Positions) -> Restore {
        Restore {
            head: (*run.head).clone(),
            worker: self.request.worker.clone(),
            mark: self.mark,
            lease: LEASE,
            last_seq: self.seq,
            confirmed,
            next,
        }
    }
}

/// The take-over, which must have succeeded.
pub(super) fn taken(answer: TookOver) -> Taken {
    match answer {
        TookOver::Taken(taken) => *taken,
        other => panic!("the run was not taken over: {other:?}"),
    }
}

/// Asserts that nothing of a run differs but the store's clock.
#[track_caller]
pub(super) fn assert_unchanged(before: &HotRun, after: &HotRun) {
    assert_eq!(before.head, after.head);
    assert_eq!((&before.next, &before.base, &before.confirmed), (&after.next, &after.base, &after.confirmed));
    assert_eq!((&before.lease, before.last_seq, before.cancel), (&after.lease, after.last_seq, after.cancel));
    assert_eq!((&before.seal, before.changed_at), (&after.seal, after.changed_at));
}

/// Asserts that a lease ends about `span` after `now`: real clocks go on between
/// two calls, so a tenth of it is allowed.
#[track_caller]
pub(super) fn assert_lasts(until: lucihub_models_core::Timestamp, now: lucihub_models_core::Timestamp, span: Duration) {
    let left = until.since(now);
    assert!(left <= span && left >= span - span / 10, "{left:?} are left of {span:?}");
}
