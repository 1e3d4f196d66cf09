//! The worker's handle on a run that it records.

use std::sync::Arc;

use lucihub_models_core::hot::{TakeOver, Taken};
use lucihub_models_core::{
    HeadPatch, Invalid, Limits, LogLine, Overload, PhaseChange, Positions, RunHead, RunId, Timestamp, WriterId,
    WriterMark,
};
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::Instrument;

use super::body::OpenBody;
use super::checks::patch_size;
use super::error::{Failure, RecordError};
use super::options::RecordOptions;
use super::sender::Sender;
use super::shared::{Pending, RecorderStats, Shared};
use crate::observe::recording;
use crate::store::Store;

/// A worker's handle on a run that it records. It may be shared by tasks.
///
/// Pushing only waits when the queue is full. What was pushed is sent in
/// batches by a task of its own; [`flush`](Self::flush) waits until all of it is
/// in the store. Dropping the recorder sends what is queued and leaves the run
/// open, for another worker to go on or for the keeper to fail it. Samples that
/// wait for earlier ones are not sent then: whoever goes on begins before them.
#[derive(Debug)]
pub struct Recorder {
    pub(super) run: RunId,
    pub(super) mark: WriterMark,
    pub(super) head: Arc<RunHead>,
    pub(super) shared: Arc<Shared>,
    pub(super) options: RecordOptions,
    pub(super) limits: Limits,
    pub(super) store: Store,
}

impl Recorder {
    pub(super) fn start(
        store: Store,
        request: TakeOver,
        taken: &Taken,
        known: Option<Vec<String>>,
        mut options: RecordOptions,
    ) -> Self {
        let limits = store.limits().clone();
        // A batch may grow past the mark by one push; a quarter of the limit leaves room for it.
        options.batch_bytes = options.batch_bytes.clamp(1, limits.batch_bytes / 4);
        // A queue without room would be full for ever.
        options.queue_bytes = options.queue_bytes.max(1);
        let shared = Arc::new(Shared {
            state: std::sync::Mutex::new(Pending {
                open: OpenBody::default(),
                opened_at: None,
                completes: false,
                grid: taken.run.head.grid,
                batch_bytes: options.batch_bytes,
                gap: limits.gap,
                ready: std::collections::VecDeque::new(),
                ready_bytes: 0,
                sent_bytes: 0,
                next: taken.run.next.clone(),
                channels: taken.run.head.channels.len(),
                run_state: taken.run.head.state().clone(),
                overloads: taken.run.head.overloads.len(),
                reorder: std::collections::HashMap::new(),
                attached: std::collections::BTreeMap::new(),
                closed: 0,
                acknowledged: 0,
                acknowledged_to: taken.run.next.clone(),
                acknowledged_seq: taken.last_seq(),
                confirmed: taken.run.confirmed.clone(),
                cancel: taken.run.cancel,
                closing: false,
                abandoned_at: None,
                failure: None,
                stats: RecorderStats::default(),
            }),
            work: Notify::new(),
            progress: Notify::new(),
        });
        let span = recording::span(request.run, &request.worker, taken.mark);
        let sender = Sender::new(store.clone(), request, taken, options.clone(), known, shared.clone());
        tokio::spawn(sender.run().instrument(span));
        let head = taken.run.head.clone();
        Self { run: head.id, mark: taken.mark, head, shared, options, limits, store }
    }

    /// The run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// The head as it was when the run was taken over: input, parameters, labels.
    #[must_use]
    pub fn head(&self) -> &RunHead {
        &self.head
    }

    /// The writer id, to be kept by a worker that wants to go on after a restart
    /// without waiting for its lease to run out.
    #[must_use]
    pub const fn writer(&self) -> WriterId {
        self.mark.writer
    }

    /// Where the run is after all that was pushed: a worker that took a run over
    /// goes on from here.
    #[must_use]
    pub fn next(&self) -> Positions {
        self.shared.lock().next.clone()
    }

    /// How many channels the run has, with those that were described since.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.shared.lock().channels
    }

    /// Positions up to which all that was pushed is acknowledged: in hot storage.
    #[must_use]
    pub fn acknowledged(&self) -> Positions {
        self.shared.lock().acknowledged_to.clone()
    }

    /// Positions that are safe in cold storage.
    #[must_use]
    pub fn confirmed(&self) -> Positions {
        self.shared.lock().confirmed.clone()
    }

    /// Whether the run's end was asked for. Learnt with every answer and every
    /// renewal of the lease.
    #[must_use]
    pub fn cancel_requested(&self) -> bool {
        self.shared.lock().cancel
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> RecorderStats {
        let p = self.shared.lock();
        RecorderStats { waiting_bytes: p.waiting_bytes(), ..p.stats }
    }

    /// Appends a change of phase.
    ///
    /// # Errors
    /// `Invalid` past a limit; `Failed` when recording cannot go on.
    pub async fn phase(&self, change: PhaseChange) -> Result<(), RecordError> {
        change.check(&self.limits)?;
        self.push(
            |p, _| {
                self.check_count("phases", p.next.phases)?;
                p.next.phases += 1;
                p.open.phase(change);
                Ok(())
            },
            |_| false,
        )
        .await
    }

    /// Appends an overload.
    ///
    /// # Errors
    /// `Invalid` past a limit; `Failed` when recording cannot go on.
    pub async fn overload(&self, overload: Overload) -> Result<(), RecordError> {
        overload.check(&self.limits)?;
        self.push(
            |p, _| {
                self.check_count("overloads", p.overloads as u64)?;
                p.overloads += 1;
                p.open.overload(overload);
                Ok(())
            },
            |_| false,
        )
        .await
    }

    /// Appends a log line with the present time.
    ///
    /// # Errors
    /// `Failed` when recording cannot go on.
    pub async fn log(&self, text: impl Into<String>) -> Result<(), RecordError> {
        self.line(LogLine::new(self.store.now(), text)).await
    }

    /// Appends a log line. A text past the limit is cut, and its length marked.
    ///
    /// # Errors
    /// `Invalid` for a level or source past the limit; `Failed` when recording
    /// cannot go on.
    pub async fn line(&self, line: LogLine) -> Result<(), RecordError> {
        let line = line.cut(self.limits.line_bytes);
        line.check(&self.limits)?;
        self.check_size("log line", line.size())?;
        self.push(
            |p, _| {
                p.next.lines += 1;
                p.open.line(line);
                Ok(())
            },
            |_| false,
        )
        .await
    }

    /// Writes fields of the head: channels, time base, firmware and others.
    ///
    /// # Errors
    /// `Invalid` past a limit or for fewer channels than before; `Failed` when
    /// recording cannot go on.
    pub async fn describe(&self, patch: HeadPatch) -> Result<(), RecordError> {
        let mut probe = RunHead::queued(self.run, self.head.job_type.clone(), Timestamp::EPOCH);
        probe.channels = patch.channels.clone().unwrap_or_default();
        probe.time_base = patch.time_base;
        probe.output = patch.output.clone();
        probe.firmware = patch.firmware.clone();
        probe.entity_digest = patch.entity_digest.clone();
        probe.error = patch.error.clone();
        probe.check(&self.limits)?;
        self.check_size("description", patch_size(&patch))?;
        self.push(
            |p, _| {
                if let Some(channels) = &patch.channels {
                    if channels.len() < p.channels {
                        return Err(Invalid::new("channels", format!("{} of them", channels.len()))
                            .hint(format!("the run has {} already", p.channels)));
                    }
                    p.channels = channels.len();
                }
                p.open.patch(patch);
                Ok(())
            },
            |_| false,
        )
        .await
    }

    /// Waits until the run's end is asked for, or recording fails.
    ///
    /// # Errors
    /// `Failed` when recording cannot go on.
    pub async fn cancelled(&self) -> Result<(), RecordError> {
        self.wait_until(|p| p.cancel).await
    }

    /// Waits until recording cannot go on, and says why: for a worker that has nothing to push for a while. After
    /// [`finish`](Self::finish) that is `Closed`.
    pub async fn stopped(&self) -> RecordError {
        loop {
            if let Err(error) = self.wait_until(|_| false).await {
                return error;
            }
        }
    }

    /// Begins after what cold storage has of a run that hot storage went back with. Its place is marked as lost in hot
    /// storage, which keepers know to be no content: what is stored stays.
    pub(super) async fn pass_over(&self, stored: &Positions) -> Result<(), RecordError> {
        let (gap, queue) = (self.limits.gap, self.options.queue_bytes);
        while !self.with_pending(|p, _| Ok(p.pass_over(stored, gap, queue)))? {
            self.wait_for_room().await?;
        }
        Ok(())
    }

    /// Pushes something small, once there is room. `repeats` tells whether it
    /// would change nothing.
    pub(super) async fn push(
        &self,
        push: impl FnOnce(&mut Pending, Timestamp) -> Result<(), Invalid>,
        repeats: impl FnOnce(&Pending) -> bool,
    ) -> Result<(), RecordError> {
        if self.is_full() {
            self.wait_for_room().await?;
        }
        self.with_pending(|p, now| if repeats(p) { Ok(()) } else { push(p, now) })
    }

    pub(super) fn with_pending<T>(
        &self,
        push: impl FnOnce(&mut Pending, Timestamp) -> Result<T, Invalid>,
    ) -> Result<T, RecordError> {
        let now = self.store.now();
        let mut p = self.shared.lock();
        if let Some(failure) = &p.failure {
            return Err(self.failed(failure.clone()));
        }
        if p.closing {
            return Err(self.failed(Failure::Closed));
        }
        let result = push(&mut p, now)?;
        p.pushed(Instant::now());
        drop(p);
        self.shared.work.notify_one();
        Ok(result)
    }

    pub(super) fn is_full(&self) -> bool {
        self.shared.lock().waiting_bytes() >= self.options.queue_bytes
    }

    pub(super) async fn wait_for_room(&self) -> Result<(), RecordError> {
        let most = self.options.queue_bytes;
        self.shared.work.notify_one();
        self.wait_until(|p| p.waiting_bytes() < most).await
    }

    pub(super) async fn wait_until(&self, done: impl Fn(&Pending) -> bool) -> Result<(), RecordError> {
        loop {
            // Registered before the look, so that no progress is missed.
            let progress = self.shared.progress.notified();
            tokio::pin!(progress);
            progress.as_mut().enable();
            {
                let p = self.shared.lock();
                if done(&p) {
                    return Ok(());
                }
                if let Some(failure) = &p.failure {
                    return Err(self.failed(failure.clone()));
                }
            }
            progress.await;
        }
    }

    pub(super) fn failed(&self, failure: Failure) -> RecordError {
        RecordError::Failed { run: self.run, failure }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let mut p = self.shared.lock();
        p.closing = true;
        p.abandoned_at = Some(Instant::now());
        drop(p);
        self.shared.work.notify_one();
    }
}
