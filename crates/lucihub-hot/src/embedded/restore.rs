//! How a lost run comes back, with every position in its place.

use std::sync::Arc;

use lucihub_models_core::hot::{Restore, Restored, Seal};
use lucihub_models_core::{Gap, GapCause, LogLine, Piece, Positions, Result, RunHead, StoreEvent, Timestamp};

use super::live::{Attachments, LiveRun};
use super::room::Share;
use super::shelf::{Entry, Visit};
use super::{EmbeddedHot, weight};

/// Lines per chunk of lost lines: trims take whole chunks.
const CHUNK: usize = 1024;

impl EmbeddedHot {
    /// The law of [`HotAppend::restore`](lucihub_models_core::hot::HotAppend::restore).
    pub(super) fn put_back(&self, restore: &Restore) -> Result<Restored> {
        let run = restore.head.id;
        if let Some(answer) = refuse(&mut self.visit(run), restore) {
            return Ok(answer);
        }
        let state = restore.head.state();
        if state.is_terminal() {
            return Ok(Restored::Sealed(Seal::Ended(state.clone())));
        }
        restore.check(&self.options.limits)?;
        let mut head = restore.head.clone();
        head.worker = Some(restore.worker.clone());
        let lost = Lost::of(restore);
        let share = self.room.share(weight::head(&head).saturating_add(lost.weight())).ok_or_else(|| self.full())?;
        let replaced = {
            let mut visit = self.visit(run);
            // Another may have restored or deleted it meanwhile.
            if let Some(answer) = refuse(&mut visit, restore) {
                return Ok(answer);
            }
            let kept = Kept::of(&mut visit, restore);
            let mut live = lost.rebuild(head, restore, share, visit.now);
            if !kept.give_to(&mut live) {
                return Err(self.full());
            }
            visit.place(Entry::Run(Box::new(live)))
        };
        drop(replaced);
        self.bells.ring_keepers(run);
        Ok(Restored::Restored)
    }
}

fn refuse(visit: &mut Visit<'_>, restore: &Restore) -> Option<Restored> {
    match visit.entry()? {
        // Nobody ever took it over: it was placed anew while its writer lives.
        Entry::Run(run) if run.lease.is_none() && run.seal.is_none() => None,
        Entry::Run(run) if is_older_copy(run, restore) => None,
        Entry::Run(_) => Some(Restored::Existing),
        Entry::Tombstone(_) => Some(Restored::Sealed(Seal::Deleted)),
    }
}

fn is_older_copy(run: &LiveRun, restore: &Restore) -> bool {
    run.seal.is_none() && run.is_writer(restore.mark) && run.last_seq < restore.last_seq
}

/// What an older copy of the run has from others than its writer.
#[derive(Default)]
struct Kept {
    attachments: Attachments,
    events: Vec<StoreEvent>,
    cancel: bool,
}

impl Kept {
    fn of(visit: &mut Visit<'_>, restore: &Restore) -> Self {
        match visit.entry() {
            Some(Entry::Run(run)) if is_older_copy(run, restore) => {
                Self { attachments: run.attachments.clone(), events: run.events.clone(), cancel: run.cancel }
            }
            _ => Self::default(),
        }
    }

    /// Gives it to the run in its place, if there is room.
    fn give_to(self, live: &mut LiveRun) -> bool {
        let attachments = self.attachments.values().map(|(known, _)| weight::attachment(known)).sum::<u64>();
        let bytes = attachments.saturating_add(weight::events(&self.events));
        if !live.share.try_set(live.share.bytes().saturating_add(bytes)) {
            return false;
        }
        (live.attachments, live.events, live.cancel) = (self.attachments, self.events, self.cancel);
        true
    }
}

/// What lies between the confirmed positions and where the writer goes on.
struct Lost {
    confirmed: Positions,
    next: Positions,
    gaps: Vec<(u32, Piece)>,
    line: LogLine,
}

impl Lost {
    fn of(restore: &Restore) -> Self {
        let (confirmed, next) = restore.bounds();
        let gap = |(channel, end): (u32, &u64)| {
            let gap = Gap::new(confirmed.sample(channel)..*end, GapCause::Store);
            (!gap.is_empty()).then_some((channel, Piece::Gap(gap)))
        };
        let gaps = (0_u32..).zip(&next.samples).filter_map(gap).collect();
        // Without a time: nobody knows when the line was written.
        let line = LogLine::lost();
        Self { confirmed, next, gaps, line }
    }

    /// What its place will count. A count of lines beyond all memory fails here,
    /// before one of them is made.
    fn weight(&self) -> u64 {
        let lost = self.next.lines - self.confirmed.lines;
        let chunks = lost.div_ceil(CHUNK as u64).saturating_mul(weight::CHUNK);
        let lines = lost.saturating_mul(weight::line(&self.line)).saturating_add(chunks);
        let gaps = self.gaps.iter().map(|(_, piece)| weight::piece(piece)).sum::<u64>();
        lines.saturating_add(gaps)
    }

    fn rebuild(self, head: RunHead, restore: &Restore, share: Share, now: Timestamp) -> LiveRun {
        let mut live = LiveRun::new(head, share, now);
        live.hand_to(&restore.worker, restore.mark, restore.lease, now);
        live.last_seq = restore.last_seq;
        live.base = Positions { states: 0, phases: 0, ..self.confirmed.clone() };
        self.fill_log(&mut live);
        for (channel, piece) in self.gaps {
            live.track(channel).push(piece);
        }
        live.confirmed = self.confirmed;
        live.next = self.next;
        live
    }

    /// All whole chunks share one allocation: the lines are alike.
    fn fill_log(&self, live: &mut LiveRun) {
        if self.confirmed.lines == self.next.lines {
            return;
        }
        let chunk: Arc<[LogLine]> = vec![self.line.clone(); CHUNK].into();
        let bytes = weight::lines(&chunk);
        let mut at = self.confirmed.lines;
        while self.next.lines - at >= CHUNK as u64 {
            live.log.push(at, chunk.clone(), bytes);
            at += CHUNK as u64;
        }
        let rest = &chunk[..usize::try_from(self.next.lines - at).unwrap_or(0)];
        live.log.push(at, rest.into(), weight::lines(rest));
    }
}
