//! What a keeper tells of a run, and how that outlives hot storage.

use lucihub_models_core::cold::Archived;
use lucihub_models_core::{Digest, Positions, Result, RunHead, RunId, StoreEvent, StoreEventKind};

use super::keeper::Keeper;
use crate::observe::telling;

/// Who keepers are in an event.
const NAME: &str = "keeper";

/// What of an archived run its last event tells.
#[derive(Debug, Clone)]
pub(super) struct Told {
    run: RunId,
    archived: Archived,
    details: String,
}

impl Told {
    /// Alike for every keeper that finds the run archived, so that there is one such event.
    pub(super) fn of(head: &RunHead, at: &Positions, archived: Archived) -> Self {
        let ended = head.states.last().map(|end| archived.at.since(end.at).as_secs_f64()).unwrap_or_default();
        let samples: u64 = at.samples.iter().sum();
        let details = format!(
            "{ended:.1} s after its end, with {} log lines and {samples} samples of {} channels; digest {}",
            at.lines,
            head.channels.len(),
            archived.digest
        );
        Self { run: head.id, archived, details }
    }

    /// The run.
    pub(super) const fn run(&self) -> RunId {
        self.run
    }

    fn event(&self) -> StoreEvent {
        let Self { run, archived, details } = self;
        let event = StoreEvent::of_fact(*run, StoreEventKind::Archived, archived.at, &archived.digest.to_string());
        event.by(NAME).text(details)
    }
}

impl Keeper {
    /// Tells something that happened now, in hot storage.
    pub(super) async fn tell(&self, run: RunId, kind: StoreEventKind, details: &str) {
        let event = StoreEvent::new(self.store.ids().event_id(), self.store.now(), kind);
        self.store.note(run, event.by(NAME).text(details)).await;
    }

    /// Copies the events of an open run, so that they outlive hot storage that loses it. Whatever fails, the next time
    /// makes good.
    pub(super) async fn copy_events(&self, run: RunId) {
        if let Err(error) = self.carry(run, None).await {
            telling::not_noted(run, &error);
        }
    }

    /// Copies the events of an archived run for the last time, before hot storage may let go of it.
    pub(super) async fn copy_last_events(&self, told: &Told) -> Result<()> {
        match self.carry(told.run, Some(told.event())).await {
            // Both storages answer, and one does not take or give them: that must not keep the run from being released.
            Err(error) if !error.is_transient() => {
                telling::not_noted(told.run, &error);
                Ok(())
            }
            done => done,
        }
    }

    async fn carry(&self, run: RunId, last: Option<StoreEvent>) -> Result<()> {
        let events = match self.store.hot().events(run).await {
            Ok(events) => events.unwrap_or_default(),
            Err(error) if error.is_transient() || last.is_none() => return Err(error),
            Err(error) => {
                telling::not_noted(run, &error);
                Vec::new()
            }
        };
        let events = StoreEvent::merged(events, last);
        let ids: Vec<u8> = events.iter().flat_map(|event| *event.id.as_uuid().as_bytes()).collect();
        let carried = Some(Digest::of(&ids));
        if events.is_empty() || self.memory().entry(run).or_default().carried == carried {
            return Ok(());
        }
        self.store.cold().add_events(run, &events).await?;
        self.memory().entry(run).or_default().carried = carried;
        Ok(())
    }
}
