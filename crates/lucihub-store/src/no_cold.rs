//! Cold storage that is not there: what a worker or a scanner has, which needs hot storage alone.

use std::ops::Range;

use async_trait::async_trait;
use lucihub_models_core::cold::{
    Begun, Checkpoint, ColdArchive, ColdAttachments, ColdDevices, ColdEvents, ColdHealth, ColdLogs, ColdRun, ColdRuns,
    ColdSamples, ColdUsage, ColdWatch, Commit, Committed, Created, DevicePage, GrownCell, ModelUse, OperatorFields,
    PendingRun, Quota, RunUpdate, SeenFields, StoredBytes, Usage,
};
use lucihub_models_core::{
    Attachment, AttachmentInfo, AttachmentName, ByteStream, CellSummary, Device, DeviceId, Digest, LogCell,
    NewAttachment, PageRequest, Result, RunFilter, RunHead, RunId, RunPage, RunPrefix, SampleCell, Series, StoreError,
    StoreEvent, Subject,
};

/// Answers everything with one error that says what to do.
#[derive(Debug)]
pub(crate) struct NoCold;

/// The URL that asks for it.
pub(crate) const URL: &str = "none:";

const WHY: &str = "this store was opened without one; open it with a database's URL";

fn none<T>() -> Result<T> {
    Err(StoreError::unavailable("cold storage", WHY))
}

/// Whether cold storage is missing because nobody asked for it.
pub(crate) fn is_left_out(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { why, .. } if why == WHY)
}

#[async_trait]
impl ColdRuns for NoCold {
    async fn create(&self, _: &RunHead) -> Result<Created> {
        none()
    }

    async fn get(&self, _: RunId) -> Result<Option<ColdRun>> {
        none()
    }

    async fn update(&self, _: RunId, _: &RunUpdate) -> Result<()> {
        none()
    }

    async fn list(&self, _: &RunFilter, _: &PageRequest) -> Result<RunPage> {
        none()
    }

    async fn ids(&self, _: &RunPrefix, _: usize) -> Result<Vec<RunId>> {
        none()
    }

    async fn pending(&self, _: Option<PendingRun>, _: usize) -> Result<Vec<PendingRun>> {
        none()
    }

    async fn delete(&self, _: RunId) -> Result<bool> {
        none()
    }
}

#[async_trait]
impl ColdUsage for NoCold {
    async fn create_within(&self, _: &RunHead, _: &Quota) -> Result<Created> {
        none()
    }

    async fn usage(&self, _: &str) -> Result<Vec<Usage>> {
        none()
    }
}

#[async_trait]
impl ColdArchive for NoCold {
    async fn mirror(&self, _: &RunHead) -> Result<bool> {
        none()
    }

    async fn begin_cell(&self, _: Option<&Begun>, _: SampleCell) -> Result<Option<Begun>> {
        none()
    }

    async fn checkpoint(&self, _: RunId, _: &Checkpoint) -> Result<bool> {
        none()
    }

    async fn gives_back(&self, _: RunId, _: &[GrownCell]) -> Result<Vec<bool>> {
        none()
    }

    async fn commit(&self, _: &Commit) -> Result<Committed> {
        none()
    }

    async fn release(&self, _: RunId) -> Result<bool> {
        none()
    }

    async fn repair(&self, _: RunId, _: &Checkpoint, _: Digest) -> Result<bool> {
        none()
    }

    async fn stored_bytes(&self, _: RunId) -> Result<Option<StoredBytes>> {
        none()
    }
}

#[async_trait]
impl ColdDevices for NoCold {
    async fn put_seen(&self, _: &SeenFields) -> Result<()> {
        none()
    }

    async fn put_operator(&self, _: &DeviceId, _: &OperatorFields) -> Result<()> {
        none()
    }

    async fn device(&self, _: &DeviceId) -> Result<Option<Device>> {
        none()
    }

    async fn devices(&self, _: Option<&DeviceId>, _: usize) -> Result<DevicePage> {
        none()
    }

    async fn delete_device(&self, _: &DeviceId) -> Result<bool> {
        none()
    }
}

#[async_trait]
impl ColdLogs for NoCold {
    async fn log_cells(&self, _: RunId, _: Range<u64>) -> Result<Vec<LogCell>> {
        none()
    }
}

#[async_trait]
impl ColdSamples for NoCold {
    async fn sample_cells(&self, _: RunId, _: u32, _: Range<u64>) -> Result<Vec<SampleCell>> {
        none()
    }

    async fn series(&self, _: RunId, _: u32, _: Range<u64>) -> Result<Option<Series>> {
        none()
    }

    async fn summaries(&self, _: RunId, _: u32, _: Range<u64>) -> Result<Vec<CellSummary>> {
        none()
    }
}

#[async_trait]
impl ColdAttachments for NoCold {
    async fn put_attachment(&self, _: &Subject, _: &NewAttachment, _: ByteStream) -> Result<AttachmentInfo> {
        none()
    }

    async fn checkpoint_attachment(&self, _: RunId, _: &NewAttachment, _: Vec<u8>) -> Result<bool> {
        none()
    }

    async fn attachment(&self, _: &Subject, _: &AttachmentName) -> Result<Option<Attachment>> {
        none()
    }

    async fn attachments(&self, _: &Subject) -> Result<Vec<AttachmentInfo>> {
        none()
    }

    async fn delete_attachment(&self, _: &Subject, _: &AttachmentName) -> Result<bool> {
        none()
    }
}

#[async_trait]
impl ColdEvents for NoCold {
    async fn add_events(&self, _: RunId, _: &[StoreEvent]) -> Result<bool> {
        none()
    }

    async fn events(&self, _: RunId) -> Result<Vec<StoreEvent>> {
        none()
    }
}

#[async_trait]
impl ColdWatch for NoCold {
    async fn health(&self) -> Result<ColdHealth> {
        none()
    }

    async fn models(&self) -> Result<Vec<ModelUse>> {
        none()
    }
}
