//! Store events: what both storages and their users did with a run.

use lucihub_models_core::{Result, RunId, StoreEvent};

use crate::observe::telling;
use crate::store::Store;

impl Store {
    /// What happened to a run in the storages, oldest first: the last [`StoreEvent::KEPT`] events. None of an absent run.
    ///
    /// Keepers move events from hot to cold storage; here both are asked, and one of them is enough: what hot storage told
    /// last may then be missing.
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "sqlite"))]
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use lucihub_models_core::JobType;
    /// use lucihub_store::{Store, Urls};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let file = format!("sqlite:{}", dir.path().join("runs.sqlite").display());
    /// let store = Store::open(&Urls::new("memory:", file)).await?;
    /// let run = store.new_run(JobType::Run);
    /// store.create(&run).await?;
    /// for event in store.events(run.id).await? {
    ///     println!("{} {} {}", event.at, event.kind, event.text.unwrap_or_default());
    /// }
    /// # Ok::<(), lucihub_models_core::StoreError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// When neither storage can be read.
    pub async fn events(&self, run: RunId) -> Result<Vec<StoreEvent>> {
        let (hot, cold) = tokio::join!(self.hot().events(run), self.cold().events(run));
        match (hot, cold) {
            (Ok(hot), Ok(cold)) => Ok(StoreEvent::merged(cold, hot.unwrap_or_default())),
            (Ok(hot), Err(_)) => Ok(hot.unwrap_or_default()),
            (Err(_), Ok(cold)) => Ok(cold),
            (Err(_), Err(error)) => Err(error),
        }
    }

    /// Notes something in hot storage. It may be lost: nothing depends on it.
    pub(crate) async fn note(&self, run: RunId, event: StoreEvent) {
        if let Err(error) = self.hot().note(run, &[event]).await {
            telling::not_noted(run, &error);
        }
    }

    /// Adds events in cold storage, of a run that keepers are done with. They may be lost: nothing depends on them.
    pub(crate) async fn add_events(&self, run: RunId, events: &[StoreEvent]) {
        if let Err(error) = self.cold().add_events(run, events).await {
            telling::not_noted(run, &error);
        }
    }
}
