//! `redis-cli`: a look at a server that shares no code with the adapter under test.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::PACKAGES;
use crate::servers::program;
use crate::servers::until::until;

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
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("redis-cli does not start: {error}"))?;
    let (printed, complained) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let ended =
        until(limit, || child.try_wait().map_err(|error| error.to_string())?.ok_or_else(|| "it runs".to_owned()));
    if ended.is_err() {
        drop(child.kill());
        drop(child.wait());
    }
    let [printed, complained] = [printed, complained].map(|text| text.join().expect("a thread that reads"));
    match ended {
        Ok(status) if status.success() => Ok(printed.strip_suffix('\n').unwrap_or(&printed).to_owned()),
        Ok(status) => Err(format!("redis-cli {}: {status}\n{complained}{printed}", arguments.join(" "))),
        Err(why) => Err(format!("redis-cli {}: {why}\n{complained}{printed}", arguments.join(" "))),
    }
}

/// Reads to the end beside the caller, so that a full pipe does not stop the program.
fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            drop(pipe.read_to_end(&mut bytes));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
