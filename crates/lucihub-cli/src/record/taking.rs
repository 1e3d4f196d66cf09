//! Getting a run: the one that is named, or the next of a device.

use std::time::{Duration, Instant};

use lucihub_models_core::{RunId, RunPrefix, StoreError};
use lucihub_store::{RecordError, RecordOptions, Recorder, Store};

use super::input::Input;
use crate::args::RecordArgs;
use crate::failure::Failure;
use crate::{output, place};

/// How often it looks for a run, or for a server that is away.
const AGAIN: Duration = Duration::from_secs(1);

/// A run that was taken, and where it was taken from.
pub(super) struct Taken {
    pub(super) store: Store,
    pub(super) recorder: Recorder,
}

/// Takes a run over; waits for one to be queued, and for a server that is away. Not for a worker that is gone.
pub(super) async fn take(
    args: &RecordArgs,
    input: &mut Input,
    stop: &mut (impl Future<Output = ()> + Unpin),
) -> Result<Taken, Failure> {
    let (mut store, mut away, mut is_waiting) = (None, None, false);
    loop {
        let opened = match store.take() {
            Some(store) => Ok(store),
            None => tokio::select! {
                biased;
                () = &mut *stop => return Err(Failure::StoppedWaiting),
                () = input.gone() => return Err(Failure::NoInput),
                opened = open(args) => opened,
            },
        };
        // Not given up halfway: a run that was taken by nobody would be held, and then failed.
        let attempt = match opened {
            Ok(opened) => attempt(args, store.insert(opened)).await,
            Err(why) => Err(why),
        };
        match attempt {
            Ok(Some(taken)) => return Ok(taken),
            Ok(None) => {
                let device = args.device.as_ref().map(ToString::to_string).unwrap_or_default();
                if args.no_wait {
                    return Err(Failure::NoneQueued(device));
                }
                away = None;
                if !std::mem::replace(&mut is_waiting, true) {
                    output::say(format!("waiting for a run on {device} until Ctrl-C"));
                }
            }
            Err(why) if is_away(&why) => {
                let since = *away.get_or_insert_with(|| {
                    let seconds = args.patience().as_secs();
                    output::say(format!("lucihub: {why}; waiting for it up to {seconds} s, or until Ctrl-C"));
                    Instant::now()
                });
                if since.elapsed() >= args.patience() {
                    return Err(why);
                }
            }
            Err(why) => return Err(why),
        }
        tokio::select! {
            biased;
            () = &mut *stop => return Err(Failure::StoppedWaiting),
            () = input.gone() => return Err(Failure::NoInput),
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// The id, if all of it was given: then no database is needed.
fn whole(args: &RecordArgs) -> Option<RunId> {
    args.run.as_ref().and_then(RunPrefix::whole)
}

async fn open(args: &RecordArgs) -> Result<Store, Failure> {
    match whole(args) {
        Some(_) => place::hot_alone(&args.place).await,
        None => place::find(&args.place).await,
    }
}

async fn attempt(args: &RecordArgs, store: &Store) -> Result<Option<Taken>, Failure> {
    let mut options = RecordOptions::default().with_lease(args.lease());
    options.writer = args.writer;
    let recorder = match (&args.run, &args.device) {
        (Some(prefix), _) => {
            let run = match whole(args) {
                Some(run) => run,
                None => store.find_run(prefix).await?,
            };
            Some(store.record_with(run, &args.worker, options).await?)
        }
        (None, Some(device)) => store.take_next_with(device, &args.worker, options).await?,
        (None, None) => None,
    };
    Ok(recorder.map(|recorder| Taken { store: store.clone(), recorder }))
}

/// Whether it may pass. What got no answer may have taken the run, which then is another writer's for a lease.
fn is_away(why: &Failure) -> bool {
    why.is_server_away()
        || matches!(
            why,
            Failure::Store(StoreError::Unavailable { .. })
                | Failure::Record(RecordError::Store(StoreError::Unavailable { .. }))
        )
}
