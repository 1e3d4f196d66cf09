//! The built command as a child process, killed if the test ends first.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take that is a matter of seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// The command on a folder and a server, with nothing of the tester's own environment.
pub(crate) fn lucihub(args: &[&str], dir: &Path, redis: &str) -> Command {
    let mut command = bare(args, redis);
    command.arg("--dir").arg(dir);
    command
}

/// The same without a folder.
pub(crate) fn bare(args: &[&str], redis: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
    command.args(args).env("REDIS_URL", redis);
    for name in ["DATABASE_URL", "LUCIHUB_REDIS_CA_FILE", "LUCIHUB_KEY_PREFIX", "CARGO"] {
        command.env_remove(name);
    }
    command
}

/// What a command printed that succeeded.
pub(crate) fn printed(output: &Output) -> &str {
    assert!(output.status.success(), "{}: {}", output.status, said(output));
    std::str::from_utf8(&output.stdout).unwrap()
}

/// What a command said.
pub(crate) fn said(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A command that runs beside the test.
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    stdout: Option<ChildStdout>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { stdout: child.stdout.take(), child, stderr }
    }

    /// Waits for a line of talk that begins like this, and returns the rest of it.
    pub(crate) fn hears(&mut self, begin: &str) -> String {
        let mut all = String::new();
        loop {
            let from = all.len();
            assert!(self.stderr.read_line(&mut all).unwrap() > 0, "it ended without {begin:?}: {all}");
            if let Some(rest) = all[from..].strip_prefix(begin) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Waits for a line of talk that holds this.
    pub(crate) fn hears_of(&mut self, part: &str) {
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "it ended without {part:?}");
        }
    }

    /// Asks it to stop, as a service's supervisor does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.signal("-INT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// What it printed, once it has ended by itself and well.
    pub(crate) fn ends(self) -> String {
        self.ends_with(0).0
    }

    /// What it printed, and what it said last, once it has ended with this code.
    pub(crate) fn ends_with(mut self, code: i32) -> (String, String) {
        let mut stdout = self.stdout.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text)
        });
        let status = until("it ends", || self.child.try_wait().unwrap());
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(status.code(), Some(code), "{rest}");
        (reading.join().unwrap().unwrap(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only for one that has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks again and again.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
