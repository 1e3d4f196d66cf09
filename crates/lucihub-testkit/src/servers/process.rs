//! A child process that ends no later than this one.
//!
//! `setpriv --pdeathsig KILL` makes the kernel kill a child when the thread that started it ends. Tests run in threads of their
//! own, so one thread, which lives as long as the process, starts all children.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::program;
use super::user::User;

/// A running child; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program; what it prints is appended to the file `log`.
    pub(crate) fn start(program: &Path, arguments: &[&str], log: &Path) -> io::Result<Self> {
        let mut command = bound_to_this_process(program, AtDeath::Kill, None);
        command.args(arguments);
        Self::run(command, log)
    }

    /// As [`Process::start`], for a command of [`bound_to_this_process`].
    pub(crate) fn run(mut command: Command, log: &Path) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        spawn(command).map(Self)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Freezes it: it keeps its connections and answers nothing.
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::STOP);
        // Until it stands still; EXITED for one that dies of something else meanwhile, NOWAIT to leave that to `ended`.
        let change = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        if self.ended().is_none() {
            waitid(WaitId::Pid(Pid::from_child(&self.0)), change).expect("a child of this process");
        }
    }

    /// Lets it go on.
    pub(crate) fn cont(&mut self) {
        self.signal(Signal::CONT);
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("the state of a child of this process")
    }

    /// Nothing to one that has ended: once it was waited for, its id may be a stranger's.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            kill_process(Pid::from_child(&self.0), signal).expect("a signal to a child of this process");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only for a process that has ended and was waited for.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What the kernel sends a child when this process dies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AtDeath {
    Kill,
    /// For one that has things to remove, and does so at once.
    Quit,
}

/// The program, started so that the kernel ends it with this process, where the system can; as another user if one is named.
///
/// # Panics
/// Where there is a user and `setpriv` is missing.
pub(crate) fn bound_to_this_process(program: &Path, at_death: AtDeath, user: Option<&User>) -> Command {
    let setpriv = if user.is_some() {
        program::require("setpriv", "util-linux")
    } else if let Some(setpriv) = program::find("setpriv") {
        setpriv
    } else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    if let Some(user) = user {
        let [uid, gid] = [user.uid, user.gid].map(|id| id.to_string());
        command.args(["--reuid", &uid, "--regid", &gid, "--clear-groups"]);
    }
    command.args(["--pdeathsig", if matches!(at_death, AtDeath::Kill) { "KILL" } else { "QUIT" }]).arg(program);
    command
}

type Order = (Command, Sender<io::Result<Child>>);

/// Starts a child from the one thread that lives as long as this process.
fn spawn(command: Command) -> io::Result<Child> {
    static NURSE: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let nurse = NURSE.get_or_init(|| {
        let (orders, todo) = channel::<Order>();
        let work = move || {
            for (mut command, answer) in todo {
                drop(answer.send(command.spawn()));
            }
        };
        thread::Builder::new().name("test-servers".to_owned()).spawn(work).expect("a thread");
        Mutex::new(orders)
    });
    let (answer, child) = channel();
    nurse.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer)).expect("the thread never ends");
    child.recv().expect("the thread answers every order")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_process_is_gone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sleep = program::require("sleep", "coreutils");
        let mut process = Process::start(&sleep, &["600"], &folder.path().join("log")).expect("sleep starts");
        assert_eq!(process.ended(), None);
        process.stop();
        let id = Pid::from_child(&process.0);
        drop(process);
        assert!(rustix::process::test_kill_process(id).is_err());
    }
}
