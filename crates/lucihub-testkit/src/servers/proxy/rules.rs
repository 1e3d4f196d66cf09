//! What a proxy does with all of its connections, and what it has done.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::connection::Connection;
use super::requests::Requests;
use crate::Dice;
use crate::ids::mix;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Commands.
    ToServer,
    /// Replies.
    ToClient,
}

/// A cut of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cut {
    /// Number of the connection, from 0.
    pub connection: u64,
    /// The direction that decided.
    pub direction: Direction,
    /// Bytes that were forwarded in that direction, since the connection began or the range was set; of a request whose answer
    /// is lost, since the connection began and up to its pattern's end.
    pub after: u64,
    /// Whether both ends got a reset and not the end of the stream.
    pub reset: bool,
}

/// What holds now.
#[derive(Debug, Clone, Default)]
pub(super) struct Now {
    pub(super) paused: bool,
    /// Whose bytes are held though others' pass.
    pub(super) cut_off: Vec<IpAddr>,
    pub(super) cut_after: Option<Range<u64>>,
    /// Grows with each change of the range, so that connections draw again.
    pub(super) version: u64,
}

impl Now {
    /// Whether the bytes of a connection from there wait, both ways.
    pub(super) fn holds(&self, source: Option<IpAddr>) -> bool {
        self.paused || source.is_some_and(|source| self.cut_off.contains(&source))
    }
}

#[derive(Debug)]
pub(super) struct Rules {
    pub(super) target: u16,
    seed: u64,
    pub(super) requests: Requests,
    now: Mutex<Now>,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    cuts: Vec<Cut>,
    connections: u64,
    open: Vec<Weak<Connection>>,
}

impl Rules {
    pub(super) fn new(target: u16, seed: u64) -> Self {
        Self { target, seed, requests: Requests::default(), now: Mutex::default(), record: Mutex::default() }
    }

    pub(super) fn now(&self) -> Now {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn pause(&self, paused: bool) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).paused = paused;
    }

    pub(super) fn cut_off(&self, sources: &[IpAddr]) {
        sources.clone_into(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner).cut_off);
    }

    pub(super) fn cut_after(&self, range: Option<Range<u64>>) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.cut_after = range;
        now.version += 1;
    }

    /// The chance of one direction of one connection; threads that race for bytes do not disturb it.
    pub(super) fn dice(&self, connection: u64, direction: Direction) -> Dice {
        let way = u64::from(direction == Direction::ToClient);
        Dice::new(mix(self.seed ^ mix(2 * connection + way + 1)))
    }

    /// The number of a connection that came.
    pub(super) fn count_connection(&self) -> u64 {
        let mut record = self.record();
        record.connections += 1;
        record.connections - 1
    }

    pub(super) fn opened(&self, connection: &Arc<Connection>) {
        let open = &mut self.record().open;
        open.retain(|connection| connection.strong_count() > 0);
        open.push(Arc::downgrade(connection));
    }

    pub(super) fn end_all(&self) {
        let open = std::mem::take(&mut self.record().open);
        open.iter().filter_map(Weak::upgrade).for_each(|connection| connection.end(true));
    }

    pub(super) fn note(&self, cut: Cut) {
        self.record().cuts.push(cut);
    }

    pub(super) fn cut_log(&self) -> Vec<Cut> {
        self.record().cuts.clone()
    }

    pub(super) fn connections(&self) -> u64 {
        self.record().connections
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
