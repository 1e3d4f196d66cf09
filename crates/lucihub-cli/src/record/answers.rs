//! What a worker is told, one JSON object per line.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lucihub_models_core::{HeadDocument, Positions, RunHead, RunId, RunState};
use lucihub_store::Recorder;
use serde::Serialize;
use tokio::sync::oneshot;

use super::input::Refused;

/// How long the last answers may take to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers on their way to the worker. Giving one waits for nobody: of those that a slow reader has not had yet, a newer one
/// of the same kind takes the place of the older.
#[derive(Debug)]
pub(super) struct Answers {
    queue: Arc<Queue>,
    written: Option<oneshot::Receiver<()>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<(Kind, String)>,
    is_closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Taken,
    Applied,
    Confirmed,
    Cancel,
    Late,
    Refused,
    Ended,
}

/// A run that is the worker's now.
#[derive(Serialize)]
struct Taken<'a> {
    run: RunId,
    worker: &'a str,
    writer: String,
    next: Positions,
    confirmed: Positions,
    version: &'static str,
    head: &'a RunHead,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer<'a> {
    Taken(&'a Taken<'a>),
    Applied(Positions),
    Confirmed(Positions),
    Cancel(bool),
    Error(Fault<'a>),
    Ended { state: &'a RunState },
}

#[derive(Serialize)]
struct Fault<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u64>,
    message: &'a str,
    fatal: bool,
}

impl Answers {
    /// Writes on a thread of its own, until it is closed or nobody reads any more.
    pub(super) fn to(mut out: impl Write + Send + 'static) -> Self {
        let queue = Arc::new(Queue::default());
        let (done, written) = oneshot::channel();
        let from = queue.clone();
        std::thread::spawn(move || {
            // Whoever reads no answers has the exit code.
            let _ = from.write(&mut out);
            let _ = done.send(());
        });
        Self { queue, written: Some(written) }
    }

    pub(super) fn taken(&self, recorder: &Recorder, worker: &str) {
        let head = recorder.head();
        let taken = Taken {
            run: recorder.run(),
            worker,
            writer: recorder.writer().to_string(),
            next: padded(recorder.next(), head.channels.len()),
            confirmed: padded(recorder.confirmed(), head.channels.len()),
            version: HeadDocument::VERSION,
            head,
        };
        self.give(Kind::Taken, &Answer::Taken(&taken));
    }

    pub(super) fn applied(&self, to: Positions, channels: usize) {
        self.give(Kind::Applied, &Answer::Applied(padded(to, channels)));
    }

    pub(super) fn confirmed(&self, to: Positions, channels: usize) {
        self.give(Kind::Confirmed, &Answer::Confirmed(padded(to, channels)));
    }

    pub(super) fn cancel(&self) {
        self.give(Kind::Cancel, &Answer::Cancel(true));
    }

    /// Samples whose place was decided before they came.
    pub(super) fn late(&self, frame: u64, message: &str) {
        self.give(Kind::Late, &Answer::Error(Fault { frame: Some(frame), message, fatal: false }));
    }

    pub(super) fn refused(&self, refused: &Refused) {
        let fault = Fault { frame: Some(refused.frame), message: &refused.why, fatal: true };
        self.give(Kind::Refused, &Answer::Error(fault));
    }

    /// What no frame is to blame for.
    pub(super) fn failed(&self, message: &str) {
        self.give(Kind::Refused, &Answer::Error(Fault { frame: None, message, fatal: true }));
    }

    pub(super) fn ended(&self, state: &RunState) {
        self.give(Kind::Ended, &Answer::Ended { state });
    }

    fn give(&self, kind: Kind, answer: &Answer<'_>) {
        // A head is JSON, and all else is numbers and texts.
        let Ok(line) = serde_json::to_string(answer) else { return };
        let mut waiting = self.queue.lock();
        waiting.lines.retain(|(other, _)| *other != kind);
        waiting.lines.push((kind, line));
        drop(waiting);
        self.queue.news.notify_one();
    }

    /// Waits until all is written, unless the reader takes too long for it.
    pub(super) async fn close(mut self) {
        if let Some(written) = self.written.take() {
            self.queue.close();
            let _ = tokio::time::timeout(PATIENCE, written).await;
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.news.notify_one();
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        loop {
            let mut waiting = self.lock();
            while waiting.lines.is_empty() && !waiting.is_closed {
                waiting = self.news.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            if waiting.lines.is_empty() {
                return Ok(());
            }
            let lines = std::mem::take(&mut waiting.lines);
            drop(waiting);
            for (_, line) in lines {
                writeln!(out, "{line}")?;
            }
            out.flush()?;
        }
    }
}

/// With a number for each channel, also for those that have no sample yet.
fn padded(mut positions: Positions, channels: usize) -> Positions {
    if positions.samples.len() < channels {
        positions.samples.resize(channels, 0);
    }
    positions
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Takes a line once it is let.
    struct Slow(mpsc::Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.contains(&b'\n') {
                let _ = self.0.recv();
            }
            self.1.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_slow_reader_gets_the_newest_of_each_kind() {
        let (let_on, allowed) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let answers = Answers::to(Slow(allowed, written.clone()));
        let at = |lines: u64| Positions { lines, ..Positions::default() };
        answers.cancel();
        for lines in 0..1_000 {
            answers.applied(at(lines), 1);
            answers.confirmed(at(lines), 0);
        }
        answers.late(7, "late");
        answers.ended(&RunState::Succeeded);
        assert!(answers.queue.lock().lines.len() <= 5);
        drop(let_on);
        answers.close().await;
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(written.starts_with("{\"cancel\":true}\n"), "{written}");
        let last = "{\"applied\":{\"states\":0,\"phases\":0,\"lines\":999,\"samples\":[0]}}\n\
                    {\"confirmed\":{\"states\":0,\"phases\":0,\"lines\":999,\"samples\":[]}}\n\
                    {\"error\":{\"frame\":7,\"message\":\"late\",\"fatal\":false}}\n\
                    {\"ended\":{\"state\":\"succeeded\"}}\n";
        assert!(written.ends_with(last), "{written}");
    }
}
