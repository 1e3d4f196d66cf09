//! How a writer puts back a run that the store has lost.

use std::time::Duration;

use super::append::Seal;
use crate::batch::WriterMark;
use crate::error::Invalid;
use crate::latest::RunHead;
use crate::limits::Limits;
use crate::position::Positions;

/// A run to be put back by its writer after the store lost it.
#[derive(Debug, Clone)]
pub struct Restore {
    /// The head as it was at `next`.
    pub head: RunHead,
    /// The worker's name.
    pub worker: String,
    /// The writer that goes on, with the epoch it has.
    pub mark: WriterMark,
    /// How long its lease lasts.
    pub lease: Duration,
    /// The last sequence number that `next` covers: the writer goes on with the one after.
    pub last_seq: u64,
    /// What cold storage has.
    pub confirmed: Positions,
    /// Where the writer goes on. What lies between `confirmed` and `next` is
    /// lost: samples become a gap with cause `store`, and each lost line
    /// [`LogLine::lost`](crate::LogLine::lost), so that every position keeps its meaning.
    pub next: Positions,
}

impl Restore {
    /// Checks head, worker and positions against limits.
    ///
    /// # Errors
    /// [`Invalid`] naming the part, the limit and what to do.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        let (head, next) = (&self.head, &self.next);
        head.check(limits)?;
        head.grid.check()?;
        if self.worker.len() > limits.text_bytes {
            let hint = format!("the limit is {} bytes", limits.text_bytes);
            return Err(Invalid::new("worker", format!("{} bytes", self.worker.len())).hint(hint));
        }
        if next.lines > limits.samples {
            // No run has so many; without a limit, the next line would have no number.
            let hint = format!("the limit is {}", limits.samples);
            return Err(Invalid::new("lines", format!("{} of them", next.lines)).hint(hint));
        }
        for (channel, end) in next.samples.iter().enumerate().filter(|(_, end)| **end > 0) {
            if channel >= head.channels.len() {
                return Err(Invalid::new(format!("channel {channel}"), "not one of the run's channels")
                    .hint("restore with the head that describes them"));
            }
            if *end > limits.samples {
                return Err(Invalid::new(format!("channel {channel}"), format!("{end} samples"))
                    .hint(format!("the limit is {}", limits.samples)));
            }
        }
        Ok(())
    }

    /// Where the restored run is confirmed and where it goes on, of what
    /// [`check`](Self::check) has passed: states and phases are the head's, and
    /// nothing lies beyond its channels. What lies between both is lost.
    #[must_use]
    pub fn bounds(&self) -> (Positions, Positions) {
        let head = &self.head;
        let mut next = self.next.clone();
        next.states = head.states.len() as u64;
        next.phases = head.phases.len() as u64;
        next.samples.truncate(head.channels.len());
        let mut confirmed = self.confirmed.min(&next);
        confirmed.samples.truncate(next.samples.len());
        (confirmed, next)
    }
}

/// The answer to a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// The run is back.
    Restored,
    /// The store has the run, with a writer that is not behind, or with an end: it was not lost, or another was quicker.
    Existing,
    /// It was deleted, or `next` is already terminal.
    Sealed(Seal),
}
