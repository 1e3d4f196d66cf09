//! A program that runs to its end, with a limit: the clients that look at servers, and what prepares a server.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::until::until;

/// Runs a command with `input` as its standard input and returns what it printed, without the last line's end.
///
/// # Errors
/// Where it does not start, fails, or does not end in time: how it ended, and what it printed.
pub(crate) fn output_of(mut command: Command, input: &str, limit: Duration) -> Result<String, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("does not start: {error}"))?;
    // On threads beside the caller, so that a full pipe does not stop the program.
    let (printed, complained) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let fed = feed(child.stdin.take(), input.to_owned());
    let ended =
        until(limit, || child.try_wait().map_err(|error| error.to_string())?.ok_or_else(|| "it runs".to_owned()));
    if ended.is_err() {
        drop(child.kill());
        drop(child.wait());
    }
    let [printed, complained] = [printed, complained].map(|text| text.join().expect("a thread that reads"));
    fed.join().expect("a thread that writes");
    match ended {
        Ok(status) if status.success() => Ok(printed.strip_suffix('\n').unwrap_or(&printed).to_owned()),
        Ok(status) => Err(format!("{status}\n{complained}{printed}")),
        Err(why) => Err(format!("{why}\n{complained}{printed}")),
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            drop(pipe.read_to_end(&mut bytes));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn feed(pipe: Option<impl Write + Send + 'static>, input: String) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        if let Some(mut pipe) = pipe {
            // A program that ends before it has read all says why itself.
            drop(pipe.write_all(input.as_bytes()));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &str, limit: Duration) -> Result<String, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        output_of(command, input, limit)
    }

    #[test]
    fn more_than_a_pipe_holds_passes_both_ways() {
        let long = "0123456789\n".repeat(100_000);
        let answer = shell("cat; echo end", &long, Duration::from_secs(30));
        assert_eq!(answer, Ok(format!("{long}end")));
    }

    #[test]
    fn what_fails_or_hangs_says_so() {
        let failed = shell("echo why >&2; exit 3", "", Duration::from_secs(30)).expect_err("status 3");
        assert!(failed.contains('3') && failed.contains("why"), "{failed}");
        let hung = shell("exec sleep 600", "", Duration::from_millis(50)).expect_err("it sleeps");
        assert!(hung.contains("not within 50ms"), "{hung}");
    }
}
