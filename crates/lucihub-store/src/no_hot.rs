//! Hot storage that is not there: what a reader of history has, and one whose server is away.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use lucihub_models_core::hot::{
    ActiveDevice, Announced, Answer, Attached, Cancelled, DeviceSeen, Durability, Health, HotAppend, HotAttachment,
    HotAttachments, HotDevices, HotEvents, HotLogs, HotRun, HotRuns, HotSamples, HotScan, HotWatch, LineSlice, Opened,
    Removed, Renewed, Restore, Restored, RunWakes, ScannedRuns, Secured, SmallAttachment, TakeOver, TookOver, Wakes,
};
use lucihub_models_core::{
    AttachmentName, Batch, DeviceId, Positions, Result, RunHead, RunId, Series, StoreError, StoreEvent, WriterMark,
};

/// Answers everything with one error that says what to do.
#[derive(Debug)]
pub(crate) struct NoHot;

/// The URL that asks for it.
pub(crate) const URL: &str = "none:";

const WHY: &str = "this store was opened without one; open it with a server's URL";

fn none<T>() -> Result<T> {
    Err(StoreError::unavailable("hot storage", WHY))
}

/// Whether hot storage is missing because nobody asked for it.
pub(crate) fn is_left_out(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { why, .. } if why == WHY)
}

#[async_trait]
impl HotRuns for NoHot {
    async fn open(&self, _: &RunHead) -> Result<Opened> {
        none()
    }

    async fn get(&self, _: RunId) -> Result<Option<HotRun>> {
        none()
    }

    async fn take_over(&self, _: &TakeOver) -> Result<TookOver> {
        none()
    }

    async fn renew(&self, _: RunId, _: WriterMark, _: Duration) -> Result<Renewed> {
        none()
    }

    async fn cancel(&self, _: RunId, _: Option<&str>) -> Result<Cancelled> {
        none()
    }

    async fn expire(&self, _: RunId, _: Duration) -> Result<bool> {
        none()
    }

    async fn remove(&self, _: RunId, _: bool, _: Duration) -> Result<Removed> {
        none()
    }
}

#[async_trait]
impl HotAttachments for NoHot {
    async fn open_with(&self, _: &RunHead, _: &[SmallAttachment]) -> Result<Opened> {
        none()
    }

    async fn put_attachment(&self, _: RunId, _: Option<WriterMark>, _: &SmallAttachment) -> Result<Attached> {
        none()
    }

    async fn attachment(&self, _: RunId, _: &AttachmentName) -> Result<Option<(HotAttachment, Arc<[u8]>)>> {
        none()
    }

    async fn attachments(&self, _: RunId) -> Result<Option<Vec<HotAttachment>>> {
        none()
    }

    async fn delete_attachment(&self, _: RunId, _: &AttachmentName) -> Result<bool> {
        none()
    }
}

#[async_trait]
impl HotEvents for NoHot {
    async fn note(&self, _: RunId, _: &[StoreEvent]) -> Result<bool> {
        none()
    }

    async fn events(&self, _: RunId) -> Result<Option<Vec<StoreEvent>>> {
        none()
    }
}

#[async_trait]
impl HotAppend for NoHot {
    async fn append(&self, _: &Batch) -> Result<Answer> {
        none()
    }

    async fn secure(&self, _: RunId, _: WriterMark, _: u64, _: Durability) -> Result<Secured> {
        none()
    }

    async fn restore(&self, _: &Restore) -> Result<Restored> {
        none()
    }

    async fn confirm(&self, _: RunId, _: &Positions) -> Result<Option<Positions>> {
        none()
    }

    async fn trim(&self, _: RunId, _: &Positions) -> Result<Option<Positions>> {
        none()
    }
}

#[async_trait]
impl HotLogs for NoHot {
    async fn lines(&self, _: RunId, _: Range<u64>) -> Result<Option<LineSlice>> {
        none()
    }
}

#[async_trait]
impl HotSamples for NoHot {
    async fn window(&self, _: RunId, _: u32, _: Range<u64>) -> Result<Option<Series>> {
        none()
    }
}

#[async_trait]
impl HotDevices for NoHot {
    async fn announce(&self, _: &DeviceSeen, _: Duration) -> Result<Announced> {
        none()
    }

    async fn withdraw(&self, _: &DeviceId, _: &str) -> Result<bool> {
        none()
    }

    async fn active(&self) -> Result<Vec<ActiveDevice>> {
        none()
    }

    async fn active_device(&self, _: &DeviceId) -> Result<Option<ActiveDevice>> {
        none()
    }
}

#[async_trait]
impl HotWatch for NoHot {
    fn watch(&self, _: RunId) -> RunWakes {
        Box::pin(stream::empty())
    }

    fn wakes(&self) -> Wakes {
        Box::pin(stream::empty())
    }

    async fn health(&self) -> Result<Health> {
        none()
    }
}

#[async_trait]
impl HotScan for NoHot {
    async fn scan(&self, _: Option<&str>, _: usize) -> Result<ScannedRuns> {
        none()
    }
}
