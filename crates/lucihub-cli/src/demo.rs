//! `lucihub demo`: the main job, whole; by itself, or together with other processes on a Redis server.
//!
//! A scanner announces devices, an API creates a run, a worker records it, a
//! follower shows it meanwhile, a keeper archives it; then it is read back and
//! compared bit for bit, and drawn.

mod archiving;
mod check;
mod circuit;
mod follower;
mod lorenz;
mod pictures;
mod report;
mod scanner;
mod worker;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use lucihub_models_core::{InputType, JobType, RunHead, RunId, RunState};
use lucihub_store::Store;

use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::stop::Interrupts;
use crate::{output, place};
use archiving::Archiving;
use lorenz::Signals;
use pictures::Pictures;
use report::{Report, Typed};

/// Runs the demo.
pub(crate) async fn run(args: DemoArgs) -> Result<(), Failure> {
    if args.no_keeper && !args.place.hot.is_shared() {
        return Err(Failure::NeedsServer("lucihub demo --no-keeper"));
    }
    // The input is read and checked before anything is made or written.
    let input = circuit::read(args.circuit.as_deref())?;
    let signals = Arc::new(Signals::solve(args.samples));
    let dir = place::folder(&args.place.cold);
    let store = place::find_or_make(&args.place).await?;
    place::make_folder(dir)?;

    let archiving = Archiving::begin(&store, &args);
    let device = scanner::announce(&store, args.place.hot.is_shared()).await?;
    let mut head = store.new_run(JobType::Run);
    head.device = Some(device.id.clone());
    head.device_type = Some(device.device_type.clone());
    head.owner = Some("demo".to_owned());
    head.labels.insert("system".to_owned(), "two Lorenz systems a hair apart".to_owned());
    head.input_type = Some(InputType::Circuit);
    head.input = Some(input);
    worker::describe(&mut head, args.samples);
    let hot_before = store.hot().health().await?.used_bytes;
    store.create(&head).await?;
    let interrupts = Interrupts::count();
    introduce(head.id, &args);

    let bar = follower::bar(signals.expected_samples(), args.json);
    let following =
        tokio::spawn(follower::show(store.clone(), head.id, bar.clone(), args.place.hot.server(), args.json));
    let all = async {
        let recorded = record(&store, &head, &signals, &args, &bar, hot_before, &interrupts).await?;
        let followed = async {
            let followed = following.await;
            archiving.explain(&recorded.state, &interrupts);
            followed.map_err(|error| Failure::Broken(error.to_string()))?
        };
        let archived = archiving.wait(&store, head.id, recorded.ended, &args.place.cold, &interrupts);
        let ((), archive_time) = tokio::try_join!(followed, archived)?;
        Ok::<_, Failure>((recorded, archive_time))
    };
    let (recorded, archive_time) = tokio::select! {
        done = all => done?,
        () = interrupts.pressed(2) => return Err(Failure::Stopped { run: head.id, waits: args.place.hot.is_shared() }),
    };
    archiving.end().await?;

    if recorded.state == RunState::Cancelled {
        return Err(Failure::Cancelled(head.id));
    }
    let begun = Instant::now();
    let back = store.run(head.id).await?;
    let read_time = begun.elapsed();
    check::compare(&back, &head, &signals)?;
    let report = Report::new(&store, &back, &recorded, archive_time, read_time).await?;
    let pictures = Pictures::draw(&store, head.id, &signals, dir).await?;
    if args.json {
        return report.print_json();
    }
    report.print(&args, &pictures)?;
    pictures.print(&store).await
}

/// Says at once which run it is, so that others can look on.
fn introduce(run: RunId, args: &DemoArgs) {
    output::say(format!("run {run}"));
    if args.place.hot.is_shared() && !args.json {
        let Typed { command, place } = Typed::of(args);
        output::say(format!("in a second terminal: {command} runs logs -f {run}{place}"));
        if args.no_keeper {
            output::say(format!("in a third one: {command} archive --watch{place}"));
        }
    }
}

/// What the worker did.
#[derive(Debug)]
struct Recorded {
    state: RunState,
    time: Duration,
    ended: Instant,
    /// What hot storage has more in use than before.
    hot_bytes: u64,
}

/// Records the run, and asks for its end if the person does.
async fn record(
    store: &Store,
    head: &RunHead,
    signals: &Arc<Signals>,
    args: &DemoArgs,
    bar: &ProgressBar,
    hot_before: u64,
    interrupts: &Interrupts,
) -> Result<Recorded, Failure> {
    let begun = Instant::now();
    let working = worker::work(store, head.id, signals, args, bar);
    let cancelling = async {
        interrupts.pressed(1).await;
        if let Err(why) = store.cancel(head.id, Some("asked for at the terminal")).await {
            bar.suspend(|| output::say(format!("lucihub: {why}; Ctrl-C again ends at once")));
        }
        std::future::pending::<Infallible>().await
    };
    let state = tokio::select! {
        state = working => state?,
        never = cancelling => match never {},
    };
    let ended = Instant::now();
    let hot_bytes = store.hot().health().await?.used_bytes.saturating_sub(hot_before);
    Ok(Recorded { state, time: ended - begun, ended, hot_bytes })
}
