//! `redis-cli`: a look at a server that shares no code with the adapter under test.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::PACKAGES;
use crate::servers::command::output_of;
use crate::servers::program;

/// The user of the testkit where a server has an ACL file: may do everything. The same on every server, so that any of them may
/// become a replica of any other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admin;

impl Admin {
    pub(super) const USER: &str = "testkit";
    pub(super) const PASSWORD: &str = "testkit-password";

    /// Its line of the ACL file.
    pub(super) fn line(self) -> String {
        format!("user {} on >{} ~* &* +@all", Self::USER, Self::PASSWORD)
    }
}

/// How `redis-cli` reaches a server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach<'a> {
    /// Past every port, and so past TLS.
    Socket(&'a Path),
    /// As the arguments say: `--cluster` names its own addresses.
    Arguments,
}

/// Runs `redis-cli` and returns what it printed, without the last line's end.
///
/// # Errors
/// Where it did not reach the server or did not end in time. An error that the server answers is an answer.
pub(super) fn ask(
    reach: Reach<'_>,
    admin: Option<Admin>,
    arguments: &[&str],
    limit: Duration,
) -> Result<String, String> {
    let mut command = Command::new(program::require("redis-cli", PACKAGES));
    if let Reach::Socket(path) = reach {
        command.arg("-s").arg(path);
    }
    if admin.is_some() {
        command.args(["--user", Admin::USER, "--pass", Admin::PASSWORD, "--no-auth-warning"]);
    }
    command.args(arguments);
    output_of(command, "", limit).map_err(|why| format!("redis-cli {}: {why}", arguments.join(" ")))
}
