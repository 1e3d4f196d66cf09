//! A run as the embedded store holds it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{HotAttachment, HotRun, Lease, Seal};
use lucihub_models_core::{AttachmentName, Batch, Digest, Positions, RunHead, StoreEvent, Timestamp, WriterMark};

use super::logs::Log;
use super::room::Share;
use super::samples::Track;

/// Attachments by name, each with its bytes.
pub(super) type Attachments = BTreeMap<AttachmentName, (HotAttachment, Arc<[u8]>)>;

/// A run, open or sealed, with all it recorded that is still in hot storage.
#[derive(Debug)]
pub(super) struct LiveRun {
    pub(super) head: Arc<RunHead>,
    pub(super) next: Positions,
    pub(super) base: Positions,
    pub(super) confirmed: Positions,
    pub(super) lease: Option<Lease>,
    pub(super) last_seq: u64,
    /// The last batches under the present mark: number and digest.
    pub(super) applied: VecDeque<(u64, Digest)>,
    pub(super) cancel: bool,
    /// Whether a cancel sealed it while it was queued and nobody held it.
    pub(super) cancelled_in_queue: bool,
    pub(super) seal: Option<Seal>,
    pub(super) changed_at: Timestamp,
    /// When it leaves; only ever set on a sealed run.
    pub(super) leaves: Option<Timestamp>,
    pub(super) log: Log,
    pub(super) tracks: Vec<Track>,
    pub(super) attachments: Attachments,
    pub(super) events: Vec<StoreEvent>,
    pub(super) share: Share,
}

impl LiveRun {
    /// A run that has recorded nothing beyond its head.
    pub(super) fn new(head: RunHead, share: Share, now: Timestamp) -> Self {
        let mut run = Self {
            head: Arc::new(head),
            next: Positions::default(),
            base: Positions::default(),
            confirmed: Positions::default(),
            lease: None,
            last_seq: 0,
            applied: VecDeque::with_capacity(Batch::WINDOW),
            cancel: false,
            cancelled_in_queue: false,
            seal: None,
            changed_at: now,
            leaves: None,
            log: Log::default(),
            tracks: Vec::new(),
            attachments: BTreeMap::new(),
            events: Vec::new(),
            share,
        };
        run.count_head();
        run
    }

    /// Takes the positions of states and phases from the head.
    pub(super) fn count_head(&mut self) {
        self.next.states = self.head.states.len() as u64;
        self.next.phases = self.head.phases.len() as u64;
    }

    /// What readers see: taken between two batches, so never within one.
    pub(super) fn snapshot(&self, now: Timestamp) -> HotRun {
        HotRun {
            head: self.head.clone(),
            next: self.next.clone(),
            base: self.base.clone(),
            confirmed: self.confirmed.clone(),
            lease: self.lease.clone(),
            last_seq: self.last_seq,
            cancel: self.cancel,
            seal: self.seal.clone(),
            changed_at: self.changed_at,
            now,
        }
    }

    /// The lease, while it lives. A sealed run has none: nobody has anything left
    /// to write.
    pub(super) fn living_lease(&self, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| self.seal.is_none() && lease.until > now)
    }

    /// Whether this mark is the present writer's.
    pub(super) fn is_writer(&self, mark: WriterMark) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.mark == mark)
    }

    /// Makes a mark the writer. A new mark counts its batches from 1, and what
    /// was applied under another one no longer matters: it is fenced.
    pub(super) fn hand_to(&mut self, worker: &str, mark: WriterMark, lease: Duration, now: Timestamp) {
        if !self.is_writer(mark) {
            self.last_seq = 0;
            self.applied.clear();
        }
        self.lease = Some(Lease { worker: worker.to_owned(), mark, until: now.after(lease) });
    }

    /// A range of indices of which `[base, next)` is there, clipped to that.
    pub(super) fn clip(range: &Range<u64>, base: u64, next: u64) -> Range<u64> {
        let first = range.start.clamp(base, next);
        first..range.end.clamp(first, next)
    }

    /// Positions of a request, no further than the run is.
    pub(super) fn within(&self, asked: &Positions) -> Positions {
        let mut clipped = asked.min(&self.next);
        // What lies beyond the run's channels is 0, and takes no memory.
        clipped.samples.truncate(self.next.samples.len());
        clipped
    }
}
