//! `lucihub demo`: the main job, whole, in one process.
//!
//! A scanner announces devices, an API creates a run, a worker records it, a
//! follower shows it meanwhile, a keeper archives it; then it is read back and
//! compared bit for bit, and drawn.

mod check;
mod circuit;
mod follower;
mod lorenz;
mod pictures;
mod report;
mod scanner;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use lucihub_models_core::{InputType, JobType, RunHead, RunId, RunState};
use lucihub_store::{Keeper, KeeperOptions, Store};
use tokio::sync::{mpsc, oneshot};

use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::place;
use lorenz::Signals;
use pictures::Pictures;
use report::Report;

/// How long the keeper may take before the demo gives up.
const ARCHIVE_LIMIT: Duration = Duration::from_secs(60);

/// Runs the demo.
pub(crate) async fn run(args: DemoArgs) -> Result<(), Failure> {
    // The input is read and checked before anything is made or written.
    let input = circuit::read(args.circuit.as_deref())?;
    let signals = Arc::new(Signals::solve(args.samples));
    let store = place::make(&args.dir).await?;

    let (stop, archived, keeping) = keep(&store);
    let device = scanner::announce(&store).await?;
    let mut head = store.new_run(JobType::Run);
    head.device = Some(device.id.clone());
    head.device_type = Some(device.device_type.clone());
    head.owner = Some("demo".to_owned());
    head.labels.insert("system".to_owned(), "two Lorenz systems a hair apart".to_owned());
    head.input_type = Some(InputType::Circuit);
    head.input = Some(input);
    worker::describe(&mut head, args.samples);
    store.create(&head).await?;

    let following = tokio::spawn(follower::show(store.clone(), head.id, signals.expected_samples(), args.json));
    let recorded = record(&store, &head, &signals, args.fast).await?;
    let archive_time = wait_archived(&store, head.id, archived, recorded.ended).await?;
    following.await.map_err(|error| Failure::Broken(error.to_string()))??;
    let _ = stop.send(());
    keeping.await.map_err(|error| Failure::Broken(error.to_string()))?;

    if recorded.state == RunState::Cancelled {
        return Err(Failure::Cancelled(head.id));
    }
    let begun = Instant::now();
    let back = store.run(head.id).await?;
    let read_time = begun.elapsed();
    check::compare(&back, &head, &signals)?;
    let report = Report::new(&store, &back, &recorded, archive_time, read_time).await?;
    let pictures = Pictures::draw(&store, head.id, &signals, &args.dir).await?;
    if args.json {
        return report.print_json();
    }
    report.print(&args.dir, &pictures)?;
    pictures.print(&store).await
}

/// Starts a keeper. Stops when told to; says whenever it has archived something.
fn keep(store: &Store) -> (oneshot::Sender<()>, mpsc::UnboundedReceiver<()>, tokio::task::JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    let (tell, archived) = mpsc::unbounded_channel();
    let keeper = Keeper::new(store.clone(), KeeperOptions::default());
    let keeping = tokio::spawn(async move {
        let report = |walked: lucihub_models_core::Result<lucihub_store::archive::WalkReport>| {
            if walked.is_ok_and(|report| report.archived > 0) {
                // Nobody listens any more once the demo's own run is archived.
                let _ = tell.send(());
            }
        };
        let stop = async {
            let _ = stopped.await;
        };
        keeper.watch(stop, report).await;
    });
    (stop, archived, keeping)
}

/// What the worker did.
#[derive(Debug)]
struct Recorded {
    state: RunState,
    time: Duration,
    ended: Instant,
    hot_bytes: u64,
}

/// Records the run, and asks for its end if the person does.
async fn record(store: &Store, head: &RunHead, signals: &Arc<Signals>, fast: bool) -> Result<Recorded, Failure> {
    let begun = Instant::now();
    let working = worker::work(store.clone(), head.id, signals.clone(), fast);
    tokio::pin!(working);
    let state = loop {
        tokio::select! {
            state = &mut working => break state?,
            _ = tokio::signal::ctrl_c() => {
                store.cancel(head.id, Some("asked for at the terminal")).await?;
            }
        }
    };
    let ended = Instant::now();
    let hot_bytes = store.hot().health().await?.used_bytes;
    Ok(Recorded { state, time: ended - begun, ended, hot_bytes })
}

async fn wait_archived(
    store: &Store,
    run: RunId,
    mut archived: mpsc::UnboundedReceiver<()>,
    ended: Instant,
) -> Result<Duration, Failure> {
    let waiting = async {
        while store.status(run).await?.archived.is_none() {
            if archived.recv().await.is_none() {
                return Err(Failure::Broken("the keeper has stopped".to_owned()));
            }
        }
        Ok(ended.elapsed())
    };
    tokio::time::timeout(ARCHIVE_LIMIT, waiting)
        .await
        .map_err(|_| Failure::TimedOut { what: "archiving", seconds: ARCHIVE_LIMIT.as_secs() })?
}
