//! The process of the peer: plain Python, asked for a turn at a time.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::typical::{STATES, Typical};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// The process. It ends with this.
pub(super) struct Peer {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts the one that keeps runs, on a Redis server and on a database as `SQLAlchemy` names it.
    pub(super) fn of_runs(
        python: &Path,
        redis_port: u16,
        database: Option<&str>,
        samples: &Path,
        typical: &Typical,
    ) -> Result<Self> {
        let states: Vec<&str> = ["queued"].into_iter().chain(STATES).chain(["succeeded"]).collect();
        let setup = json!({
            "redis_port": redis_port,
            "database": database,
            "samples": samples,
            "channels": typical.channels.len(),
            "lines": typical.lines.iter().map(|line| &line.text).collect::<Vec<_>>(),
            "states": states,
        });
        Self::start(python, "peer.py", &setup)
    }

    /// Starts the one that lists them, on a database.
    pub(super) fn of_lists(python: &Path, database: &str) -> Result<Self> {
        Self::start(python, "lists.py", &json!({ "database": database }))
    }

    fn start(python: &Path, script: &str, setup: &Value) -> Result<Self> {
        let mut child = Command::new(python)
            // Nothing is left beside the sources.
            .arg("-B")
            .arg(Path::new(SCRIPTS).join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", python.display()))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            anyhow::bail!("the peer has no pipes");
        };
        let mut peer = Self { child, requests, answers: BufReader::new(answers) };
        let ready = peer.ask(setup)?;
        ensure!(ready["ready"] == true, "{ready}");
        Ok(peer)
    }

    /// Asks for one thing, and waits for the answer.
    pub(super) fn ask(&mut self, request: &Value) -> Result<Value> {
        writeln!(self.requests, "{request}").context("the peer has ended; what it said stands above")?;
        let mut answer = String::new();
        ensure!(self.answers.read_line(&mut answer)? > 0, "the peer has ended; what it said stands above");
        Ok(serde_json::from_str(&answer)?)
    }

    /// Asks for work, and returns how many things it did in how many seconds.
    pub(super) fn turn(&mut self, request: &Value) -> Result<(f64, f64)> {
        let answer = self.ask(request)?;
        Ok((answer["count"].as_f64().unwrap_or(1.0), number(&answer, "seconds")?))
    }

    /// Asks for one number.
    pub(super) fn number(&mut self, request: &Value, name: &str) -> Result<f64> {
        number(&self.ask(request)?, name)
    }
}

/// A number of an answer.
pub(super) fn number(answer: &Value, name: &str) -> Result<f64> {
    answer[name].as_f64().with_context(|| format!("no {name} in {answer}"))
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Fails only for one that has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
