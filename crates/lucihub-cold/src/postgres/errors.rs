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

/// Why a connection was not made. The server names whoever `user` is; we do not.
pub(super) fn connecting(shown: &str, user: Option<&str>, error: &PgError) -> Refused {
    let Some(refusal) = error.as_db_error() else {
        return unanswered(shown, &plain(error)).into();
    };
    let code = refusal.code();
    let message = without(user, refusal.message());
    let advice = advice(code, &message);
    let error = if passes(code) || advice.is_empty() {
        let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
        StoreError::unavailable(shown, format!("{message}{advice}"))
    } else {
        StoreError::precondition(shown, format!("{message}; {advice}"))
    };
    Refused { error, passes: passes(code) }
}

/// Whether the server may take a connection soon.
fn passes(code: &SqlState) -> bool {
    [SqlState::CANNOT_CONNECT_NOW, SqlState::TOO_MANY_CONNECTIONS].contains(code)
}

/// What to do about a server that refuses a connection; empty for what nobody has met.
fn advice(code: &SqlState, message: &str) -> &'static str {
    match *code {
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION if message.contains("no encryption") => {
            "it takes nobody from here without TLS; write sslmode=verify-full, or add a line to its pg_hba.conf"
        }
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "correct user and password, with %XX for :, /, @, ? and # in them, or the server's pg_hba.conf"
        }
        SqlState::INVALID_CATALOG_NAME => "create the database, or correct its name",
        SqlState::INSUFFICIENT_PRIVILEGE if message.contains("parameter") => {
            "take it out of `options` in the URL, or connect as a role that may set it"
        }
        SqlState::INSUFFICIENT_PRIVILEGE => "let docs/postgres-roles.sql grant this role the right to connect",
        SqlState::UNDEFINED_OBJECT
        | SqlState::INVALID_PARAMETER_VALUE
        | SqlState::CANT_CHANGE_RUNTIME_PARAM
        | SqlState::SYNTAX_ERROR => "correct `options` in the URL: each is -c%20NAME%3DVALUE",
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => "let it with `ALTER DATABASE ... ALLOW_CONNECTIONS true`",
        SqlState::TOO_MANY_CONNECTIONS if message.contains(" for ") && !message.contains("reserved for") => {
            "let more with `ALTER ROLE ... CONNECTION LIMIT`, or of the database; or run fewer components: each opens \
             up to 10"
        }
        SqlState::TOO_MANY_CONNECTIONS => {
            "raise max_connections in its postgresql.conf, or run fewer components: each opens up to 10"
        }
        SqlState::CANNOT_CONNECT_NOW => "wait until it is up; its log says what it is doing",
        _ => "",
    }
}

/// A connection that failed without a word of the server's.
fn unanswered(shown: &str, what: &str) -> StoreError {
    let has = |text: &str| what.contains(text);
    if has("certificate") {
        let why = format!(
            "{what}; name the authority that signed it by sslrootcert=FILE, and the host as the certificate does"
        );
        StoreError::precondition(shown, why)
    } else if has("does not support TLS") {
        StoreError::precondition(shown, "its server speaks no TLS; switch `ssl` on there, or write sslmode=disable")
    } else if has("password missing") {
        let why = "it wants a password; write postgres://USER:PASSWORD@HOST/DATABASE: neither PGPASSWORD nor a file \
                   of passwords is read";
        StoreError::precondition(shown, why)
    } else {
        StoreError::unavailable(shown, format!("{what}; see whether it runs, and whether host and port are right"))
    }
}

/// A message of the server's without the name of whoever connects, which may also be the system's user.
fn without(user: Option<&str>, message: &str) -> String {
    let mut text = message.to_owned();
    for kind in ["user", "role"] {
        let named = |name: &str| format!("{kind} \"{name}\"");
        let Some((_, rest)) = text.split_once(&format!("{kind} \"")) else { continue };
        // A name of the URL may have quotes of its own.
        let mut names = user.into_iter().chain(rest.split('"').next());
        if let Some(name) = names.find(|name| text.contains(&named(name))) {
            text = text.replace(&named(name), &format!("this {kind}"));
        }
    }
    text
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
    } else if has("permission denied") || has("must be owner") {
        StoreError::precondition(STORE, format!("{message}; {}", right(message)))
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
        let why = format!(
            "{message}: the server is slow, or this asks for much; try again, narrow it, or allow more with \
             ?options=-c%20statement_timeout%3D60s in the URL"
        );
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

/// What a role lacks that was denied something.
fn right(message: &str) -> &'static str {
    if message.contains("must be owner") || message.contains("for database") {
        "connect as lucihub_migrator, which owns the tables"
    } else if message.contains("for schema") {
        "run docs/postgres-roles.sql once more as a superuser, and connect as one of its roles"
    } else {
        "connect as lucihub_writer to write; where that is so, run docs/postgres-roles.sql once more as a superuser"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_connects_is_not_named() {
        for (message, shown) in [
            ("role \"a\"da\" does not exist", "this role does not exist"),
            (
                "no entry for host \"h\", user \"root\", database \"d\"",
                "no entry for host \"h\", this user, database \"d\"",
            ),
            ("password authentication failed for user \"ada\"", "password authentication failed for this user"),
            ("role \"ada\" does not exist", "this role does not exist"),
            ("database \"ada\" does not exist", "database \"ada\" does not exist"),
        ] {
            let user = if message.contains("a\"da") { "a\"da" } else { "ada" };
            assert_eq!(without(Some(user), message), shown);
        }
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let hba = "no pg_hba.conf entry for host \"h\", this user, database \"d\", no encryption";
        let slots = "remaining connection slots are reserved for non-replication superuser connections";
        for (code, message, told) in [
            (SqlState::INVALID_AUTHORIZATION_SPECIFICATION, hba, "sslmode=verify-full"),
            (SqlState::INVALID_PASSWORD, "password authentication failed", "user and password"),
            (SqlState::TOO_MANY_CONNECTIONS, "too many connections for this role", "CONNECTION LIMIT"),
            (SqlState::TOO_MANY_CONNECTIONS, slots, "max_connections"),
            (SqlState::CANNOT_CONNECT_NOW, "the database system is not accepting connections", "wait until"),
            (SqlState::INSUFFICIENT_PRIVILEGE, "permission denied to set parameter \"x\"", "options"),
        ] {
            assert!(advice(&code, message).contains(told), "{message}");
        }
    }
}
