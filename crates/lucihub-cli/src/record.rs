//! `lucihub record`: a worker in any language. Frames on standard input, answers on standard output.

mod answers;
mod feed;
mod frame;
mod input;
mod leaving;
mod taking;

use std::convert::Infallible;
use std::pin::pin;
use std::time::{Duration, Instant};

use indicatif::BinaryBytes;
use lucihub_store::{RecordError, RecordOptions, Recorder, Store, record};

use crate::args::RecordArgs;
use crate::failure::Failure;
use crate::{outage, output, stop};
use answers::Answers;
use feed::{Done, Feed};
use input::Input;
pub(crate) use leaving::Left;
use taking::{Taken, take};

/// How often a worker is told what is new.
const TELL: Duration = Duration::from_millis(100);

/// Takes a run over and records what a worker says.
pub(crate) async fn run(args: RecordArgs) -> Result<(), Failure> {
    let Some(server) = args.place.hot.server() else { return Err(Failure::NeedsServer("lucihub record")) };
    // One wait for all of it, so that no signal falls between two.
    let mut stop = pin!(stop::asked());
    let mut input = Input::standard();
    let Taken { store, recorder } = take(&args, &mut input, &mut stop).await?;
    output::say(format!("recording run {} as {}", recorder.run(), args.worker));
    let answers = Answers::to(std::io::stdout());
    answers.taken(&recorder, &args.worker);
    let kept = || {
        let (bytes, most) = (recorder.stats().waiting_bytes as u64, RecordOptions::default().queue_bytes as u64);
        format!("{} are kept here, and from {} on the worker waits", BinaryBytes(bytes), BinaryBytes(most))
    };
    let done = tokio::select! {
        biased;
        () = &mut stop => leaving::Why::Asked,
        error = failed(&recorder) => leaving::Why::Done(Done::Failed(error)),
        () = away(&store, args.patience()) => leaving::Why::Away,
        never = tell(&recorder, &answers) => match never {},
        never = outage::watch(&store, &server, kept, output::say) => match never {},
        // Last: a worker that never pauses must not keep the others from their turn.
        done = Feed::new(&recorder, &answers).run(&mut input) => leaving::Why::Done(done),
    };
    let left = leaving::leave(&args, &recorder, &answers, done).await;
    answers.close().await;
    left
}

/// Waits until recording cannot go on. Its end is none of that: who asked for it hears of it.
async fn failed(recorder: &Recorder) -> RecordError {
    match recorder.stopped().await {
        RecordError::Failed { failure: record::Failure::Closed, .. } => std::future::pending().await,
        error => error,
    }
}

/// Tells what is acknowledged, confirmed or asked for, whenever that has changed.
async fn tell(recorder: &Recorder, answers: &Answers) -> Infallible {
    let (mut applied, mut confirmed) = (recorder.acknowledged(), recorder.confirmed());
    let mut cancel = false;
    loop {
        if !cancel && recorder.cancel_requested() {
            cancel = true;
            answers.cancel();
        }
        let now = recorder.acknowledged();
        if now != applied {
            applied = now;
            answers.applied(applied.clone(), recorder.channels());
        }
        let now = recorder.confirmed();
        if now != confirmed {
            confirmed = now;
            answers.confirmed(confirmed.clone(), recorder.channels());
        }
        tokio::time::sleep(TELL).await;
    }
}

/// Ready once the server has been away for so long.
async fn away(store: &Store, patience: Duration) {
    const LOOK: Duration = Duration::from_secs(1);
    let mut since = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let asked = Instant::now();
        since = match store.hot().health().await {
            Ok(_) => None,
            Err(_) => Some(since.unwrap_or(asked)),
        };
        if since.is_some_and(|since| since.elapsed() >= patience) {
            return;
        }
    }
}
