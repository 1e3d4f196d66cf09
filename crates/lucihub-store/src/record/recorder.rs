//! The worker's handle on a run that it records.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{TakeOver, Taken, TookOver};
use lucihub_models_core::{
    FinalValue, Gap, GapCause, HeadPatch, Invalid, JsonText, Limits, LogLine, Overload, PhaseChange, Positions,
    RunHead, RunId, RunState, StateChange, Timestamp, WriterId, WriterMark,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::body::OpenBody;
use super::error::{Failure, RecordError};
use super::options::{OnFull, RecordOptions};
use super::reorder::Arrival;
use super::sender::Sender;
use super::shared::{Pending, RecorderStats, Shared};
use crate::store::Store;

/// How a run ends.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct End {
    /// The output, byte for byte.
    pub output: Option<JsonText>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// Why it ended, on the state change.
    pub reason: Option<String>,
    /// What elements read at the end.
    pub final_values: Vec<FinalValue>,
}

impl End {
    /// Sets the output.
    #[must_use]
    pub fn with_output(mut self, output: JsonText) -> Self {
        self.output = Some(output);
        self
    }

    /// Sets what went wrong.
    #[must_use]
    pub fn with_error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }

    /// Sets why it ended.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets what elements read at the end.
    #[must_use]
    pub fn with_final_values(mut self, values: Vec<FinalValue>) -> Self {
        self.final_values = values;
        self
    }
}

/// A worker's handle on a run that it records. It may be shared by tasks.
///
/// Pushing only waits when the queue is full. What was pushed is sent in
/// batches by a task of its own; [`flush`](Self::flush) waits until all of it is
/// in the store. Dropping the recorder sends what is queued and leaves the run
/// open, for another worker to go on or for the keeper to fail it.
#[derive(Debug)]
pub struct Recorder {
    run: RunId,
    mark: WriterMark,
    head: Arc<RunHead>,
    shared: Arc<Shared>,
    options: RecordOptions,
    limits: Limits,
    store: Store,
}

impl Store {
    /// Takes a run over and records it, with the default options.
    ///
    /// # Errors
    /// [`RecordError::Held`], [`RecordError::Cancelled`], [`RecordError::NoRun`]
    /// or [`RecordError::Failed`] when the run is not to be had.
    pub async fn record(&self, run: RunId, worker: &str) -> Result<Recorder, RecordError> {
        self.record_with(run, worker, RecordOptions::default()).await
    }

    /// Takes a run over and records it.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub async fn record_with(&self, run: RunId, worker: &str, options: RecordOptions) -> Result<Recorder, RecordError> {
        if worker.is_empty() || worker.len() > self.limits().text_bytes {
            return Err(Invalid::new("worker", format!("a name of {} bytes", worker.len()))
                .hint(format!("use 1 to {}", self.limits().text_bytes))
                .into());
        }
        let writer = options.writer.unwrap_or_else(|| self.ids().writer_id());
        let request = TakeOver { run, worker: worker.to_owned(), writer, lease: options.lease };
        match self.hot().take_over(&request).await? {
            TookOver::Taken(taken) => Ok(Recorder::start(self.clone(), request, &taken, options)),
            TookOver::Held { by, until } => Err(RecordError::Held { run, by, until }),
            TookOver::Cancelled => Err(RecordError::Cancelled(run)),
            TookOver::Sealed(seal) => Err(RecordError::Failed { run, failure: Failure::Sealed(seal) }),
            TookOver::NoRun => Err(RecordError::NoRun(run)),
        }
    }
}

impl Recorder {
    fn start(store: Store, request: TakeOver, taken: &Taken, mut options: RecordOptions) -> Self {
        let limits = store.limits().clone();
        // A batch may grow past the mark by one push; a quarter of the limit leaves room for it.
        options.batch_bytes = options.batch_bytes.clamp(1, limits.batch_bytes / 4);
        let shared = Arc::new(Shared {
            state: std::sync::Mutex::new(Pending {
                open: OpenBody::default(),
                opened_at: None,
                ready: std::collections::VecDeque::new(),
                ready_bytes: 0,
                sent_bytes: 0,
                flush: false,
                next: taken.run.next.clone(),
                channels: taken.run.head.channels.len(),
                run_state: taken.run.head.state().clone(),
                reorder: std::collections::HashMap::new(),
                pushed: 0,
                acknowledged: 0,
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
        let sender = Sender::new(store.clone(), request, taken, options.clone(), shared.clone());
        tokio::spawn(sender.run());
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
        self.shared.lock().stats
    }

    /// Appends a change of state, now.
    ///
    /// # Errors
    /// `Invalid` if the state may not follow the present one, or is terminal:
    /// that is [`finish`](Self::finish)'s.
    pub async fn state(&self, state: RunState) -> Result<(), RecordError> {
        if state.is_terminal() {
            return Err(Invalid::new("state", format!("{state} ends the run")).hint("use `finish`").into());
        }
        self.push(
            |p, now| {
                Self::check_step(&p.run_state, &state)?;
                p.run_state = state.clone();
                p.next.states += 1;
                p.open.state(StateChange::new(state.clone(), now));
                Ok(())
            },
            |p| p.run_state == state,
        )
        .await
    }

    /// Appends a change of phase.
    ///
    /// # Errors
    /// `Invalid` past a limit; `Failed` when recording cannot go on.
    pub async fn phase(&self, change: PhaseChange) -> Result<(), RecordError> {
        let most = self.limits.text_bytes;
        if change.phase.as_str().len() > most || change.carrier.as_ref().is_some_and(|c| c.len() > most) {
            return Err(self.too_long("phase").into());
        }
        self.push(
            |p, _| {
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
        if overload.element.len() > self.limits.text_bytes {
            return Err(self.too_long("element").into());
        }
        self.push(
            |p, _| {
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
        let most = self.limits.text_bytes;
        if [&line.level, &line.source].iter().any(|t| t.as_ref().is_some_and(|t| t.len() > most)) {
            return Err(self.too_long("log level or source").into());
        }
        let line = line.cut(self.limits.line_bytes);
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

    /// Appends samples of one channel that begin at an index.
    ///
    /// Samples may come a little out of order: what comes early waits for what
    /// is missing, up to [`RecordOptions::reorder_samples`]; what is still
    /// missing then becomes a gap with cause `device`, and is dropped if it
    /// comes after all.
    ///
    /// # Errors
    /// `Invalid` for a channel that the run does not have, or an index past a
    /// limit; `Failed` when recording cannot go on.
    pub async fn samples(&self, channel: u32, first: u64, values: &[f64]) -> Result<Arrival, RecordError> {
        let end = first.saturating_add(values.len() as u64);
        if end > self.limits.samples {
            return Err(Invalid::new(format!("channel {channel}"), format!("sample index {end}"))
                .hint(format!("the limit is {}", self.limits.samples))
                .into());
        }
        let mut arrival = Arrival::InOrder;
        let chunk = (self.options.batch_bytes / 8).max(1);
        for (n, part) in values.chunks(chunk).enumerate() {
            let first = first + (n * chunk) as u64;
            if self.is_full() {
                match self.options.on_full {
                    OnFull::Wait => self.wait_for_room().await?,
                    OnFull::Gap => {
                        self.overflow(channel, first..first + part.len() as u64)?;
                        continue;
                    }
                }
            }
            arrival = self.with_pending(|p, _| {
                Self::check_channel(channel, p.channels)?;
                let skipped = first.saturating_sub(p.next.sample(channel));
                if skipped > self.limits.gap {
                    return Err(Invalid::new(format!("channel {channel}"), format!("a jump of {skipped} samples"))
                        .hint(format!("the limit is {}", self.limits.gap)));
                }
                Ok(p.arrive(channel, first, part, self.options.reorder_samples))
            })?;
        }
        Ok(arrival)
    }

    /// Says that samples of a channel are missing up to an index, and why. What
    /// waits before that index is appended first.
    ///
    /// # Errors
    /// `Invalid` for a channel that the run does not have, or a gap past the
    /// limit; `Failed` when recording cannot go on.
    pub async fn gap(&self, channel: u32, end: u64, cause: GapCause) -> Result<(), RecordError> {
        self.push(
            |p, _| {
                Self::check_channel(channel, p.channels)?;
                let next = p.next.sample(channel);
                if end.saturating_sub(next) > self.limits.gap || end > self.limits.samples {
                    return Err(Invalid::new(format!("channel {channel}"), format!("a gap up to index {end}"))
                        .hint(format!("a gap has at most {} samples", self.limits.gap)));
                }
                while p.reorder.get(&channel).and_then(super::reorder::Reorder::first).is_some_and(|first| first < end)
                {
                    p.give_up_first(channel);
                }
                let next = p.next.sample(channel);
                if end > next {
                    p.take_gap(channel, Gap::new(next..end, cause));
                }
                Ok(())
            },
            |_| false,
        )
        .await
    }

    /// Waits until all that was pushed is in hot storage.
    ///
    /// # Errors
    /// `Failed` when recording cannot go on.
    pub async fn flush(&self) -> Result<(), RecordError> {
        let target = {
            let mut p = self.shared.lock();
            p.flush = true;
            p.pushed
        };
        self.shared.work.notify_one();
        self.wait_until(|p| p.acknowledged >= target).await
    }

    /// Ends the run: what waits is appended, then in the last batch the output,
    /// the error, the final values and the terminal state. Returns once that is
    /// in hot storage; the run is sealed then.
    ///
    /// # Errors
    /// `Invalid` for a state that does not end a run or may not follow the
    /// present one, or past a limit: the run goes on then. `Failed` when
    /// recording cannot go on.
    pub async fn finish(&self, state: RunState, end: End) -> Result<Positions, RecordError> {
        let End { output, error, reason, final_values } = end;
        if !state.is_terminal() {
            return Err(Invalid::new("state", format!("{state} does not end a run")).hint("use `state`").into());
        }
        output.as_ref().map_or(Ok(()), |json| json.check("output", &self.limits))?;
        let most = self.limits.text_bytes;
        let texts = [&error, &reason].into_iter().flatten().chain(final_values.iter().map(|v| &v.element));
        if texts.into_iter().any(|text| text.len() > most) {
            return Err(self.too_long("error, reason or element").into());
        }
        self.push(
            |p, now| {
                Self::check_step(&p.run_state, &state)?;
                p.give_up_all();
                // What came before goes ahead, so that the last batch is small and within its limit.
                p.close_open();
                let mut patch = HeadPatch::default();
                patch.output = output;
                patch.error = error;
                p.open.patch(patch);
                for value in final_values {
                    if p.open.bytes() >= self.limits.batch_bytes / 2 {
                        p.close_open();
                    }
                    p.open.final_value(value);
                }
                p.next.states += 1;
                p.run_state = state.clone();
                let change = StateChange::new(state, now);
                p.open.state(match reason {
                    Some(reason) => change.because(reason),
                    None => change,
                });
                p.closing = true;
                Ok(())
            },
            |_| false,
        )
        .await?;
        self.flush().await?;
        Ok(self.next())
    }

    /// Waits until the run's end is asked for, or recording fails.
    ///
    /// # Errors
    /// `Failed` when recording cannot go on.
    pub async fn cancelled(&self) -> Result<(), RecordError> {
        self.wait_until(|p| p.cancel).await
    }

    /// Pushes something small, once there is room. `repeats` tells whether it
    /// would change nothing.
    async fn push(
        &self,
        push: impl FnOnce(&mut Pending, Timestamp) -> Result<(), Invalid>,
        repeats: impl FnOnce(&Pending) -> bool,
    ) -> Result<(), RecordError> {
        if self.is_full() {
            self.wait_for_room().await?;
        }
        self.with_pending(|p, now| if repeats(p) { Ok(()) } else { push(p, now) })
    }

    fn with_pending<T>(
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
        p.pushed(self.options.batch_bytes, Instant::now());
        drop(p);
        self.shared.work.notify_one();
        Ok(result)
    }

    fn overflow(&self, channel: u32, range: std::ops::Range<u64>) -> Result<(), RecordError> {
        self.with_pending(|p, _| {
            Self::check_channel(channel, p.channels)?;
            p.give_up_first(channel);
            let next = p.next.sample(channel);
            if range.start > next {
                p.take_gap(channel, Gap::new(next..range.start, GapCause::Device));
            }
            let next = p.next.sample(channel);
            if range.end > next {
                p.stats.overflow_samples += range.end - next;
                p.take_gap(channel, Gap::new(next..range.end, GapCause::Overflow));
            }
            Ok(())
        })
    }

    fn is_full(&self) -> bool {
        self.shared.lock().waiting_bytes() >= self.options.queue_bytes
    }

    async fn wait_for_room(&self) -> Result<(), RecordError> {
        let most = self.options.queue_bytes;
        self.shared.work.notify_one();
        self.wait_until(|p| p.waiting_bytes() < most).await
    }

    async fn wait_until(&self, done: impl Fn(&Pending) -> bool) -> Result<(), RecordError> {
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
            // The sender always comes to an end; the bound only guards against its panic.
            let _ = tokio::time::timeout(Duration::from_secs(1), progress).await;
        }
    }

    fn check_step(from: &RunState, to: &RunState) -> Result<(), Invalid> {
        match from.step_to(to) {
            Some(_) => Ok(()),
            None => Err(Invalid::new("state", format!("a run in state {from} may not become {to}"))),
        }
    }

    fn check_channel(channel: u32, channels: usize) -> Result<(), Invalid> {
        if (channel as usize) < channels {
            return Ok(());
        }
        Err(Invalid::new(format!("channel {channel}"), format!("the run has {channels}"))
            .hint("describe its channels when you create it, or with `describe`"))
    }

    fn too_long(&self, thing: &str) -> Invalid {
        Invalid::new(thing, "too long").hint(format!("the limit is {} bytes", self.limits.text_bytes))
    }

    fn failed(&self, failure: Failure) -> RecordError {
        RecordError::Failed { run: self.run, failure }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let mut p = self.shared.lock();
        p.closing = true;
        p.flush = true;
        p.abandoned_at = Some(Instant::now());
        drop(p);
        self.shared.work.notify_one();
    }
}
