//! `psql`: a look at a server that shares no code with the adapter under test.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::url::with_database;
use super::{SUPERUSER, require};
use crate::servers::command::output_of;

/// How a superuser reaches a server.
#[derive(Clone)]
pub(super) enum Reach {
    /// Past TLS and passwords: the folder of the socket, and the port that is in its name.
    Socket { folder: PathBuf, port: u16 },
    /// As a URL says; its database is replaced.
    Url(String),
}

/// Runs statements, one after the other, and returns the rows: one a line, `|` between columns.
///
/// # Errors
/// What the server answers to the first statement that fails, or why `psql` did not reach it or did not end in time.
pub(super) fn ask(reach: &Reach, database: &str, sql: &str, limit: Duration) -> Result<String, String> {
    let mut command = without_surroundings(Command::new(require("psql")));
    command.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]).env("PGCONNECT_TIMEOUT", "10");
    match reach {
        Reach::Socket { folder, port } => {
            command.arg("-h").arg(folder).args(["-p", &port.to_string(), "-U", SUPERUSER, "-d", database]);
        }
        Reach::Url(url) => {
            command.args(["-d", &with_database(url, database)?]);
        }
    }
    // Not as an argument: several statements in one are a transaction, and their length is limited.
    output_of(command, sql, limit).map_err(|why| format!("psql in database {database}: {why}\n{sql}"))
}

/// The command without the variables by which whoever runs the tests sets up the clients of another server.
pub(super) fn without_surroundings(mut command: Command) -> Command {
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command
}
