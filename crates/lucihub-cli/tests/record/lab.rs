//! A server, a database file, runs in them, and workers that the tests play.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use lucihub_models_core::{Channel, JobType, JsonText, Run, RunHead, RunId};
use lucihub_store::{Keeper, KeeperOptions, Store, Urls};
use lucihub_testkit::servers::{RedisOptions, RedisServer};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long anything may take that is a matter of seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Lab {
    pub(crate) server: RedisServer,
    pub(crate) dir: TempDir,
    pub(crate) runtime: Runtime,
    pub(crate) store: Store,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let server = RedisServer::start(RedisOptions::new());
        let dir = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let cold = format!("sqlite:{}", dir.path().join("lucihub.sqlite").display());
        let store = runtime.block_on(Store::open(&Urls::new(server.url(), cold))).unwrap();
        Self { server, dir, runtime, store }
    }

    /// A queued run of two channels.
    pub(crate) fn queue(&self, device: &str) -> RunId {
        self.queue_with(device, |head| head.channels = vec![Channel::named("x"), Channel::named("y")])
    }

    pub(crate) fn queue_with(&self, device: &str, change: impl FnOnce(&mut RunHead)) -> RunId {
        let mut head = self.store.new_run(JobType::Run);
        head.device = Some(device.parse().unwrap());
        head.input = Some("{\"circuit\": [1e3]}".parse::<JsonText>().unwrap());
        change(&mut head);
        self.runtime.block_on(self.store.create(&head)).unwrap();
        head.id
    }

    pub(crate) fn cancel(&self, run: RunId) {
        self.runtime.block_on(self.store.cancel(run, None)).unwrap();
    }

    /// The run as it can be read at present.
    pub(crate) fn run(&self, run: RunId) -> Run {
        self.runtime.block_on(self.store.run(run)).unwrap()
    }

    /// One walk of a keeper.
    pub(crate) fn keep(&self) {
        let output = self.with_database(&["archive"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// One walk of a keeper that writes what there is of open runs.
    pub(crate) fn checkpoint(&self) {
        let options = KeeperOptions::default().with_checkpoint(Duration::from_secs(2), 1);
        self.runtime.block_on(Keeper::new(self.store.clone(), options).walk()).unwrap();
    }

    /// Archives the run, and reads it back from cold storage.
    pub(crate) fn archived(&self, run: RunId) -> Run {
        self.keep();
        let status = self.runtime.block_on(self.store.status(run)).unwrap();
        assert!(status.archived.is_some(), "{status:?}");
        self.run(run)
    }

    /// The command on the server, and with no database anywhere.
    pub(crate) fn lucihub(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
        command.args(args);
        self.settle(&mut command);
        command
    }

    pub(crate) fn with_database(&self, args: &[&str]) -> Command {
        let mut command = self.lucihub(args);
        command.arg("--dir").arg(self.dir.path());
        command
    }

    /// Gives a command the server, and nothing of the tester's own environment.
    pub(crate) fn settle(&self, command: &mut Command) {
        for name in ["DATABASE_URL", "LUCIHUB_REDIS_CA_FILE", "LUCIHUB_KEY_PREFIX"] {
            command.env_remove(name);
        }
        let empty = self.dir.path().join("empty");
        std::fs::create_dir_all(&empty).unwrap();
        command.env("REDIS_URL", self.server.url()).current_dir(empty);
    }

    /// A worker on one run.
    pub(crate) fn record(&self, run: RunId, more: &[&str]) -> Worker {
        let id = run.to_string();
        let mut command = self.lucihub(&["record", &id, "--worker", "bench"]);
        command.args(more);
        Worker::start(command)
    }
}

/// A recording that a test plays the worker of. Killed if the test ends first.
pub(crate) struct Worker {
    pub(crate) child: Child,
    stdin: Option<ChildStdin>,
    answers: Receiver<Value>,
    talk: Receiver<String>,
    said: String,
}

impl Worker {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (give, answers) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let answer = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if give.send(answer).is_err() {
                    return;
                }
            }
        });
        let (say, talk) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| say.send(line)));
        Self { stdin: child.stdin.take(), child, answers, talk, said: String::new() }
    }

    pub(crate) fn says(&mut self, frame: &str) {
        self.sends(format!("{frame}\n").as_bytes());
    }

    /// Samples as bytes behind their line.
    pub(crate) fn measures(&mut self, channel: u32, first: u64, values: &[f64]) {
        let bytes = 8 * values.len();
        self.says(&format!("{{\"samples\":{{\"channel\":{channel},\"first\":{first},\"bytes\":{bytes}}}}}"));
        self.sends(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
    }

    pub(crate) fn sends(&mut self, bytes: &[u8]) {
        // A command that has ended reads nothing; what it said is looked at.
        let _ = self.stdin.as_mut().unwrap().write_all(bytes);
    }

    /// The pipe, for a thread that fills it.
    pub(crate) fn input(&mut self) -> ChildStdin {
        self.stdin.take().unwrap()
    }

    /// Waits for an answer of a kind, and returns what is in it.
    pub(crate) fn hears(&mut self, kind: &str) -> Value {
        let mut heard = Vec::new();
        loop {
            match self.answers.recv_timeout(PATIENCE) {
                Ok(answer) if answer.get(kind).is_some() => return answer[kind].clone(),
                Ok(other) => heard.push(other),
                Err(RecvTimeoutError::Timeout) => panic!("no {kind} in {PATIENCE:?}, but {heard:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without {kind}: {heard:?}; {}", self.said()),
            }
        }
    }

    /// What it and its children said, once all of them have ended.
    pub(crate) fn said(&mut self) -> String {
        self.talk.iter().for_each(|line| self.said += &format!("{line}\n"));
        self.said.clone()
    }

    /// Waits until it has said this.
    pub(crate) fn is_said(&mut self, part: &str) {
        while !self.said.contains(part) {
            let line = self.talk.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("not {part:?}, but {}", self.said));
            self.said += &format!("{line}\n");
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Closes its input, if it is still open, and waits until it ends: what it answered and said since.
    pub(crate) fn ends_with(mut self, code: i32) -> (Vec<Value>, String) {
        drop(self.stdin.take());
        self.has_ended_with(code)
    }

    /// The same with its input left open.
    pub(crate) fn has_ended_with(&mut self, code: i32) -> (Vec<Value>, String) {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(begun.elapsed() < PATIENCE, "it goes on"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let said = self.said();
        assert_eq!(status.code(), Some(code), "{said}");
        (self.answers.iter().collect(), said)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Fails only for one that has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Samples bit for bit.
pub(crate) fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}
