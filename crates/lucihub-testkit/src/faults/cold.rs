//! A cold store whose operations fail when a plan says so.

use std::fmt;
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
    NewAttachment, PageRequest, Result, RunFilter, RunHead, RunId, RunPage, RunPrefix, SampleCell, Series, StoreEvent,
    Subject,
};

use super::FaultPlan;

/// A cold store that fails by plan.
pub struct FaultyCold<S: ?Sized> {
    inner: Arc<S>,
    plan: FaultPlan,
}

impl<S: ?Sized> FaultyCold<S> {
    /// Wraps a store; `S` may be `dyn ColdStore`.
    #[must_use]
    pub const fn new(inner: Arc<S>, plan: FaultPlan) -> Self {
        Self { inner, plan }
    }
}

impl<S: ?Sized> fmt::Debug for FaultyCold<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyCold").field("plan", &self.plan).finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: ColdStore + ?Sized> ColdRuns for FaultyCold<S> {
    async fn create(&self, head: &RunHead) -> Result<Created> {
        self.plan.write("cold.create", self.inner.create(head)).await
    }

    async fn get(&self, run: RunId) -> Result<Option<ColdRun>> {
        self.plan.read("cold.get", self.inner.get(run)).await
    }

    async fn update(&self, run: RunId, update: &RunUpdate) -> Result<()> {
        self.plan.write("cold.update", self.inner.update(run, update)).await
    }

    async fn list(&self, filter: &RunFilter, page: &PageRequest) -> Result<RunPage> {
        self.plan.read("cold.list", self.inner.list(filter, page)).await
    }

    async fn ids(&self, prefix: &RunPrefix, limit: usize) -> Result<Vec<RunId>> {
        self.plan.read("cold.ids", self.inner.ids(prefix, limit)).await
    }

    async fn pending(&self, after: Option<PendingRun>, limit: usize) -> Result<Vec<PendingRun>> {
        self.plan.read("cold.pending", self.inner.pending(after, limit)).await
    }

    async fn delete(&self, run: RunId) -> Result<bool> {
        self.plan.write("cold.delete", self.inner.delete(run)).await
    }
}

#[async_trait]
impl<S: ColdStore + ?Sized> ColdUsage for FaultyCold<S> {
    async fn create_within(&self, head: &RunHead, quota: &Quota) -> Result<Created> {
        self.plan.write("cold.create_within", self.inner.create_within(head, quota)).await
    }

    async fn usage(&self, owner: &str) -> Result<Vec<Usage>> {
        self.plan.read("cold.usage", self.inner.usage(owner)).await
    }
}

#[async_trait]
impl<S: ColdStore + ?Sized> ColdArchive for FaultyCold<S> {
    async fn mirror(&self, head: &RunHead) -> Result<bool> {
        self.plan.write("cold.mirror", self.inner.mirror(head)).await
    }

    async fn begin_cell(&self, before: Option<&Begun>, part: SampleCell) -> Result<Option<Begun>> {
        self.plan.read("cold.begin_cell", self.inner.begin_cell(before, part)).await
    }

    async fn checkpoint(&self, run: RunId, cells: &Checkpoint) -> Result<bool> {
        self.plan.write("cold.checkpoint", self.inner.checkpoint(run, cells)).await
    }

    async fn gives_back(&self, run: RunId, cells: &[GrownCell]) -> Result<Vec<bool>> {
        self.plan.read("cold.gives_back", self.inner.gives_back(run, cells)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed> {
        self.plan.write("cold.commit", self.inner.commit(commit)).await
    }

    async fn release(&self, run: RunId) -> Result<bool> {
        self.plan.write("cold.release", self.inner.release(run)).await
    }

    async fn repair(&self, run: RunId, cells: &Checkpoint, digest: Digest) -> Result<bool> {
        self.plan.write("cold.repair", self.inner.repair(run, cells, digest)).await
    }

    async fn stored_bytes(&self, run: RunId) -> Result<Option<StoredBytes>> {
        self.plan.read("cold.stored_bytes", self.inner.stored_bytes(run)).await
    }
}

#[async_trait]
impl<S: ColdStore + ?Sized> ColdLogs for FaultyCold<S> {
    async fn log_cells(&self, run: RunId, cells: Range<u64>) -> Result<Vec<LogCell>> {
        self.plan.read("cold.log_cells", self.inner.log_cells(run, cells)).await
    }
}

#[async_trait]
impl<S: ColdStore + ?Sized> ColdSamples for FaultyCold<S> {
    async fn sample_cells(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<SampleCell>> {
        self.plan.read("cold.sample_cells", self.inner.sample_cells(run, channel, cells)).await
    }

    async fn series(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Option<Series>> {
        self.plan.read("cold.series", self.inner.series(run, channel, cells)).await
    }

    async fn summaries(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<CellSummary>> {
        self.plan.read("cold.summaries", self.inner.summaries(run, channel, cells)).await
    }
}

#[async_trait]
impl<S: ColdStore + ?Sized> ColdDevices for FaultyCold<S> {
    async fn put_seen(&self, seen: &SeenFields) -> Result<()> {
        self.plan.write("cold.put_seen", self.inner.put_seen(seen)).await
    }

    async fn put_operator(&self, device: &DeviceId, fields: &OperatorFields) -> Result<()> {
        self.plan.write("cold.put_operator", self.inner.put_operator(device, fields)).await
    }

    async fn device(&self, device: &DeviceId) -> Result<Option<Device>> {
        self.plan.read("cold.device", self.inner.device(device)).await
    }

    async fn devices(&self, after: Option<&DeviceId>, limit: usize) -> Result<DevicePage> {
        self.plan.read("cold.devices", self.inner.devices(after, limit)).await
    }

    async fn delete_device(&self, device: &DeviceId) -> Result<bool> {
        self.plan.write("cold.delete_device", self.inner.delete_device(device)).await
    }
}

/// A stream that was begun goes on: only beginning it fails.
#[async_trait]
impl<S: ColdStore + ?Sized> ColdAttachments for FaultyCold<S> {
    async fn put_attachment(
        &self,
        subject: &Subject,
        attachment: &NewAttachment,
        bytes: ByteStream,
    ) -> Result<AttachmentInfo> {
        self.plan.write("cold.put_attachment", self.inner.put_attachment(subject, attachment, bytes)).await
    }

    async fn checkpoint_attachment(&self, run: RunId, attachment: &NewAttachment, bytes: Vec<u8>) -> Result<bool> {
        let moved = self.inner.checkpoint_attachment(run, attachment, bytes);
        self.plan.write("cold.checkpoint_attachment", moved).await
    }

    async fn attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<Option<Attachment>> {
        self.plan.read("cold.attachment", self.inner.attachment(subject, name)).await
    }

    async fn attachments(&self, subject: &Subject) -> Result<Vec<AttachmentInfo>> {
        self.plan.read("cold.attachments", self.inner.attachments(subject)).await
    }

    async fn delete_attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<bool> {
        self.plan.write("cold.delete_attachment", self.inner.delete_attachment(subject, name)).await
    }
}

#[async_trait]
impl<S: ColdStore + ?Sized> ColdEvents for FaultyCold<S> {
    async fn add_events(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        self.plan.write("cold.add_events", self.inner.add_events(run, events)).await
    }

    async fn events(&self, run: RunId) -> Result<Vec<StoreEvent>> {
        self.plan.read("cold.events", self.inner.events(run)).await
    }
}

#[async_trait]
impl<S: ColdStore + ?Sized> ColdWatch for FaultyCold<S> {
    async fn health(&self) -> Result<ColdHealth> {
        self.plan.read("cold.health", self.inner.health()).await
    }

    async fn models(&self) -> Result<Vec<ModelUse>> {
        self.plan.read("cold.models", self.inner.models()).await
    }
}
