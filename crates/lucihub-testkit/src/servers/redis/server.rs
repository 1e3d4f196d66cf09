//! One `redis-server`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::PACKAGES;
use super::cli::{Admin, Reach, ask};
use super::options::{Place, RedisOptions, Role, Tls};
use crate::servers::certificates::Certificates;
use crate::servers::disk;
use crate::servers::folder::Folder;
use crate::servers::port::Port;
use crate::servers::process::Process;
use crate::servers::program;
use crate::servers::until::{PATIENCE, until};

/// How long one command through `redis-cli` may take.
const COMMAND: Duration = Duration::from_secs(20);
/// A port that was free may be taken before the server takes it; so often in a row it is something else.
const ATTEMPTS: usize = 5;

/// A `redis-server` on 127.0.0.1 and on a unix socket; killed when it is dropped.
///
/// ```no_run
/// use lucihub_testkit::servers::{RedisOptions, RedisServer};
/// let server = RedisServer::start(RedisOptions::new());
/// server.cli(&["SET", "key", "value"]);
/// server.stop(); // keeps its connections and answers nothing
/// server.cont();
/// server.kill();
/// server.restart_empty();
/// assert_eq!(server.cli(&["EXISTS", "key"]), "0");
/// ```
#[derive(Debug)]
pub struct RedisServer {
    // Before the folder, so that it is killed before its folder goes.
    process: Mutex<State>,
    port: Port,
    tls_port: Option<Port>,
    options: RedisOptions,
    certificates: Option<Certificates>,
    folder: Folder,
}

#[derive(Debug)]
enum State {
    Down,
    Running(Process),
    /// It was sent SIGSTOP.
    Frozen(Process),
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// Where `redis-server` or `redis-cli` is missing, or it does not answer; with its log's last lines.
    #[must_use]
    pub fn start(options: RedisOptions) -> Self {
        program::require("redis-cli", PACKAGES);
        let folder = Folder::new(if options.role == Role::Sentinel { "sentinel" } else { "redis" });
        let certificates = (options.tls != Tls::Off).then(|| Certificates::write(folder.path()));
        fs::create_dir(folder.join(CONTENTS)).expect("a folder in a temporary one");
        let mut server = Self {
            process: Mutex::new(State::Down),
            port: Port::free(),
            tls_port: None,
            options,
            certificates,
            folder,
        };
        for _ in 1..ATTEMPTS {
            match server.try_start() {
                Ok(()) => return server,
                Err(why) if why.contains("Address already in use") => server.port = Port::free(),
                Err(why) => panic!("{why}"),
            }
        }
        server.try_start().unwrap_or_else(|why| panic!("{why}"));
        server
    }

    /// Takes the ports, writes the files and runs.
    fn try_start(&mut self) -> Result<(), String> {
        self.tls_port = (self.options.tls == Tls::Beside).then(Port::free);
        let (socket, contents, users) = (self.socket(), self.folder.join(CONTENTS), self.folder.join("users.acl"));
        let plain = if self.options.tls == Tls::Only { 0 } else { self.port() };
        let configuration = self.options.configuration(&Place {
            port: plain,
            tls_port: self.speaks_tls().then(|| self.tls_port()),
            socket: &socket,
            contents: &contents,
            users: &users,
            certificates: self.certificates.as_ref(),
        });
        fs::write(self.folder.join(CONFIGURATION), configuration).expect("a file in a temporary folder");
        if let (Some(lines), Some(admin)) = (&self.options.acl, self.admin()) {
            let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
            let text: String = lines.chain([admin.line().as_str()]).flat_map(|line| [line, "\n"]).collect();
            fs::write(users, text).expect("a file in a temporary folder");
        }
        self.run(&mut self.state())
    }

    /// Runs the process and waits until it answers.
    fn run(&self, state: &mut State) -> Result<(), String> {
        let mut program = program::require("redis-server", PACKAGES);
        let configuration = self.folder.join(CONFIGURATION);
        let utf8 = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        let mut arguments = vec![utf8(&configuration)];
        if self.options.bears_full_disk {
            arguments.splice(0..0, ["--ignore-signal=XFSZ".to_owned(), utf8(&program)]);
            program = program::require("env", "coreutils");
        }
        arguments.extend((self.options.role == Role::Sentinel).then(|| "--sentinel".to_owned()));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // What an earlier run said is no reason of this one's failure; and its socket is no sign of life.
        drop(fs::remove_file(self.log()));
        drop(fs::remove_file(self.socket()));
        let mut process = Process::start(&program, &arguments, &self.log()).map_err(|error| error.to_string())?;
        let answers = until(PATIENCE, || match process.ended() {
            Some(status) => Ok(Err(format!("it ended: {status}"))),
            None if !self.socket().exists() => Err("it has no socket yet".to_owned()),
            None => match ask(Reach::Socket(&self.socket()), self.admin(), &["PING"], COMMAND)? {
                pong if pong == "PONG" => Ok(Ok(())),
                other => Err(other),
            },
        });
        match answers.and_then(|ended| ended) {
            Ok(()) => {
                *state = State::Running(process);
                Ok(())
            }
            Err(why) => Err(format!("redis-server does not answer PING: {why}\n{}", self.last_lines())),
        }
    }

    /// The plain port; where TLS is the only one, that one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `redis://127.0.0.1:PORT`.
    ///
    /// # Panics
    /// Where TLS is the only port.
    #[must_use]
    pub fn url(&self) -> String {
        assert!(self.options.tls != Tls::Only, "this server has no plain port: use tls_url()");
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// The port that speaks TLS.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        assert!(self.speaks_tls(), "this server has no TLS: set RedisOptions::tls()");
        self.tls_port.as_ref().unwrap_or(&self.port).number()
    }

    /// `rediss://localhost:PORT`.
    ///
    /// # Panics
    /// Where there is no TLS.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("rediss://localhost:{}", self.tls_port())
    }

    /// The file with the certificate authority that clients must trust, in PEM.
    ///
    /// # Panics
    /// Where there is no TLS.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.certificates.as_ref().expect("a server with TLS: set RedisOptions::tls()").authority
    }

    /// `redis+unix:///PATH`.
    #[must_use]
    pub fn unix_url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// The id of the process.
    ///
    /// # Panics
    /// Where it was killed and not started again.
    #[must_use]
    pub fn pid(&self) -> u32 {
        match &*self.state() {
            State::Running(process) | State::Frozen(process) => process.id(),
            State::Down => panic!("the server is down: restart() starts it"),
        }
    }

    /// Whether it was started, and neither killed nor stopped since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        if let State::Running(process) = &mut *self.state() { process.ended().is_none() } else { false }
    }

    /// Freezes it (SIGSTOP): it keeps its connections and answers nothing.
    pub fn stop(&self) {
        self.change(|mut process| {
            process.stop();
            State::Frozen(process)
        });
    }

    /// Lets it go on after [`RedisServer::stop`] (SIGCONT).
    pub fn cont(&self) {
        self.change(|mut process| {
            process.cont();
            State::Running(process)
        });
    }

    /// Lets none of its files grow past so many bytes, as if the disk were full then; `None` lifts that. Only a server
    /// [that bears it](RedisOptions::bearing_full_disk).
    ///
    /// # Panics
    /// Where it is down.
    pub fn limit_files(&self, bytes: Option<u64>) {
        assert!(self.options.bears_full_disk, "set RedisOptions::bearing_full_disk()");
        disk::limit_files(self.pid(), None, bytes).unwrap_or_else(|why| panic!("{why}"));
    }

    /// Kills it (SIGKILL) and waits until it is gone. Its port stays its own.
    pub fn kill(&self) {
        *self.state() = State::Down;
    }

    /// Starts it again with the same ports and files, after killing it if it runs; waits until it answers. Without an
    /// append-only file nothing of what was written is there. What [`RedisServer::set`] changed is as it was.
    ///
    /// # Panics
    /// Where it does not answer; with its log's last lines.
    pub fn restart(&self) {
        let mut state = self.state();
        *state = State::Down;
        self.run(&mut state).unwrap_or_else(|why| panic!("{why}"));
    }

    /// As [`RedisServer::restart`], with all that it had written removed.
    ///
    /// # Panics
    /// As there.
    pub fn restart_empty(&self) {
        let mut state = self.state();
        *state = State::Down;
        let contents = self.folder.join(CONTENTS);
        fs::remove_dir_all(&contents).expect("the server's own folder");
        fs::create_dir(&contents).expect("a folder in a temporary one");
        self.run(&mut state).unwrap_or_else(|why| panic!("{why}"));
    }

    /// What `redis-cli` prints for a command, through the unix socket and as a user who may do everything: one value as it is,
    /// lists a line each, an error as its text.
    ///
    /// # Panics
    /// Where the server does not answer in 20 s.
    pub fn cli(&self, command: &[&str]) -> String {
        self.try_cli(command).unwrap_or_else(|why| panic!("{why}"))
    }

    /// As [`RedisServer::cli`].
    ///
    /// # Errors
    /// Where the server does not answer.
    pub(super) fn try_cli(&self, command: &[&str]) -> Result<String, String> {
        ask(Reach::Socket(&self.socket()), self.admin(), command, COMMAND)
    }

    /// `CONFIG SET key value`, until the next restart.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn set(&self, key: &str, value: &str) {
        assert_eq!(self.cli(&["CONFIG", "SET", key, value]), "OK", "CONFIG SET {key} {value}");
    }

    /// As [`RedisServer::set`], also after restarts.
    pub(super) fn set_for_good(&self, key: &str, value: &str) {
        self.set(key, value);
        assert_eq!(self.cli(&["CONFIG", "REWRITE"]), "OK", "CONFIG REWRITE");
    }

    /// The last lines of what the server printed since it was started.
    #[must_use]
    pub fn last_lines(&self) -> String {
        const LINES: usize = 20;
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    pub(super) fn admin(&self) -> Option<Admin> {
        self.options.admin()
    }

    fn speaks_tls(&self) -> bool {
        self.options.tls != Tls::Off
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("redis.sock")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Does something with the process, if there is one.
    fn change(&self, with: impl FnOnce(Process) -> State) {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, State::Down) {
            State::Running(process) | State::Frozen(process) => with(process),
            State::Down => State::Down,
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const CONFIGURATION: &str = "redis.conf";
/// What the server writes, apart from what it is given.
const CONTENTS: &str = "contents";
