//! What PostgreSQL's errors mean.

use std::error::Error as _;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use lucihub_models_core::{Invalid, StoreError};
use tokio_postgres::Error as PgError;
use tokio_postgres::error::SqlState;

use crate::error::Error;

/// How errors name the database where its place is not known.
const STORE: &str = "PostgreSQL";

/// A connection that was not made.
pub(super) struct Refused {
    pub(super) error: StoreError,
    /// Whether the server is there, and will take one soon.
    pub(super) passes: bool,
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self { error, passes: false }
    }
}

/// Why a connection was not made.
pub(super) fn connecting(shown: &str, error: &PgError) -> Refused {
    let Some(refusal) = error.as_db_error() else {
        let what = plain(error);
        return if what.contains("invalid peer certificate") || what.contains("certificate") {
            let why = format!(
                "{what}; name the authority that signed it by sslrootcert=FILE, and the host as the certificate does"
            );
            StoreError::precondition(shown, why)
        } else if what.contains("does not support TLS") {
            StoreError::precondition(shown, "its server speaks no TLS; switch `ssl` on there, or write sslmode=disable")
        } else if what.contains("password missing") {
            StoreError::precondition(shown, "it wants a password; write postgres://USER:PASSWORD@HOST/DATABASE")
        } else {
            StoreError::unavailable(shown, format!("{what}; see whether it runs, and whether host and port are right"))
        }
        .into();
    };
    let message = refusal.message();
    let what_to_do = match *refusal.code() {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "correct user and password, or the server's pg_hba.conf"
        }
        SqlState::INVALID_CATALOG_NAME => "create the database, or correct its name",
        SqlState::INSUFFICIENT_PRIVILEGE => "grant this user the right to connect",
        ref code => {
            let passes = [SqlState::CANNOT_CONNECT_NOW, SqlState::TOO_MANY_CONNECTIONS].contains(code);
            return Refused { error: StoreError::unavailable(shown, message), passes };
        }
    };
    StoreError::precondition(shown, format!("{message}; {what_to_do}")).into()
}

/// What happened, with all its reasons, each once.
pub(super) fn plain(error: &PgError) -> String {
    if let Some(refusal) = error.as_db_error() {
        return refusal.message().to_owned();
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        let reason_text = reason.to_string();
        if !text.contains(&reason_text) {
            text = format!("{text}: {reason_text}");
        }
        source = reason.source();
    }
    text
}

/// Puts the place of the database into an error.
pub(super) fn named(error: Error, shown: &str) -> Error {
    match error {
        Error::Store(StoreError::Precondition { what, why }) if what == STORE => {
            StoreError::precondition(shown, why).into()
        }
        Error::Store(StoreError::Unavailable { store, why }) if store == STORE => {
            StoreError::unavailable(shown, why).into()
        }
        Error::Store(StoreError::Full { store, why }) if store == STORE => {
            StoreError::Full { store: shown.to_owned(), why }.into()
        }
        other => other,
    }
}

/// What a server says of a disk that takes no more.
const FULL: [&str; 4] = ["No space left on device", "Disk quota exceeded", "File too large", "disk full"];

/// Sorts a statement's error by what the caller can do. The query builder passes on the text, not the code; these are
/// the English ones, and a server of another language has its text passed on as `Unavailable`.
pub(crate) fn statement(kind: &DatabaseErrorKind, info: &dyn DatabaseErrorInformation) -> StoreError {
    let message = info.message();
    let has = |text: &str| message.contains(text);
    if FULL.iter().any(|text| has(text)) {
        StoreError::Full { store: STORE.into(), why: format!("{message}; make room on the server's disk") }
    } else if has("permission denied") {
        StoreError::precondition(STORE, format!("{message}; grant this user the rights of docs/postgres-roles.sql"))
    } else if matches!(kind, DatabaseErrorKind::ReadOnlyTransaction)
        || has("read-only transaction")
        || has("during recovery")
    {
        let what_to_do =
            "name the primary server in the URL, not a standby, and take away default_transaction_read_only";
        StoreError::precondition(STORE, format!("{message}; {what_to_do}"))
    } else if has("does not exist") && ["relation ", "column ", "schema "].iter().any(|what| message.starts_with(what))
    {
        StoreError::precondition(STORE, format!("{message}; run `lucihub migrate up`"))
    } else if has("lock timeout") || has("deadlock detected") {
        let why = format!("{message}: others were at the same rows, and nothing was written; try again");
        StoreError::unavailable(STORE, why)
    } else if has("statement timeout") {
        let why = format!("{message}: the server is slow, or this asks for much; try again, or narrow it");
        StoreError::unavailable(STORE, why)
    } else if has("invalid memory alloc") || has("invalid message format") {
        Invalid::new("request", message).hint("ask for less at once").into()
    } else if has("invalid page")
        || has("could not read block")
        || has("invalid compressed data")
        || has("missing chunk")
    {
        StoreError::corrupt("a page of the database", format!("{message}; restore it from a backup"))
    } else {
        StoreError::unavailable(STORE, message)
    }
}
