//! Seeing to it that an imported run is archived.

use std::time::Duration;

use lucihub_models_core::RunId;
use lucihub_store::{Keeper, KeeperOptions, Store};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::output;

/// A keeper of this process's own where no other one can see what is in its memory; none on a shared server.
pub(super) struct Keeping(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Keeping {
    /// Starts to keep: a long file leaves memory while it is read.
    pub(super) fn begin(store: &Store, is_shared: bool) -> Self {
        let own = (!is_shared).then(|| {
            let (stop, stopped) = oneshot::channel::<()>();
            let keeper = keeper(store);
            let keeping = tokio::spawn(async move {
                let stop = async {
                    let _ = stopped.await;
                };
                keeper.watch(stop, |_| ()).await;
            });
            (stop, keeping)
        });
        Self(own)
    }

    /// Ends, and archives the run if it is whole.
    pub(super) async fn end(self, store: &Store, run: RunId, is_whole: bool) -> Result<(), Failure> {
        let Some((stop, keeping)) = self.0 else {
            if is_whole {
                output::say("recorded; a `lucihub archive --watch` archives it");
            }
            return Ok(());
        };
        let _ = stop.send(());
        keeping.await.map_err(|error| Failure::Broken(error.to_string()))?;
        if !is_whole || store.status(run).await?.archived.is_some() {
            return Ok(());
        }
        let report = keeper(store).walk().await?;
        match report.errors.into_iter().find(|(failed, _)| *failed == run) {
            Some((_, error)) => Err(error.into()),
            None => Ok(()),
        }
    }
}

fn keeper(store: &Store) -> Keeper {
    // Nobody looks at the run before it is archived, so what is safe in cold storage need not stay in memory.
    Keeper::new(store.clone(), KeeperOptions::default().with_trim_age(Duration::from_secs(1)))
}
