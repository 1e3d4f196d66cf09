//! A running server: the process that was started, which PostgreSQL calls the postmaster, and its children, one for each
//! connection and some for the work behind them.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process};

use super::proc::{children, is_alive, stands_still};
use crate::servers::disk::limit_files;
use crate::servers::process::Process;
use crate::servers::program;
use crate::servers::until::{PATIENCE, until};
use crate::servers::user::User;

/// How long a server may take to break off everything. It kills after five seconds what has not ended by itself.
const QUIT: Duration = Duration::from_secs(20);

/// The server over one folder; when it is dropped, all of its processes are killed, as by a machine that loses its power.
#[derive(Debug)]
pub(super) struct Postmaster {
    process: Option<Process>,
    /// While it is frozen.
    guard: Option<Guard>,
    data: Box<Path>,
}

impl Postmaster {
    /// Takes a process that runs over a folder with data.
    pub(super) fn new(process: Process, data: &Path) -> Self {
        Self { process: Some(process), guard: None, data: data.into() }
    }

    pub(super) fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("it is taken only when this value ends")
    }

    pub(super) fn id(&self) -> u32 {
        self.process.as_ref().expect("it is taken only when this value ends").id()
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.guard.is_none() && self.process().ended().is_none()
    }

    /// Freezes all processes: connections stay, and nothing answers.
    pub(super) fn stop(&mut self) {
        if self.guard.is_none() {
            // The parent first: it makes no more children then, and cannot wait for one, so that their ids stay theirs.
            self.process().stop();
            let children = children(self.id());
            self.guard = Some(Guard::new(self.id(), &children).expect("a shell"));
            send(&children, Signal::STOP);
            wait_for(&children, "stand still", stands_still);
        }
    }

    /// Lets all go on.
    pub(super) fn cont(&mut self) {
        if self.guard.take().is_some() {
            send(&children(self.id()), Signal::CONT);
            self.process().cont();
        }
    }

    /// Limits the files of all processes. Those that come later take it over from the first.
    pub(super) fn limit_files(&self, user: Option<&User>, bytes: Option<u64>) -> Result<(), String> {
        limit_files(self.id(), user, bytes)?;
        for child in children(self.id()) {
            // One that has ended since writes nothing any more.
            drop(limit_files(child.as_raw_nonzero().get().unsigned_abs(), user, bytes));
        }
        Ok(())
    }

    /// Breaks off all connections without a checkpoint (SIGQUIT) and waits until the server is gone.
    pub(super) fn quit(mut self) {
        self.cont();
        let process = self.process();
        process.signal(Signal::QUIT);
        // What does not end in time is killed below.
        drop(until(QUIT, || process.ended().ok_or("it runs")));
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.guard = None;
        let Some(mut process) = self.process.take() else { return };
        // As in `stop`.
        process.stop();
        if process.ended().is_some() {
            // It has removed its traces, or someone else killed it, and its children may still be at work. They see that it is
            // gone, and the next server over this folder sees them.
            return;
        }
        let children = children(process.id());
        send(&children, Signal::KILL);
        wait_for(&children, "end", |id| !is_alive(id));
        drop(process);
        forget(&self.data);
    }
}

/// Removes what a killed server leaves behind, which is the next one's reason to think that it still runs: a file with its
/// process id, which may be a stranger's by then, and a piece of System V shared memory, which nothing else ever removes.
fn forget(data: &Path) {
    let file = data.join("postmaster.pid");
    let text = fs::read_to_string(&file).unwrap_or_default();
    // The seventh line is key and id of the memory.
    let memory = text.lines().nth(6).and_then(|line| line.split_whitespace().nth(1));
    if let (Some(id), Some(ipcrm)) = (memory, program::find("ipcrm")) {
        drop(Command::new(ipcrm).args(["-m", id]).stdout(Stdio::null()).stderr(Stdio::null()).status());
    }
    drop(fs::remove_file(file));
}

/// To children of a process that stands still: their ids are theirs until it goes on.
fn send(children: &[Pid], signal: Signal) {
    for id in children {
        // Fails for one that has ended, which is as well.
        kill_process(*id, signal).ok();
    }
}

fn wait_for(children: &[Pid], what: &str, is_so: impl Fn(Pid) -> bool) {
    let all = || if children.iter().all(|id| is_so(*id)) { Ok(()) } else { Err("not all of them") };
    if let Err(why) = until(PATIENCE, all) {
        // Not where this value is dropped by a panic already.
        assert!(std::thread::panicking(), "the processes of PostgreSQL do not {what}: {why}");
    }
}

/// A shell that lets frozen processes go on when this process dies, so that they notice and end.
#[derive(Debug)]
struct Guard(Child);

impl Guard {
    fn new(parent: u32, children: &[Pid]) -> io::Result<Self> {
        // The pipe to it closes with this process, however that ends. In a process group of its own, it is not interrupted first.
        let mut command = Command::new("sh");
        command.args(["-c", r#"read line; kill -CONT "$@""#, "sh", &parent.to_string()]);
        command.args(children.iter().map(|id| id.as_raw_nonzero().to_string()));
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Before its pipe closes. Fails only where it has ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
