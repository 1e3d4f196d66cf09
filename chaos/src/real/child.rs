//! Processes of this program: what they say is heard by a thread each, and they end with their supervisor.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{keeper, panics, worker};

/// What a process is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Role {
    Worker(worker::Task),
    Keeper(keeper::Task),
}

/// A process and the thread that listens to it; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Child<T> {
    process: std::process::Child,
    listening: Option<JoinHandle<T>>,
}

impl<T: Send + 'static> Child<T> {
    /// Starts one, and listens to what it says.
    pub(crate) fn start(role: &Role, listen: impl FnOnce(Words) -> T + Send + 'static) -> Result<Self> {
        let program = std::env::current_exe().context("this program")?;
        let mut command = Command::new(program);
        command.arg("--child").arg(serde_json::to_string(role)?);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = command.spawn().context("a process of this program")?;
        let words = Words(BufReader::new(process.stdout.take().context("a pipe")?));
        Ok(Self { process, listening: Some(std::thread::spawn(move || listen(words))) })
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        // One that has ended already was not waited for, so its id is still its own.
        let _ = kill_process(Pid::from_child(&self.process), signal);
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.try_wait()?.is_some())
    }

    /// Kills it (SIGKILL) where it still runs, and returns what was heard of it.
    pub(crate) fn end(mut self) -> Result<T> {
        let code = self.process.try_wait()?.and_then(|status| status.code());
        self.process.kill()?;
        self.process.wait()?;
        let listening = self.listening.take().context("a process ends once")?;
        let Ok(heard) = listening.join() else { bail!("the listener of a process panicked") };
        match code {
            Some(panics::CODE) => panics::count(),
            Some(1) => bail!("a process gave up: see above"),
            _ => {}
        }
        Ok(heard)
    }
}

impl<T> Drop for Child<T> {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a process says.
#[derive(Debug)]
pub(crate) struct Words(BufReader<ChildStdout>);

impl Words {
    /// One after the other, until it ends. The last one of a process that was killed may be cut short: none.
    pub(crate) fn all<W: DeserializeOwned>(self) -> impl Iterator<Item = W> {
        self.0.lines().map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok())
    }
}

/// In such a process: says a word.
#[expect(clippy::print_stdout, reason = "the supervisor reads it")]
pub(crate) fn say(word: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(word)?);
    std::io::stdout().flush()?;
    Ok(())
}

/// As [`say`], where no error can be returned: to nobody there is nothing to say.
pub(crate) fn say_or_end(word: &impl Serialize) {
    if say(word).is_err() {
        std::process::exit(1);
    }
}

/// The whole life of such a process. It ends when its standard input does, and so with the supervisor, and where
/// anything in it panics.
///
/// # Errors
/// Where something hangs, or the supervisor does not listen.
pub(crate) fn live(role: &str) -> Result<()> {
    panics::end();
    std::thread::spawn(|| {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        std::process::exit(0);
    });
    let role: Role = serde_json::from_str(role)?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(async {
        match role {
            Role::Worker(task) => worker::record(&task).await,
            Role::Keeper(task) => keeper::keep(&task).await,
        }
    })
}
