//! Attachments of open runs: results to cold storage, what people put to hot storage.

use lucihub_models_core::hot::{ActiveDevice, HotAttachment};
use lucihub_models_core::{NewAttachment, Result, RunId, StoreError, whole};

use super::keeper::{Keeper, WalkReport};
use crate::read::Located;

/// The attachment of a device that is its entity, as it was last seen.
const ENTITY: &str = "entity";

impl Keeper {
    /// Whether attachments of an open run are to be looked at.
    pub(super) fn attachments_due(&self, located: &Located) -> bool {
        let now = self.time_of(located);
        let mut memory = self.memory();
        let last = &mut memory.entry(located.run()).or_default().attachments_at;
        let due = last.is_none_or(|at| now.since(at) >= self.options.checkpoint_age);
        if due {
            *last = Some(now);
        }
        due
    }

    /// Brings both storages to the same attachments of a run that is in hot storage: what its worker put goes to cold
    /// storage, and what people put has its copy in hot storage, where it may have been lost or could not be reached.
    pub(super) async fn attachments(&self, run: RunId, sealed: bool, report: &mut WalkReport) -> Result<()> {
        let Some(present) = self.store.hot().attachments(run).await? else { return Ok(()) };
        let (workers, copies): (Vec<_>, Vec<_>) = present.into_iter().partition(|attachment| attachment.by_worker);
        if !workers.is_empty() {
            self.save_results(run, &workers, report).await?;
        }
        // Of a run that has ended, nobody reads the copies any more.
        if sealed { Ok(()) } else { self.renew_copies(run, &workers, copies).await }
    }

    /// Keeps the entity of a device, of which the registry has the digest alone.
    pub(super) async fn keep_entity(&self, active: &ActiveDevice) -> Result<()> {
        let Some(entity) = &active.seen.entity else { return Ok(()) };
        let attachment = NewAttachment::new(ENTITY.parse()?, "application/octet-stream");
        let (device, bytes) = (active.seen.id.clone().into(), whole(entity.to_vec()));
        match self.store.cold().put_attachment(&device, &attachment, bytes).await {
            // As many attachments as there may be: people's go first. Deleted meanwhile: the next sighting enters it.
            Ok(_) | Err(StoreError::Precondition { .. } | StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn save_results(&self, run: RunId, workers: &[HotAttachment], report: &mut WalkReport) -> Result<()> {
        let saved = self.store.cold().attachments(&run.into()).await?;
        for result in workers {
            if saved.iter().any(|info| info.is_like(&result.info)) {
                continue;
            }
            let Some((found, bytes)) = self.store.hot().attachment(run, &result.info.name).await? else { continue };
            let attachment = NewAttachment::new(found.info.name, found.info.media_type);
            if !self.store.cold().checkpoint_attachment(run, &attachment, bytes.to_vec()).await? {
                // Another keeper has archived it meanwhile, with all of them.
                return Ok(());
            }
            report.attachments += 1;
        }
        Ok(())
    }

    async fn renew_copies(&self, run: RunId, workers: &[HotAttachment], copies: Vec<HotAttachment>) -> Result<()> {
        let small = self.store.small_of(run, workers).await?;
        for stale in copies.iter().filter(|copy| small.iter().all(|info| info.name != copy.info.name)) {
            self.store.hot().delete_attachment(run, &stale.info.name).await?;
        }
        for info in small {
            if copies.iter().any(|copy| copy.info.is_like(&info)) {
                continue;
            }
            let Some(small) = self.store.small_attachment(run, info).await? else { continue };
            match self.store.bring(run, &small).await {
                // The worker was quicker; or there is no room, which the caller of `attach` was told.
                Ok(()) | Err(StoreError::Precondition { .. } | StoreError::Full { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
