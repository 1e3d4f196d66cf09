//! The demo's keeper, or the wait for somebody else's.

use std::time::{Duration, Instant};

use lucihub_models_core::{RunId, RunState};
use lucihub_store::{Keeper, KeeperOptions, Store};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::args::{DemoArgs, Where};
use crate::failure::Failure;
use crate::stop::Interrupts;
use crate::{output, place};

/// How long archiving may take before the demo gives up.
const LIMIT: Duration = Duration::from_secs(60);

/// How long somebody else's keeper may take once the person has pressed Ctrl-C.
const BRIEF: Duration = Duration::from_secs(5);

/// How often it looks whether the run is archived.
const LOOK: Duration = Duration::from_millis(10);

/// A keeper of the demo's own; none where the archiving is left to another process.
#[derive(Debug)]
pub(super) struct Archiving {
    own: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Archiving {
    /// Starts a keeper, unless the person asked for none.
    pub(super) fn begin(store: &Store, args: &DemoArgs) -> Self {
        let own = (!args.no_keeper).then(|| {
            let (stop, stopped) = oneshot::channel::<()>();
            let keeper = Keeper::new(store.clone(), KeeperOptions::default());
            let keeping = tokio::spawn(async move {
                let stop = async {
                    let _ = stopped.await;
                };
                keeper.watch(stop, |_| ()).await;
            });
            (stop, keeping)
        });
        Self { own }
    }

    /// Says what is waited for, where it is somebody else's work.
    pub(super) fn explain(&self, state: &RunState, interrupts: &Interrupts) {
        if self.own.is_none() {
            let done = if *state == RunState::Cancelled { "cancelled" } else { "recorded" };
            let (seconds, again) = if interrupts.any() { (BRIEF, " again") } else { (LIMIT, "") };
            let seconds = seconds.as_secs();
            output::say(format!(
                "{done}; waiting up to {seconds} s for a `lucihub archive --watch` to archive it, or until Ctrl-C{again}"
            ));
        }
    }

    /// Waits until the run is archived, by whichever keeper, and says how long that took.
    pub(super) async fn wait(
        &self,
        store: &Store,
        run: RunId,
        ended: Instant,
        cold: &Where,
        interrupts: &Interrupts,
    ) -> Result<Duration, Failure> {
        let waiting = async {
            while store.status(run).await?.archived.is_none() {
                if self.own.as_ref().is_some_and(|(_, keeping)| keeping.is_finished()) {
                    return Err(Failure::Broken("the keeper has stopped".to_owned()));
                }
                tokio::time::sleep(LOOK).await;
            }
            Ok(ended.elapsed())
        };
        let interrupted = async {
            interrupts.pressed(1).await;
            tokio::time::sleep(BRIEF).await;
        };
        tokio::select! {
            waited = waiting => waited,
            // Its own keeper is quick; what it holds in memory would be lost.
            () = interrupted, if self.own.is_none() => Err(Failure::Stopped { run, waits: true }),
            () = tokio::time::sleep(LIMIT) => Err(match self.own {
                Some(_) => Failure::TimedOut { what: "archiving", seconds: LIMIT.as_secs() },
                None => Failure::Unarchived { run, database: place::shown(cold)?, seconds: LIMIT.as_secs() },
            }),
        }
    }

    /// Stops the demo's own keeper.
    pub(super) async fn end(self) -> Result<(), Failure> {
        let Some((stop, keeping)) = self.own else { return Ok(()) };
        let _ = stop.send(());
        keeping.await.map_err(|error| Failure::Broken(error.to_string()))
    }
}
