//! Cold storage as a client of the simulation reaches it. What each call did is noted where it meets the store.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use lucihub_models_core::cold::{
    Begun, Checkpoint, ColdArchive, ColdAttachments, ColdDevices, ColdEvents, ColdHealth, ColdLogs, ColdRun, ColdRuns,
    ColdSamples, ColdStore, ColdUsage, ColdWatch, Commit, Committed, Created, DevicePage, GrownCell, ModelUse,
    OperatorFields, PendingRun, Quota, RunUpdate, SeenFields, StoredBytes, Usage,
};
use lucihub_models_core::{
    Attachment, AttachmentInfo, AttachmentName, ByteStream, CellSummary, Device, DeviceId, Digest, LogCell,
    NewAttachment, PageRequest, Result, RunFilter, RunHead, RunId, RunPage, RunPrefix, SampleCell, Series, StoreError,
    StoreEvent, Subject,
};

use super::client::{Client, Kind, Side};
use super::truth::cell_words;
use super::world::World;
use crate::gates::Gate;

/// A client's way to cold storage.
pub(crate) struct SimCold {
    client: Arc<Client>,
}

impl SimCold {
    pub(crate) const fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    fn world(&self) -> &World {
        &self.client.world
    }

    fn store(&self) -> &dyn ColdStore {
        &*self.client.world.cold
    }

    async fn read<T: Send>(
        &self,
        name: &'static str,
        run: Option<RunId>,
        operation: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        self.client.call((Side::Cold, Kind::Read, name), run, operation).await
    }

    async fn write<T: Send>(
        &self,
        name: &'static str,
        run: Option<RunId>,
        operation: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        self.client.call((Side::Cold, Kind::Write, name), run, operation).await
    }
}

#[async_trait]
impl ColdRuns for SimCold {
    async fn create(&self, head: &RunHead) -> Result<Created> {
        self.write("cold.create", Some(head.id), self.store().create(head)).await
    }

    async fn get(&self, run: RunId) -> Result<Option<ColdRun>> {
        self.read("cold.get", Some(run), self.store().get(run)).await
    }

    async fn update(&self, run: RunId, update: &RunUpdate) -> Result<()> {
        self.write("cold.update", Some(run), self.store().update(run, update)).await
    }

    async fn list(&self, filter: &RunFilter, page: &PageRequest) -> Result<RunPage> {
        self.read("cold.list", None, self.store().list(filter, page)).await
    }

    async fn ids(&self, prefix: &RunPrefix, limit: usize) -> Result<Vec<RunId>> {
        self.read("cold.ids", None, self.store().ids(prefix, limit)).await
    }

    async fn pending(&self, after: Option<PendingRun>, limit: usize) -> Result<Vec<PendingRun>> {
        self.read("cold.pending", None, self.store().pending(after, limit)).await
    }

    async fn delete(&self, run: RunId) -> Result<bool> {
        self.write("cold.delete", Some(run), self.store().delete(run)).await
    }
}

#[async_trait]
impl ColdUsage for SimCold {
    async fn create_within(&self, head: &RunHead, quota: &Quota) -> Result<Created> {
        self.write("cold.create_within", Some(head.id), self.store().create_within(head, quota)).await
    }

    async fn usage(&self, owner: &str) -> Result<Vec<Usage>> {
        self.read("cold.usage", None, self.store().usage(owner)).await
    }
}

#[async_trait]
impl ColdArchive for SimCold {
    async fn mirror(&self, head: &RunHead) -> Result<bool> {
        self.write("cold.mirror", Some(head.id), self.store().mirror(head)).await
    }

    async fn begin_cell(&self, before: Option<&Begun>, part: SampleCell) -> Result<Option<Begun>> {
        self.read("cold.begin_cell", None, self.store().begin_cell(before, part)).await
    }

    async fn checkpoint(&self, run: RunId, cells: &Checkpoint) -> Result<bool> {
        let write = async {
            let open = self.store().checkpoint(run, cells).await?;
            self.world().about(|| cell_words(cells));
            if open {
                self.world().stored(run, cells).await?;
            }
            Ok(open)
        };
        self.write("cold.checkpoint", Some(run), write).await
    }

    async fn gives_back(&self, run: RunId, cells: &[GrownCell]) -> Result<Vec<bool>> {
        self.read("cold.gives_back", Some(run), self.store().gives_back(run, cells)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed> {
        let run = commit.head.id;
        let write = async {
            let committed = self.store().commit(commit).await;
            match &committed {
                Ok(Committed::Committed) => self.world().truth(run, |truth| truth.commits += 1),
                Err(StoreError::Precondition { why, .. }) => {
                    self.world().find(Gate::DigestMismatch, format!("run {run}: {why}"));
                }
                _ => {}
            }
            committed
        };
        self.write("cold.commit", Some(run), write).await
    }

    async fn release(&self, run: RunId) -> Result<bool> {
        self.write("cold.release", Some(run), self.store().release(run)).await
    }

    async fn repair(&self, run: RunId, cells: &Checkpoint, digest: Digest) -> Result<bool> {
        self.write("cold.repair", Some(run), self.store().repair(run, cells, digest)).await
    }

    async fn stored_bytes(&self, run: RunId) -> Result<Option<StoredBytes>> {
        self.read("cold.stored_bytes", Some(run), self.store().stored_bytes(run)).await
    }
}

#[async_trait]
impl ColdLogs for SimCold {
    async fn log_cells(&self, run: RunId, cells: Range<u64>) -> Result<Vec<LogCell>> {
        self.read("cold.log_cells", Some(run), self.store().log_cells(run, cells)).await
    }
}

#[async_trait]
impl ColdSamples for SimCold {
    async fn sample_cells(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<SampleCell>> {
        self.read("cold.sample_cells", Some(run), self.store().sample_cells(run, channel, cells)).await
    }

    async fn series(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Option<Series>> {
        self.read("cold.series", Some(run), self.store().series(run, channel, cells)).await
    }

    async fn summaries(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<CellSummary>> {
        self.read("cold.summaries", Some(run), self.store().summaries(run, channel, cells)).await
    }
}

#[async_trait]
impl ColdDevices for SimCold {
    async fn put_seen(&self, seen: &SeenFields) -> Result<()> {
        self.write("cold.put_seen", None, self.store().put_seen(seen)).await
    }

    async fn put_operator(&self, device: &DeviceId, fields: &OperatorFields) -> Result<()> {
        self.write("cold.put_operator", None, self.store().put_operator(device, fields)).await
    }

    async fn device(&self, device: &DeviceId) -> Result<Option<Device>> {
        self.read("cold.device", None, self.store().device(device)).await
    }

    async fn devices(&self, after: Option<&DeviceId>, limit: usize) -> Result<DevicePage> {
        self.read("cold.devices", None, self.store().devices(after, limit)).await
    }

    async fn delete_device(&self, device: &DeviceId) -> Result<bool> {
        self.write("cold.delete_device", None, self.store().delete_device(device)).await
    }
}

/// A stream that was begun goes on: only beginning it fails.
#[async_trait]
impl ColdAttachments for SimCold {
    async fn put_attachment(
        &self,
        subject: &Subject,
        attachment: &NewAttachment,
        bytes: ByteStream,
    ) -> Result<AttachmentInfo> {
        self.write("cold.put_attachment", None, self.store().put_attachment(subject, attachment, bytes)).await
    }

    async fn checkpoint_attachment(&self, run: RunId, attachment: &NewAttachment, bytes: Vec<u8>) -> Result<bool> {
        let moved = self.store().checkpoint_attachment(run, attachment, bytes);
        self.write("cold.checkpoint_attachment", Some(run), moved).await
    }

    async fn attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<Option<Attachment>> {
        self.read("cold.attachment", None, self.store().attachment(subject, name)).await
    }

    async fn attachments(&self, subject: &Subject) -> Result<Vec<AttachmentInfo>> {
        self.read("cold.attachments", None, self.store().attachments(subject)).await
    }

    async fn delete_attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<bool> {
        self.write("cold.delete_attachment", None, self.store().delete_attachment(subject, name)).await
    }
}

#[async_trait]
impl ColdEvents for SimCold {
    async fn add_events(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        self.write("cold.add_events", Some(run), self.store().add_events(run, events)).await
    }

    async fn events(&self, run: RunId) -> Result<Vec<StoreEvent>> {
        self.read("cold.events", Some(run), self.store().events(run)).await
    }
}

#[async_trait]
impl ColdWatch for SimCold {
    async fn health(&self) -> Result<ColdHealth> {
        self.read("cold.health", None, self.store().health()).await
    }

    async fn models(&self) -> Result<Vec<ModelUse>> {
        self.read("cold.models", None, self.store().models()).await
    }
}
