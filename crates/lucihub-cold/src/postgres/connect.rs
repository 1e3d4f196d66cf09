//! Making a connection.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use diesel_async::AsyncPgConnection;
use lucihub_models_core::StoreError;
use tokio::runtime;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::errors::{self, Refused};
use super::link::{Closed, Line, Link};
use super::options::PostgresOptions;
use super::tls;
use crate::error::Error;

/// The schema that holds everything of ours.
pub(crate) const SCHEMA: &str = "lucihub";

/// Between two attempts at a server that is starting up, or that has no connection to spare.
const PAUSE: Duration = Duration::from_millis(50);

/// Makes connections, all alike.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    shown: String,
    /// How long the server may take to let us in.
    wait: Duration,
    /// How long it may take to answer.
    patience: Duration,
}

impl Connector {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, Error> {
        let mut config = options.place.config.clone();
        let wait = config.get_connect_timeout().copied().unwrap_or(options.wait);
        config.connect_timeout(wait);
        if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            config.keepalives_idle(Duration::from_secs(60));
        }
        config.options(settings(options));
        let roots = options.ca_file.as_deref().or(options.place.root_certificates.as_deref());
        Ok(Self {
            config,
            // Without TLS nothing asks for it, so an empty set of authorities will do.
            tls: tls::connector(roots)?,
            shown: options.shown(),
            wait,
            patience: beyond(options.statement_timeout),
        })
    }

    /// How errors name the database.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Connects, and waits while the server says that it will be there soon. Blocks.
    pub(super) fn connect(&self) -> Result<Link, StoreError> {
        let begun = Instant::now();
        loop {
            match self.once() {
                Err(refused) if refused.passes && begun.elapsed() + PAUSE < self.wait => std::thread::sleep(PAUSE),
                Err(refused) => return Err(refused.error),
                Ok(link) => return Ok(link),
            }
        }
    }

    fn once(&self) -> Result<Link, Refused> {
        let unavailable = |why: &dyn std::fmt::Display| Refused::from(StoreError::unavailable(&self.shown, why));
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(|e| unavailable(&e))?;
        // It holds the runtime from here on: dropping that one otherwise would wait for the resolver of names.
        let mut line = Line::new(runtime, self.patience);
        let closed = Closed::default();
        let connecting = async {
            let refused = |e| errors::connecting(&self.shown, self.config.get_user(), &e);
            let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(refused)?;
            let last_words = closed.clone();
            let protocol = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    *last_words.lock().unwrap_or_else(PoisonError::into_inner) = Some(errors::plain(&error));
                }
            });
            let conn = AsyncPgConnection::try_from(client).await.map_err(|e| unavailable(&e))?;
            Ok::<_, Refused>((conn, protocol.abort_handle()))
        };
        let connected = line.within(self.wait, connecting);
        let late =
            format!("it did not take a connection within {:?}; see whether it runs and is not overloaded", self.wait);
        let (conn, protocol) = connected.ok_or_else(|| unavailable(&late))??;
        let mut link = Link::new(conn, line, protocol, closed);
        if self.config.get_options().is_some_and(|options| options.matches("statement_timeout").nth(1).is_some()) {
            // The URL has one of its own, in a unit of its own.
            let patience = link.statement_timeout().map_err(|e| unavailable(&e))?.map_or(Duration::MAX, beyond);
            link.set_patience(patience);
        }
        Ok(link)
    }
}

/// The server ends a statement by itself; what is beyond that is for one that has stopped answering.
const fn beyond(statement_timeout: Duration) -> Duration {
    statement_timeout.saturating_add(Duration::from_secs(5))
}

/// The settings of each session, as the server's command line has them. Those of the URL come later, and win.
fn settings(options: &PostgresOptions) -> String {
    let ours = [
        ("search_path", SCHEMA.to_owned()),
        ("statement_timeout", millis(options.statement_timeout)),
        ("lock_timeout", millis(options.lock_timeout)),
        ("idle_in_transaction_session_timeout", millis(options.idle_in_transaction_timeout)),
        // Every statement here is a short walk along an index, whatever the statistics say.
        ("enable_seqscan", "off".to_owned()),
        ("enable_sort", "off".to_owned()),
        ("enable_bitmapscan", "off".to_owned()),
        // So there is one plan for each, and making it anew for other values would only find the same.
        ("plan_cache_mode", "force_generic_plan".to_owned()),
        ("jit", "off".to_owned()),
    ];
    let ours = ours.map(|(name, value)| format!("-c {name}={value}")).join(" ");
    match options.place.config.get_options() {
        Some(theirs) => format!("{ours} {theirs}"),
        None => ours,
    }
}

fn millis(duration: Duration) -> String {
    // 0 would mean no limit.
    duration.as_millis().max(1).to_string()
}
