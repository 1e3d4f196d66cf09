//! The end of a recording: the run has ended, or is left for another to go on.

use std::fmt;
use std::time::Duration;

use lucihub_models_core::{RunId, RunState};
use lucihub_store::Recorder;
use lucihub_store::record::End;
use thiserror::Error;

use super::answers::Answers;
use super::feed::Done;
use crate::args::RecordArgs;
use crate::failure::Failure;
use crate::{output, stop};

/// The exit code of a server that is away.
const AWAY: u8 = 3;

/// Why the work on a run is over.
#[derive(Debug)]
pub(super) enum Why {
    /// The worker, its input or the storage.
    Done(Done),
    /// Somebody wants the command to stop.
    Asked,
    /// The server is away for too long.
    Away,
}

/// A run that the command took and did not end as the worker said.
#[derive(Debug, Error)]
#[error("{why}; {after}")]
pub(crate) struct Left {
    why: String,
    after: String,
    code: u8,
}

impl Left {
    pub(crate) const fn code(&self) -> u8 {
        self.code
    }
}

/// Sees to what was taken, and tells how it ended.
pub(super) async fn leave(args: &RecordArgs, recorder: &Recorder, answers: &Answers, why: Why) -> Result<(), Failure> {
    let (why, code) = match why {
        Why::Done(Done::Finished(state)) => {
            answers.applied(recorder.acknowledged(), recorder.channels());
            answers.ended(&state);
            return Ok(());
        }
        Why::Done(Done::Failed(error)) => {
            answers.failed(&error.to_string());
            return Err(error.into());
        }
        Why::Done(Done::EndOfInput(inside)) => {
            let why = end_of_input(inside);
            if args.fail_on_eof {
                return fail(args, recorder, answers, why).await;
            }
            (why, 1)
        }
        Why::Done(Done::Refused(refused)) => {
            let why = format!("frame {} was refused: {}", refused.frame, refused.why);
            return left(args, recorder, answers, why, 1, || answers.refused(&refused)).await;
        }
        Why::Done(Done::Broken(error)) => (format!("cannot read standard input: {error}"), 1),
        Why::Asked => ("stopped".to_owned(), 2),
        Why::Away => (format!("the server was away for {} s", args.patience().as_secs()), AWAY),
    };
    let words = format!("{why}; the run is left open");
    left(args, recorder, answers, why, code, || answers.failed(&words)).await
}

fn end_of_input(inside: Option<u64>) -> String {
    match inside {
        None => "standard input ended without a finish".to_owned(),
        Some(frame) => format!("standard input ended inside frame {frame}, which was not taken"),
    }
}

/// Ends the run because its worker is gone.
async fn fail(args: &RecordArgs, recorder: &Recorder, answers: &Answers, why: String) -> Result<(), Failure> {
    let end = End::default().with_error("the worker is gone").because(why.clone());
    match in_time(args.patience(), recorder.finish(RunState::Failed, end)).await {
        Some(Ok(_)) => {}
        Some(Err(error)) => {
            answers.failed(&error.to_string());
            return Err(error.into());
        }
        None => {
            let after = format!(
                "run {} could not be ended as failed; a keeper does once its lease has run out",
                recorder.run()
            );
            return Err(Left { why, after, code: AWAY }.into());
        }
    }
    answers.applied(recorder.acknowledged(), recorder.channels());
    answers.ended(&RunState::Failed);
    Err(Left { why, after: format!("run {} was ended as failed", recorder.run()), code: 1 }.into())
}

/// Leaves the run open, with what was taken of it in hot storage.
async fn left(
    args: &RecordArgs,
    recorder: &Recorder,
    answers: &Answers,
    why: String,
    code: u8,
    tell: impl FnOnce(),
) -> Result<(), Failure> {
    // A server that is away has had its time.
    let flushed = if code == AWAY { None } else { in_time(args.patience(), recorder.flush()).await };
    answers.applied(recorder.acknowledged(), recorder.channels());
    let is_whole = match flushed {
        Some(Ok(())) => true,
        None => false,
        Some(Err(error)) => {
            answers.failed(&error.to_string());
            return Err(error.into());
        }
    };
    tell();
    let lost = if is_whole { "" } else { "what was taken after the last `applied` is lost; " };
    let after = format!("{lost}run {} is left open; go on with {}", recorder.run(), Again { args, recorder });
    Err(Left { why, after, code }.into())
}

/// Waits for hot storage, but not for ever, and not for somebody who asks again to stop.
async fn in_time<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = stop::asked() => None,
        () = tokio::time::sleep(patience) => None,
    }
}

/// The command that goes on.
struct Again<'a> {
    args: &'a RecordArgs,
    recorder: &'a Recorder,
}

impl fmt::Display for Again<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { args, recorder } = self;
        let (run, writer): (RunId, _) = (recorder.run(), recorder.writer());
        let (before, flags) = args.place.hot.typed();
        let worker = output::typed(&args.worker);
        write!(f, "`{before}lucihub record {run} --worker {worker} --writer {writer}{flags}`")
    }
}
