//! A writer that keeps its own count, and sends each batch until it is in.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use lucihub_hot::redis::RedisHot;
use lucihub_models_core::hot::{HotAppend, HotRuns, Outcome, TakeOver, TookOver};
use lucihub_models_core::{Batch, BatchBody, IdSource, LogLine, Result, RunId, StoreError, Timestamp, WriterMark};
use lucihub_testkit::SeededIds;
use lucihub_testkit::models::{lorenz_head, run_id, samples_body};
use tokio::time::sleep;

use super::tally::Tally;

/// Channels of each run.
pub(super) const CHANNELS: u32 = 2;
/// Samples that a batch brings on each channel, beside one line.
pub(super) const SAMPLES: u64 = 25;
/// No lease runs out meanwhile.
pub(super) const LEASE: Duration = Duration::from_secs(3_600);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(2);

/// The body of a batch, by its number.
pub(super) fn body(run: RunId, seq: u64) -> BatchBody {
    let range = (seq - 1) * SAMPLES..seq * SAMPLES;
    let mut body = samples_body(run, (0..CHANNELS).map(|channel| (channel, range.clone())));
    body.lines = [line(run, seq - 1)].into();
    body
}

/// A line, by its number.
pub(super) fn line(run: RunId, number: u64) -> LogLine {
    LogLine::new(Timestamp::EPOCH, format!("{run} line {number}"))
}

/// Asks again until the store answers.
pub(super) async fn answered<T>(mut ask: impl AsyncFnMut() -> Result<T>) -> T {
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(StoreError::Unavailable { .. } | StoreError::Unknown { .. }) => sleep(PAUSE).await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A writer of one run.
pub(super) struct Writer {
    hot: RedisHot,
    pub(super) run: RunId,
    mark: WriterMark,
    /// All up to this number are acknowledged.
    pub(super) acknowledged: u64,
    tally: Arc<Tally>,
}

impl Writer {
    /// Places a run and takes it over.
    pub(super) async fn begin(hot: RedisHot, seed: u64, tally: Arc<Tally>) -> Self {
        let mut head = lorenz_head(CHANNELS as usize);
        head.id = run_id(seed);
        answered(async || hot.open(&head).await).await;
        let writer = SeededIds::new(seed).writer_id();
        let request = TakeOver { run: head.id, worker: format!("worker-{seed}"), writer, lease: LEASE };
        let TookOver::Taken(taken) = answered(async || hot.take_over(&request).await).await else {
            panic!("run {} was not taken over", head.id)
        };
        Self { hot, run: head.id, mark: taken.mark, acknowledged: 0, tally }
    }

    pub(super) const fn hot(&self) -> &RedisHot {
        &self.hot
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) const fn mark(&self) -> WriterMark {
        self.mark
    }

    /// The batch with a number: the same bytes each time.
    pub(super) fn batch(&self, seq: u64) -> Batch {
        Batch::new(self.run, self.mark, seq, body(self.run, seq))
    }

    /// Appends so many more batches, a window in flight, each again until it is in.
    pub(super) async fn append(&mut self, more: u64) {
        let last = self.acknowledged + more;
        while self.acknowledged < last {
            let end = last.min(self.acknowledged + Batch::WINDOW as u64);
            let window = (self.acknowledged + 1..=end).map(|seq| self.until_in(seq));
            // A store that lost its tail says so to every batch in flight.
            let fell_back = join_all(window).await.into_iter().flatten().min();
            assert_eq!(fell_back, None, "run {}: {} batches were acknowledged", self.run, self.acknowledged);
            self.acknowledged = end;
        }
    }

    /// Sends a batch until it is in; or until the store says that it lost what was acknowledged before, and up to where
    /// it has all.
    async fn until_in(&self, seq: u64) -> Option<u64> {
        let batch = self.batch(seq);
        loop {
            let answer = self.hot.append(&batch).await;
            self.tally.note(&format!("run {}, batch {seq}", self.run), &answer);
            match answer.map(|answer| answer.outcome) {
                Ok(Outcome::Applied | Outcome::Duplicate) => return None,
                Ok(Outcome::Behind(last)) if last < self.acknowledged => return Some(last),
                Ok(Outcome::Behind(last)) => assert!(last + 1 < seq, "run {}: {seq} is next after {last}", self.run),
                _ => {}
            }
            sleep(PAUSE).await;
        }
    }
}
