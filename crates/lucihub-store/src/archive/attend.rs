//! Attending to one run: the one next thing, until there is none.

use lucihub_models_core::cold::ColdRun;
use lucihub_models_core::hot::{HotRun, Opened, Renewed, Seal};
use lucihub_models_core::{Positions, Result, RunId, StoreEventKind, WriterMark};
use tracing::Instrument;

use super::events::Told;
use super::keeper::{Keeper, WalkReport};
use super::stops::Reached;
use crate::observe::keeping;
use crate::read::Located;

impl Keeper {
    /// Does what is to be done for one run now.
    pub(super) async fn attend(&self, run: RunId, report: &mut WalkReport) -> Result<()> {
        // At once: of a run that is archived, or not there, the answer of hot storage does not matter.
        let (cold, hot) = tokio::join!(self.store.cold_run(run), self.store.hot().get(run));
        let Some(cold) = cold? else { return Ok(()) };
        if let Some(archived) = cold.archived {
            return self.let_go(&Told::of(&cold.head, &cold.positions, archived), report).await;
        }
        let Some(hot) = hot? else {
            return self.missing(cold, report).await;
        };
        self.memory().entry(run).or_default().lost_since = None;
        self.live(cold, hot, report).await
    }

    /// A run that hot storage does not have.
    async fn missing(&self, cold: ColdRun, report: &mut WalkReport) -> Result<()> {
        let run = cold.head.id;
        if self.is_deleted(run).await? {
            return self.delete_rest(run).await;
        }
        let untouched = Positions { states: 1, ..Positions::default() };
        if cold.positions != untouched {
            return self.rescue(cold, report).await;
        }
        match self.store.open_hot(&cold.head).await? {
            Opened::Created => {
                report.opened += 1;
                // Another keeper may have archived it between the look and the opening.
                match self.store.cold().get(run).await? {
                    Some(now) if now.archived.is_none() => {
                        self.tell(run, StoreEventKind::Opened, "hot storage did not have it").await;
                        Ok(())
                    }
                    _ => self.take_back(run).await,
                }
            }
            Opened::Existing => Ok(()),
            Opened::Deleted => self.delete_rest(run).await,
        }
    }

    /// What is left of a deletion that stopped half-way: hot storage is done. A run that is archived is none such, whatever
    /// this keeper saw before.
    async fn delete_rest(&self, run: RunId) -> Result<()> {
        match self.store.cold().get(run).await? {
            Some(cold) if cold.archived.is_none() => self.store.cold().delete(run).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Whether a tombstone stands. Asked with a mark that no run has, so that a
    /// run that was put back meanwhile stays as it is.
    pub(super) async fn is_deleted(&self, run: RunId) -> Result<bool> {
        let nobody = WriterMark { writer: self.writer, epoch: 0 };
        let answer = self.store.hot().renew(run, nobody, std::time::Duration::ZERO).await?;
        Ok(answer == Renewed::Sealed(Seal::Deleted))
    }

    /// Removes a run that should not have been opened, unless a worker has it. No tombstone stays, which would say that it
    /// was deleted.
    async fn take_back(&self, run: RunId) -> Result<()> {
        self.store.hot().remove(run, false, std::time::Duration::ZERO).await.map(drop)
    }

    async fn live(&self, cold: ColdRun, mut hot: HotRun, report: &mut WalkReport) -> Result<()> {
        let run = cold.head.id;
        if hot.seal.is_none() && self.is_dead(&hot) && self.fail(&hot).await? {
            report.failed += 1;
            let Some(now) = self.store.hot().get(run).await? else { return Ok(()) };
            hot = now;
        }
        let sealed = hot.seal.is_some();
        // An end is mirrored after the cells: whoever reads it in cold storage has all that came before.
        let moved = hot.next.states > cold.head.states.len() as u64;
        let changed = hot.head.states.get(cold.head.states.len()).map(|state| state.at);
        // Should hot storage lose the run, its earlier writer learns from the mirror alone that it is another's.
        let is_taken_over = hot.head.worker != cold.head.worker;
        if (moved || is_taken_over) && !sealed && self.store.cold().mirror(&hot.head).await? {
            report.mirrored += 1;
            if moved {
                keeping::mirrored(changed, self.store.now());
            }
        }
        self.note_lag(&cold, &hot);
        let located = Located::live(cold, hot);
        self.keep_confirmed(&located);
        self.keep_stops(&located);
        if sealed {
            let reached = self.write_cells(&located, located.positions(), report);
            let Reached { written, wrong, .. } = reached.instrument(keeping::checkpoint(run)).await?;
            // Nothing of a run that has ended leaves hot storage before all of it was read back.
            if let Some(why) = wrong {
                return Err(why);
            }
            self.note_checkpoint(&located, true);
            keeping::mirrored(changed, self.store.now());
            let Some(told) = keeping::archive(run, self.finish(&located, &written, report)).await? else {
                return Ok(());
            };
            return self.let_go(&told, report).await;
        }
        let mut stored = located.cold_positions().clone();
        if let Some((want, all)) = self.wanted(&located) {
            let reached = self.write_cells(&located, &want, report);
            let reached = reached.instrument(keeping::checkpoint(run)).await?;
            self.tell_confirmed(&located, &reached.positions).await?;
            if all {
                self.note_checkpoint(&located, reached.wrong.is_none());
            }
            self.verify_ahead(&located, &reached.positions, &reached.written).await?;
            stored = stored.max(&reached.positions);
        } else {
            self.confirm(&located).await?;
        }
        if self.attachments_due(&located) {
            self.attachments(run, false, report).await?;
            self.copy_events(run).await;
        }
        self.encode_ahead(&located).await?;
        self.trim(&located, &stored).await?;
        // Last, so that what cannot be read keeps nothing else waiting.
        self.stopped(&located).why().map_or(Ok(()), |why| Err(why.clone()))
    }

    /// How far an open run is to be written now, and whether that is all there is.
    fn wanted(&self, located: &Located) -> Option<(Positions, bool)> {
        if self.is_due(located) {
            return Some((located.positions().clone(), true));
        }
        Some((self.complete(located)?, false))
    }
}
