//! Making a connection.

use std::sync::PoisonError;
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use lucihub_models_core::StoreError;
use tokio::runtime;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::errors;
use super::link::{Closed, Link};
use super::options::PostgresOptions;
use super::tls;
use crate::error::Error;

/// The schema that holds everything of ours.
pub(crate) const SCHEMA: &str = "lucihub";

/// Makes connections, all alike.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    shown: String,
    wait: Duration,
    patience: Duration,
}

impl Connector {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, Error> {
        let mut config = options.place.config.clone();
        config.connect_timeout(options.wait);
        config.keepalives_idle(Duration::from_secs(60));
        config.options(settings(options));
        let roots = options.ca_file.as_deref().or(options.place.root_certificates.as_deref());
        Ok(Self {
            config,
            // Without TLS nothing asks for it, so an empty set of authorities will do.
            tls: tls::connector(roots)?,
            shown: options.shown(),
            wait: options.wait,
            // The server ends a statement by itself; this is for one that has stopped answering.
            patience: options.statement_timeout + Duration::from_secs(5),
        })
    }

    /// How errors name the database.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Connects. Blocks.
    pub(super) fn connect(&self) -> Result<Link, StoreError> {
        let unavailable = |why: &dyn std::fmt::Display| StoreError::unavailable(&self.shown, why);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(|e| unavailable(&e))?;
        let closed = Closed::default();
        let connecting = async {
            let (client, connection) =
                self.config.connect(self.tls.clone()).await.map_err(|e| errors::connecting(&self.shown, &e))?;
            let last_words = closed.clone();
            let protocol = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    *last_words.lock().unwrap_or_else(PoisonError::into_inner) = Some(errors::plain(&error));
                }
            });
            let conn = AsyncPgConnection::try_from(client).await.map_err(|e| unavailable(&e))?;
            Ok::<_, StoreError>((conn, protocol.abort_handle()))
        };
        let connected = runtime.block_on(async { tokio::time::timeout(self.wait, connecting).await });
        let late =
            format!("it did not take a connection within {:?}; see whether it runs and is not overloaded", self.wait);
        let (conn, protocol) = connected.map_err(|_| unavailable(&late))??;
        Ok(Link::new(conn, runtime, protocol, self.patience, closed))
    }
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
