//! One run: its `HotRun`, what of it is still here, and what only the store knows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{HotAttachment, HotRun, Lease, Seal};
use lucihub_models_core::{
    AttachmentName, Digest, LogLine, Piece, Positions, RunHead, RunState, StateChange, StoreEvent, Timestamp,
    WriterMark,
};

pub(crate) struct Run {
    /// What `get` answers; `now` is set when it does.
    pub(crate) hot: HotRun,
    /// The last batches applied under the lease's mark, with their digests.
    pub(crate) recent: VecDeque<(u64, Digest)>,
    /// Whether a cancel ended it before a worker could.
    pub(crate) ended_by_cancel: bool,
    /// When it leaves, once it is sealed.
    pub(crate) expires: Option<Timestamp>,
    /// The lines from `hot.base` to `hot.next`.
    pub(crate) lines: VecDeque<LogLine>,
    /// Per channel, by first index: pieces that tile `hot.base` to `hot.next`.
    pub(crate) channels: BTreeMap<u32, BTreeMap<u64, Piece>>,
    /// Small attachments, by name.
    pub(crate) attachments: BTreeMap<AttachmentName, (HotAttachment, Arc<[u8]>)>,
    /// What happened to it.
    pub(crate) events: Vec<StoreEvent>,
    /// Bytes of lines, pieces and attachments.
    pub(crate) bytes: u64,
}

impl Run {
    pub(crate) fn new(head: RunHead, now: Timestamp) -> Self {
        let next = Positions { states: head.states.len() as u64, ..Positions::default() };
        let hot = HotRun {
            head: Arc::new(head),
            next,
            base: Positions::default(),
            confirmed: Positions::default(),
            lease: None,
            last_seq: 0,
            cancel: false,
            seal: None,
            changed_at: now,
            now,
        };
        Self {
            hot,
            recent: VecDeque::new(),
            ended_by_cancel: false,
            expires: None,
            lines: VecDeque::new(),
            channels: BTreeMap::new(),
            attachments: BTreeMap::new(),
            events: Vec::new(),
            bytes: 0,
        }
    }

    pub(crate) fn at(&self, now: Timestamp) -> HotRun {
        HotRun { now, ..self.hot.clone() }
    }

    pub(crate) fn mark(&self) -> Option<WriterMark> {
        self.hot.lease.as_ref().map(|lease| lease.mark)
    }

    /// The lease that keeps others away, if one does.
    pub(crate) fn living_lease(&self, now: Timestamp) -> Option<&Lease> {
        self.hot.lease.as_ref().filter(|lease| self.hot.seal.is_none() && lease.until > now)
    }

    /// Gives the run to a writer. The same one goes on counting, another begins anew.
    pub(crate) fn give(&mut self, mark: WriterMark, worker: &str, lease: Duration, now: Timestamp) {
        if self.mark() != Some(mark) {
            self.hot.last_seq = 0;
            self.recent.clear();
        }
        self.hot.lease = Some(Lease { worker: worker.to_owned(), mark, until: now.after(lease) });
        Arc::make_mut(&mut self.hot.head).worker = Some(worker.to_owned());
        self.hot.changed_at = now;
    }

    pub(crate) fn end_by_cancel(&mut self, reason: Option<&str>, now: Timestamp) {
        let change = StateChange::new(RunState::Cancelled, now);
        let change = reason.map_or(change.clone(), |reason| change.because(reason));
        Arc::make_mut(&mut self.hot.head).states.push(change);
        self.hot.next.states += 1;
        self.hot.seal = Some(Seal::Ended(RunState::Cancelled));
        self.ended_by_cancel = true;
    }

    pub(crate) fn attach(&mut self, known: HotAttachment, bytes: Arc<[u8]>) {
        self.bytes += bytes.len() as u64;
        if let Some((_, before)) = self.attachments.insert(known.info.name.clone(), (known, bytes)) {
            self.bytes -= before.len() as u64;
        }
    }

    pub(crate) fn push_line(&mut self, line: LogLine) {
        self.bytes += line.size() as u64;
        self.lines.push_back(line);
    }

    pub(crate) fn push_piece(&mut self, channel: u32, piece: Piece) {
        self.bytes += piece_size(&piece);
        self.channels.entry(channel).or_default().insert(piece.first(), piece);
    }

    /// Lines are blocks of one here; of samples, only whole pieces leave.
    pub(crate) fn trim(&mut self, below: &Positions) -> Positions {
        let below = below.min(&self.hot.confirmed);
        while self.hot.base.lines < below.lines {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.size() as u64;
            self.hot.base.lines += 1;
        }
        for (channel, pieces) in &mut self.channels {
            while let Some(first) = pieces.first_entry().filter(|piece| piece.get().end() <= below.sample(*channel)) {
                self.bytes -= piece_size(first.get());
                self.hot.base.set_sample(*channel, first.remove().end());
            }
        }
        self.hot.base.clone()
    }
}

fn piece_size(piece: &Piece) -> u64 {
    match piece {
        Piece::Block { values, .. } => 16 + 8 * values.len() as u64,
        Piece::Gap(_) => 48,
    }
}
