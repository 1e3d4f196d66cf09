//! A connection, and the time that all statements of a search have together.
//!
//! A server ends a statement that takes too long. A search may be many short ones, whose number the caller decides.

use std::time::{Duration, Instant};

use lucihub_models_core::StoreError;

use crate::conn::Conn;
use crate::error::Error;

/// A connection for the statements of one search.
pub(super) struct Timed<'a, 'c> {
    conn: &'a mut Conn<'c>,
    begun: Instant,
    patience: Duration,
}

impl<'a, 'c> Timed<'a, 'c> {
    /// The time begins now.
    pub(super) fn new(conn: &'a mut Conn<'c>, patience: Duration) -> Self {
        Self { conn, begun: Instant::now(), patience }
    }

    pub(super) const fn is_postgres(&self) -> bool {
        self.conn.is_postgres()
    }

    /// The connection for the next statement.
    ///
    /// # Errors
    /// `Unavailable` if the time is over, with what to narrow.
    pub(super) fn next(&mut self) -> Result<&mut Conn<'c>, Error> {
        if self.begun.elapsed() < self.patience {
            return Ok(self.conn);
        }
        let why = format!(
            "the search took longer than {:?}; name fewer values in each field, set a window of creation, or leave out \
             offset and total",
            self.patience
        );
        Err(StoreError::unavailable("cold storage", why).into())
    }
}
