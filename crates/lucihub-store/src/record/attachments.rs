//! Attachments as a worker handles them: read from hot storage, and put there.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{Attached, HotAttachment, SmallAttachment};
use lucihub_models_core::{AttachmentInfo, AttachmentName, NewAttachment, RunId, StoreError};
use tokio::time::{Instant, sleep};

use super::error::{Failure, RecordError};
use super::recorder::Recorder;
use super::sender::Sender;
use crate::store::Store;

const PAUSE: Duration = Duration::from_millis(50);

impl Recorder {
    /// Puts an attachment on the run, in place of the one of its name. It is in hot storage once this returns, and a
    /// keeper moves it to cold storage, at the latest before the run is archived. Should hot storage lose the run, the
    /// recorder puts it again: until then it keeps the bytes.
    ///
    /// # Errors
    /// `Invalid` past [`Limits::hot_attachment_bytes`](lucihub_models_core::Limits::hot_attachment_bytes), 1 MiB, and for
    /// a media type of another form; `Store` with `Full` past the limits on all attachments of a run together, or where
    /// hot storage has no room, and with another error if that could not be reached within the time of a lease. `Failed`
    /// when recording cannot go on.
    pub async fn attach(
        &self,
        attachment: NewAttachment,
        bytes: impl Into<Arc<[u8]>>,
    ) -> Result<AttachmentInfo, RecordError> {
        let small = SmallAttachment::new(attachment, bytes);
        small.check(&self.limits)?;
        let name = small.attachment.name.clone();
        // First, so that a loss finds it, whenever that comes.
        let before = self.with_pending(|p, _| Ok(p.attached.insert(name.clone(), small.clone())))?;
        let put = self.put(&small).await;
        if put.is_err() {
            let mut p = self.shared.lock();
            match before {
                Some(before) => p.attached.insert(name, before),
                None => p.attached.remove(&name),
            };
        }
        put
    }

    async fn put(&self, small: &SmallAttachment) -> Result<AttachmentInfo, RecordError> {
        let deadline = Instant::now() + self.options.lease;
        loop {
            match self.store.hot().put_attachment(self.run, Some(self.mark), small).await {
                Ok(Attached::Put(info)) => return Ok(info),
                Ok(Attached::Sealed(seal)) => return Err(self.failed(Failure::Sealed(seal))),
                Ok(Attached::NoRun | Attached::Fenced | Attached::ByWorker) if Instant::now() < deadline => {
                    // The answer to a batch without content tells the sender what the store lost, or who has the run.
                    self.with_pending(|p, _| {
                        p.close_empty();
                        Ok(())
                    })?;
                    self.flush().await?;
                }
                Ok(_) => return Err(self.failed(Failure::Fenced)),
                Err(error @ StoreError::Full { .. }) => return Err(error.into()),
                Err(error) if error.is_transient() && Instant::now() < deadline => sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// An attachment of the run: what people put before it was handed out, or what a worker has put. `None` if hot
    /// storage has none of that name: it may be too large, or not there yet.
    ///
    /// # Errors
    /// `Store` when hot storage cannot be read.
    pub async fn attachment(&self, name: &AttachmentName) -> Result<Option<Arc<[u8]>>, RecordError> {
        Ok(self.store.hot().attachment(self.run, name).await?.map(|(_, bytes)| bytes))
    }

    /// All attachments of the run in hot storage without their bytes, by name.
    ///
    /// # Errors
    /// `Store` when hot storage cannot be read.
    pub async fn attachments(&self) -> Result<Vec<HotAttachment>, RecordError> {
        Ok(self.store.hot().attachments(self.run).await?.unwrap_or_default())
    }
}

impl Sender {
    /// Puts again what a restored run does not have. Batches wait for that: the last one would close the run before.
    pub(super) async fn attach_again(&mut self) -> Result<(), Failure> {
        while let Some(name) = self.unattached.front() {
            let newest = |sender: &Self| sender.shared.lock().attached.get(name).cloned();
            let Some(small) = newest(self) else {
                self.unattached.pop_front();
                continue;
            };
            match self.store.hot().put_attachment(self.request.run, Some(self.mark), &small).await {
                // Replaced meanwhile: nobody knows which of both came first.
                Ok(Attached::Put(_)) if newest(self).is_some_and(|now| !Arc::ptr_eq(&now.bytes, &small.bytes)) => {}
                Ok(Attached::Put(_) | Attached::ByWorker) => drop(self.unattached.pop_front()),
                Ok(Attached::Sealed(seal)) => return Err(Failure::Sealed(seal)),
                // Lost once more: restoring begins the list anew.
                Ok(Attached::NoRun) => return self.restore().await.map(drop),
                Ok(Attached::Fenced) => return self.reclaim().await,
                Err(StoreError::Full { .. }) if make_room(&self.store, self.request.run, &small).await => {}
                // No room, or no answer: in a while.
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}

/// Makes room for a result in the run's part of hot storage, where a keeper was quicker to bring what people put:
/// cold storage has that, and nobody else has the result. `false` if it is not for want of that room.
async fn make_room(store: &Store, run: RunId, small: &SmallAttachment) -> bool {
    let hot = store.hot();
    let Ok(Some(present)) = hot.attachments(run).await else { return false };
    if HotAttachment::check_room(&present, small, store.limits()).is_ok() {
        return false;
    }
    let copies = present.iter().filter(|present| !present.by_worker);
    let Some(largest) = copies.max_by_key(|copy| copy.info.size) else { return false };
    hot.delete_attachment(run, &largest.info.name).await.is_ok()
}
