//! One connection: its socket, its thread's runtime, and the time that an answer may take.
//!
//! Each connection has a runtime of its own, on which its protocol runs while a statement is waited for: an answer
//! then wakes nobody else, and a connection does not depend on the runtime of whoever opened it.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::{AsyncConnectionWrapper, BlockOn};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use super::settle::Mark;

/// How long a server may take to say that it is there.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A connection, as the query builder uses it. Blocks.
pub(crate) type PgConn = AsyncConnectionWrapper<AsyncPgConnection, Line>;

/// What a connection waits with.
pub(crate) struct Line {
    /// There until the connection is dropped.
    runtime: Option<Runtime>,
    protocol: Option<AbortHandle>,
    patience: Arc<Patience>,
}

/// How long an answer may take, in milliseconds. The line belongs to the connection, so this is shared with the link.
type Patience = AtomicU64;

/// A connection of the pool, and what the pool must know of it.
pub(crate) struct Link {
    pub(super) conn: PgConn,
    /// Set while a transaction is open, so that a connection which is given back in the midst of one is closed.
    pub(super) amid: bool,
    pub(super) used: Instant,
    /// What its transactions say before they end.
    pub(super) mark: Mark,
    protocol: AbortHandle,
    patience: Arc<Patience>,
    closed: Closed,
}

/// Why the connection ended, where the server said so.
pub(super) type Closed = Arc<Mutex<Option<String>>>;

thread_local! {
    // The wrapper makes its runtime by a function without arguments; this hands it over.
    static NEXT: RefCell<Option<Line>> = const { RefCell::new(None) };
}

impl Link {
    /// Joins a connection and the runtime on which its protocol runs.
    pub(super) fn new(conn: AsyncPgConnection, mut line: Line, protocol: AbortHandle, closed: Closed) -> Self {
        let patience = line.patience.clone();
        line.protocol = Some(protocol.clone());
        NEXT.set(Some(line));
        let conn = PgConn::from(conn);
        Self { conn, amid: false, used: Instant::now(), mark: Mark::new(), protocol, patience, closed }
    }

    /// Whether the server still answers, which it must do at once.
    pub(super) fn ping(&mut self) -> bool {
        let patience = self.patience.swap(millis(AT_ONCE), Ordering::Relaxed);
        let answered = self.conn.batch_execute("").is_ok();
        self.patience.store(patience, Ordering::Relaxed);
        answered
    }

    /// Sets how long an answer may take.
    pub(super) fn set_patience(&self, patience: Duration) {
        self.patience.store(millis(patience), Ordering::Relaxed);
    }

    /// How long the server lets a statement run; `None` if it ends none.
    pub(super) fn statement_timeout(&mut self) -> QueryResult<Option<Duration>> {
        let setting = sql::<Text>("SELECT setting FROM pg_settings WHERE name = 'statement_timeout'");
        let setting: String = setting.get_result(&mut self.conn)?;
        Ok(setting.parse().ok().filter(|millis| *millis > 0).map(Duration::from_millis))
    }

    /// Whether it has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.protocol.is_finished()
    }

    /// What the server said when it closed the connection.
    pub(super) fn last_words(&self) -> Option<String> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Line {
    pub(super) fn new(runtime: Runtime, patience: Duration) -> Self {
        Self { runtime: Some(runtime), protocol: None, patience: Arc::new(Patience::new(millis(patience))) }
    }

    /// Waits for what needs no answer of a connection yet; `None` if it takes longer.
    pub(super) fn within<T>(&mut self, wait: Duration, work: impl Future<Output = T>) -> Option<T> {
        self.runtime.as_ref()?.block_on(async { tokio::time::timeout(wait, work).await }).ok()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl BlockOn for Line {
    fn block_on<F: Future>(&self, answer: F) -> F::Output {
        let Some(runtime) = &self.runtime else { unreachable_runtime() };
        let mut answer = pin!(answer);
        // Rows come many at a time: all but the first are there already, and are taken without waiting on the runtime.
        {
            let _within = runtime.enter();
            if let Poll::Ready(answer) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return answer;
            }
        }
        let patience = Duration::from_millis(self.patience.load(Ordering::Relaxed));
        runtime.block_on(async {
            match tokio::time::timeout(patience, &mut answer).await {
                Ok(answer) => answer,
                Err(_) => {
                    // Without its protocol the connection is closed, and everything that waits for it fails.
                    if let Some(protocol) = &self.protocol {
                        protocol.abort();
                    }
                    answer.await
                }
            }
        })
    }

    fn get_runtime() -> Self {
        NEXT.take().unwrap_or(Self { runtime: None, protocol: None, patience: Arc::default() })
    }
}

#[expect(clippy::panic, reason = "only `Link::new` makes these, with a runtime")]
fn unreachable_runtime() -> ! {
    panic!("a connection without a runtime")
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not an ordinary drop: that one blocks, and the last handle of a store may be dropped on an async thread.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("amid", &self.amid).finish_non_exhaustive()
    }
}
