//! Putting back a run that hot storage has lost.

use lucihub_models_core::Positions;
use lucihub_models_core::hot::{Restore, Restored, Seal};

use super::error::Failure;
use super::sender::Sender;
use crate::observe::recording;

impl Sender {
    /// Ends the recording if another writer has the run. If none has it, the store
    /// lost it and a keeper, which could not know, opened it anew.
    pub(super) async fn reclaim(&mut self) -> Result<(), Failure> {
        match self.restore().await {
            // Whatever has become of the run, it was not this writer's any more.
            Ok(Some(Restored::Existing)) | Err(Failure::Sealed(_)) => Err(self.why_fenced().await),
            other => other.map(drop),
        }
    }

    /// Why the run is another writer's now, as far as that can be told.
    async fn why_fenced(&mut self) -> Failure {
        let Ok(Some(run)) = self.store.hot().get(self.request.run).await else { return Failure::Fenced };
        let end = run.head.states.last().filter(|end| end.state.is_terminal());
        end.and_then(|end| end.reason.clone()).map_or(Failure::Fenced, Failure::Ended)
    }

    /// Whether cold storage names a worker that has taken the run over since. Hot storage that is empty does not know.
    fn is_superseded(&self, worker: Option<&str>) -> bool {
        self.known.as_ref().zip(worker).is_some_and(|(known, worker)| known.iter().all(|known| known != worker))
    }

    /// The store went back to before what is kept here. Where that is all confirmed, the run is put back from there;
    /// where it is not, the store has something that nobody else has, and nothing helps.
    pub(super) async fn put_back(&mut self, lost: Failure) -> Result<(), Failure> {
        let floor = self.replay.floor().at.clone();
        let is_stored = self.shared.lock().confirmed.covers(&floor);
        let content = Positions { states: 0, phases: 0, ..floor };
        // Out of a backup cold storage may have less than it once said; then the older copy is all that there is.
        let is_gone = match self.store.cold().get(self.request.run).await {
            Ok(Some(cold)) => cold.archived.is_none() && !cold.positions.covers(&content),
            _ => false,
        };
        if !is_stored || is_gone || self.restore().await? == Some(Restored::Existing) {
            return Err(lost);
        }
        Ok(())
    }

    /// Puts the run back as it was at the floor of the replay buffer, and sends
    /// again all that came after. `None` if the store gave no answer.
    pub(super) async fn restore(&mut self) -> Result<Option<Restored>, Failure> {
        let floor = self.replay.floor().clone();
        let mut confirmed = self.shared.lock().confirmed.clone();
        // Hot storage that comes back empty has lost its tombstones too, and an
        // archived run leaves it in time: neither may rise again. If cold storage
        // cannot be asked, recording goes on.
        match self.store.cold().get(self.request.run).await {
            Ok(None) => return Err(Failure::Sealed(Seal::Deleted)),
            // An end is mirrored after all that came before it.
            Ok(Some(cold)) if cold.archived.is_some() || cold.head.state().is_terminal() => {
                return Err(Failure::Sealed(Seal::Ended(cold.head.state().clone())));
            }
            Ok(Some(cold)) if self.is_superseded(cold.head.worker.as_deref()) => return Err(Failure::Fenced),
            // It may be further than the last answer said.
            Ok(Some(cold)) => confirmed = confirmed.max(&cold.positions),
            Err(_) => {}
        }
        let restore = Restore {
            head: floor.head,
            worker: self.request.worker.clone(),
            mark: self.mark,
            lease: self.options.lease,
            last_seq: floor.seq,
            // What is confirmed but not acknowledged here is sent again all the same.
            confirmed: confirmed.min(&floor.at),
            next: floor.at,
        };
        match self.store.hot().restore(&restore).await {
            // Nothing is known: the appends that follow find out.
            Err(_) => Ok(None),
            Ok(Restored::Sealed(seal)) => Err(Failure::Sealed(seal)),
            Ok(Restored::Existing) => Ok(Some(Restored::Existing)),
            Ok(Restored::Restored) => {
                let mut p = self.shared.lock();
                p.stats.restores += 1;
                self.unattached = p.attached.keys().cloned().collect();
                drop(p);
                let again = self.go_back(floor.seq)?;
                recording::restored(&mut self.notes, floor.seq, &restore.confirmed, &restore.next, again);
                Ok(Some(Restored::Restored))
            }
        }
    }
}
