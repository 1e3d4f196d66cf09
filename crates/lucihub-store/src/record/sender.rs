//! The task that sends a recorder's batches.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use lucihub_models_core::hot::{Answer, Outcome, Renewed, Seal, TakeOver, Taken};
use lucihub_models_core::{AttachmentName, Batch, StoreError, WriterMark};
use tokio::time::Instant;

use super::error::Failure;
use super::notes::Notes;
use super::options::RecordOptions;
use super::pause::Pause;
use super::replay::{Numbered, Replay};
use super::shared::Shared;
use crate::observe::recording::{self, ReplayShare};
use crate::store::Store;
use crate::wait::sleep_until;

/// The pause before attachments are put again that found no room or no answer.
const ATTACH_AGAIN: Duration = Duration::from_millis(50);

type Sent = BoxFuture<'static, (Flight, Result<Answer, StoreError>)>;

/// A batch on its way.
#[derive(Debug, Clone, Copy)]
struct Flight {
    seq: u64,
    /// The first one that was not acknowledged when it was sent.
    first: u64,
}

/// Sends batches in order, at most [`Batch::WINDOW`] at once, each until it is
/// acknowledged.
///
/// After any answer but success it lets the others in flight come back, and
/// goes on from the first that is not acknowledged, with the same bytes: those
/// that were applied meanwhile answer `Duplicate`.
pub(super) struct Sender {
    pub(super) store: Store,
    pub(super) request: TakeOver,
    pub(super) mark: WriterMark,
    pub(super) options: RecordOptions,
    /// The workers that cold storage may rightly name: this one and the one before, if that is known.
    pub(super) known: Option<Vec<String>>,
    pub(super) shared: Arc<Shared>,
    /// Attachments that a restored run does not have yet.
    pub(super) unattached: VecDeque<AttachmentName>,
    /// Numbered and not acknowledged, in order.
    unacknowledged: VecDeque<Numbered>,
    /// How many of these are in flight.
    sent: usize,
    in_flight: FuturesOrdered<Sent>,
    pub(super) replay: Replay,
    pub(super) notes: Notes,
    next_seq: u64,
    renew_at: Instant,
    pause: Pause,
    replay_share: ReplayShare,
    /// Since when the store has refused batches for a reason that does not pass by itself.
    refused_since: Option<Instant>,
}

/// What the first answer that was no success asks for.
enum Mend {
    /// Send again, after a pause.
    Again,
    /// The store has only the batches up to this one.
    From(u64),
    /// The store does not have the run.
    Restore,
    /// The store has the run with another writer, or with none.
    Reclaim,
    /// Nothing helps.
    Stop(Failure),
}

impl Sender {
    pub(super) fn new(
        store: Store,
        request: TakeOver,
        taken: &Taken,
        options: RecordOptions,
        known: Option<Vec<String>>,
        shared: Arc<Shared>,
    ) -> Self {
        let mut notes = Notes::new(store.clone(), request.run, request.worker.clone());
        recording::began(&mut notes, taken);
        Self {
            notes,
            store,
            request,
            mark: taken.mark,
            renew_at: Instant::now() + options.lease / 4,
            options,
            known,
            shared,
            unattached: VecDeque::new(),
            unacknowledged: VecDeque::new(),
            sent: 0,
            in_flight: FuturesOrdered::new(),
            replay: Replay::new(taken),
            next_seq: taken.last_seq() + 1,
            pause: Pause::default(),
            replay_share: ReplayShare::default(),
            refused_since: None,
        }
    }

    /// Runs until the recorder is closed and all is acknowledged, or recording
    /// cannot go on.
    pub(super) async fn run(mut self) {
        loop {
            let attached = self.attach_again().await;
            let wait = if self.unattached.is_empty() { self.fill() } else { Some(Instant::now() + ATTACH_AGAIN) };
            if attached.is_ok() && self.is_done() {
                break;
            }
            let renew_at = self.renew_at;
            let stopped = tokio::select! {
                biased;
                () = std::future::ready(()), if attached.is_err() => attached,
                // First, so that a store that answers at once and never well cannot keep it off.
                () = tokio::time::sleep_until(renew_at) => self.renew().await,
                Some((flight, answer)) = self.in_flight.next() => self.answered(flight, answer).await,
                () = self.shared.work.notified() => Ok(()),
                () = sleep_until(wait) => Ok(()),
                () = self.notes.send() => Ok(()),
            };
            if let Err(failure) = stopped {
                recording::stopped(&mut self.notes, &failure);
                self.shared.lock().failure.get_or_insert(failure);
                break;
            }
        }
        self.close();
        // Nobody waits for this task any more.
        self.notes.send_last().await;
    }

    /// Tells those who wait that nothing more is sent. What they wait for may be there all the same.
    fn close(&self) {
        self.shared.lock().failure.get_or_insert(Failure::Closed);
        self.shared.progress.notify_waiters();
    }

    /// Numbers what is due and puts it in flight. Returns when the open body is due.
    fn fill(&mut self) -> Option<Instant> {
        let mut p = self.shared.lock();
        // What keepers wait for goes at once, so that they have encoded it before the run ends.
        let age = if p.completes { Duration::ZERO } else { self.options.batch_age };
        let due = p.opened_at.map(|at| at + age);
        // While the window is full, the open body goes on growing: a slow store gets
        // few large batches, and a list of small ones never builds up.
        let room = self.unacknowledged.len() + p.ready.len() < Batch::WINDOW;
        if p.closing || room && due.is_some_and(|due| due <= Instant::now()) {
            p.close_open();
        }
        while self.unacknowledged.len() < Batch::WINDOW {
            let Some(numbered) = p.number(self.request.run, self.mark, self.next_seq) else { break };
            self.next_seq += 1;
            self.unacknowledged.push_back(numbered);
        }
        let due = p.opened_at.filter(|_| room).map(|at| at + self.options.batch_age);
        drop(p);
        // After a failure the window is sent anew only once it is empty.
        let first = self.first_unacknowledged();
        while self.sent < self.unacknowledged.len().min(Batch::WINDOW) {
            let batch = self.unacknowledged[self.sent].batch.clone();
            let hot = self.store.hot().clone();
            self.in_flight.push_back(Box::pin(async move {
                let sent = Instant::now();
                let answer = hot.append(&batch).await;
                recording::answered(batch.run(), batch.seq(), batch.size(), sent.elapsed(), &answer);
                (Flight { seq: batch.seq(), first }, answer)
            }));
            self.sent += 1;
        }
        due
    }

    fn is_done(&self) -> bool {
        let p = self.shared.lock();
        let given_up = p.abandoned_at.is_some_and(|since| since.elapsed() > self.options.replay_age);
        let sent =
            p.open.is_empty() && p.ready.is_empty() && self.unacknowledged.is_empty() && self.unattached.is_empty();
        p.closing && (sent || given_up)
    }

    async fn answered(&mut self, flight: Flight, answer: Result<Answer, StoreError>) -> Result<(), Failure> {
        match self.judge(flight, answer) {
            None => Ok(()),
            Some(mend) => self.mend(mend).await,
        }
    }

    /// Takes an answer in. `None` means success.
    fn judge(&mut self, Flight { seq, first }: Flight, answer: Result<Answer, StoreError>) -> Option<Mend> {
        recording::heard(&mut self.notes, &answer);
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Some(self.no_answer(&error)),
        };
        self.refused_since = None;
        recording::judged(&mut self.notes, &answer.outcome);
        if !matches!(answer.outcome, Outcome::Sealed(Seal::Deleted) | Outcome::NoRun | Outcome::Fenced) {
            self.learn(&answer);
        }
        match answer.outcome {
            Outcome::Applied | Outcome::Duplicate => {
                self.acknowledge(seq);
                None
            }
            Outcome::Full => Some(Mend::Again),
            // Behind a batch that was on its way together with this one means only that that one was not in yet. It may be
            // by now, and even confirmed and let go of.
            Outcome::Behind(last) if last < seq && last + 1 >= first => Some(Mend::Again),
            // So far ahead that the store has forgotten this one: another goes on under the same mark.
            Outcome::Behind(last) if last >= seq => Some(Mend::Stop(Failure::Conflict(seq))),
            Outcome::Behind(last) => Some(Mend::From(last)),
            Outcome::NoRun => Some(Mend::Restore),
            Outcome::Fenced => Some(Mend::Reclaim),
            Outcome::Sealed(seal) => Some(Mend::Stop(Failure::Sealed(seal))),
            Outcome::Conflict => Some(Mend::Stop(Failure::Conflict(seq))),
            Outcome::Rejected(reject) => Some(Mend::Stop(Failure::Rejected(reject))),
        }
    }

    /// An outage passes; what the store refuses for as long as a batch is kept does not.
    fn no_answer(&mut self, error: &StoreError) -> Mend {
        if error.is_transient() {
            return Mend::Again;
        }
        let since = *self.refused_since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.options.replay_age {
            return Mend::Again;
        }
        Mend::Stop(Failure::Refused(error.to_string()))
    }

    fn first_unacknowledged(&self) -> u64 {
        self.unacknowledged.front().map_or(self.next_seq, |n| n.batch.seq())
    }

    fn acknowledge(&mut self, seq: u64) {
        let Some(first) = self.unacknowledged.pop_front_if(|n| n.batch.seq() == seq) else { return };
        self.sent = self.sent.saturating_sub(1);
        self.pause.reset();
        let (place, size, end) = (first.place, first.batch.size(), first.end.clone());
        let now = Instant::now();
        self.replay.push(first, now);
        let mut p = self.shared.lock();
        self.replay.confirm(&p.confirmed, self.store.limits());
        self.replay.bound(self.options.replay_bytes, self.options.replay_age, now, self.store.limits());
        if place > p.acknowledged {
            p.acknowledged = place;
            p.acknowledged_seq = seq;
            p.sent_bytes = p.sent_bytes.saturating_sub(size);
        }
        p.acknowledged_to = end;
        p.stats.batches += 1;
        p.stats.replay_dropped = self.replay.dropped();
        p.stats.replay_bytes = self.replay.bytes();
        drop(p);
        recording::acknowledged(size);
        self.replay_share.tell(self.replay.bytes(), self.replay.dropped());
        self.shared.progress.notify_waiters();
    }

    fn learn(&self, answer: &Answer) {
        let mut p = self.shared.lock();
        let is_new = answer.cancel && !p.cancel;
        p.cancel |= answer.cancel;
        p.confirmed = p.confirmed.max(&answer.confirmed);
        drop(p);
        if is_new {
            self.shared.progress.notify_waiters();
        }
    }

    /// Brings sender and store together again after an answer that was no success.
    async fn mend(&mut self, first: Mend) -> Result<(), Failure> {
        let mut mend = first;
        while let Some((Flight { seq, .. }, answer)) = self.in_flight.next().await {
            // Successes behind the failure come again as duplicates, in order.
            if let Some(worse @ (Mend::Stop(_) | Mend::Restore | Mend::Reclaim)) = self.judge_later(seq, answer) {
                mend = worse;
            }
        }
        self.sent = 0;
        match mend {
            Mend::Stop(failure) => return Err(failure),
            Mend::Again => {}
            Mend::From(last) => match self.go_back(last) {
                Ok(_) => recording::lost_tail(last, self.unacknowledged.len()),
                Err(lost) => self.put_back(lost).await?,
            },
            Mend::Restore => drop(self.restore().await?),
            Mend::Reclaim => self.reclaim().await?,
        }
        self.shared.lock().stats.retries += 1;
        recording::retry(self.first_unacknowledged(), self.pause.attempts());
        // A lease must not run out while the store is slow.
        self.pause.wait().await;
        Ok(())
    }

    /// What an answer behind a failure adds to it.
    fn judge_later(&mut self, seq: u64, answer: Result<Answer, StoreError>) -> Option<Mend> {
        match answer.map(|answer| answer.outcome) {
            Ok(Outcome::Fenced) => Some(Mend::Reclaim),
            Ok(Outcome::Conflict) => Some(Mend::Stop(Failure::Conflict(seq))),
            Ok(Outcome::NoRun) => Some(Mend::Restore),
            _ => None,
        }
    }

    /// Sends again what the store lost of its tail: so many batches.
    pub(super) fn go_back(&mut self, last: u64) -> Result<usize, Failure> {
        let again = self.replay.take_after(last).ok_or(Failure::Lost { last, wanted: last + 1 })?;
        let count = again.len();
        // They are not waiting bytes: no caller is to wait, or to lose samples, for what was acknowledged once.
        for numbered in again.into_iter().rev() {
            self.unacknowledged.push_front(numbered);
        }
        Ok(count)
    }

    async fn renew(&mut self) -> Result<(), Failure> {
        self.renew_at = Instant::now() + self.options.lease / 4;
        let renewed = self.store.hot().renew(self.request.run, self.mark, self.options.lease).await;
        recording::heard(&mut self.notes, &renewed);
        if renewed.is_err() {
            // A lease may run out in an outage, and a keeper does not wait for long once it is over.
            self.renew_at = Instant::now() + RENEW_AGAIN.min(self.options.lease / 4);
        }
        match renewed {
            Ok(Renewed::Until { until, cancel, confirmed }) => {
                recording::renewed(&mut self.notes, until, self.options.lease);
                let mut p = self.shared.lock();
                p.cancel |= cancel;
                p.confirmed = p.confirmed.max(&confirmed);
                self.replay.confirm(&p.confirmed, self.store.limits());
                p.stats.replay_bytes = self.replay.bytes();
                drop(p);
                self.replay_share.tell(self.replay.bytes(), self.replay.dropped());
                self.shared.progress.notify_waiters();
                Ok(())
            }
            // While batches are on their way, their own answers decide.
            Ok(Renewed::Fenced) if self.unacknowledged.is_empty() => self.reclaim().await,
            Ok(Renewed::Sealed(seal)) if self.unacknowledged.is_empty() => Err(Failure::Sealed(seal)),
            Ok(Renewed::NoRun) if self.unacknowledged.is_empty() => self.restore().await.map(drop),
            Ok(Renewed::Fenced | Renewed::Sealed(_) | Renewed::NoRun) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Sender {
    /// Nobody is to wait for a task that is no more, whatever ended it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.lock().failure.get_or_insert(Failure::Panicked);
        }
        self.close();
    }
}

/// How soon a renewal that got no answer is tried again.
const RENEW_AGAIN: Duration = Duration::from_secs(1);
