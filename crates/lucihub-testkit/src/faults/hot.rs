//! A hot store whose operations fail when a plan says so.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::{
    ActiveDevice, Announced, Answer, Attached, Cancelled, DeviceSeen, Durability, Health, HotAppend, HotAttachment,
    HotAttachments, HotDevices, HotEvents, HotLogs, HotRun, HotRuns, HotSamples, HotScan, HotStore, HotWatch,
    LineSlice, Opened, Removed, Renewed, Restore, Restored, RunWakes, ScannedRuns, Secured, SmallAttachment, TakeOver,
    TookOver, Wakes,
};
use lucihub_models_core::{
    AttachmentName, Batch, DeviceId, Positions, Result, RunHead, RunId, Series, StoreEvent, WriterMark,
};

use super::FaultPlan;

type Answering = Box<dyn Fn(&Batch, Answer) -> Answer + Send + Sync>;

/// A hot store that fails by plan. Making a watch never fails and is not
/// counted: a wake-up promises nothing anyway.
pub struct FaultyHot<S: ?Sized> {
    plan: FaultPlan,
    answering: Option<Answering>,
    inner: Arc<S>,
}

impl<S: ?Sized> FaultyHot<S> {
    /// Wraps a store; `S` may be `dyn HotStore`.
    #[must_use]
    pub const fn new(inner: Arc<S>, plan: FaultPlan) -> Self {
        Self { plan, answering: None, inner }
    }

    /// Gives appends other answers: those that a store under test gives only by chance, such as one that was overtaken.
    #[must_use]
    pub fn with_answers(mut self, answering: impl Fn(&Batch, Answer) -> Answer + Send + Sync + 'static) -> Self {
        self.answering = Some(Box::new(answering));
        self
    }
}

impl<S: ?Sized> fmt::Debug for FaultyHot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyHot").field("plan", &self.plan).finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: HotStore + ?Sized> HotRuns for FaultyHot<S> {
    async fn open(&self, head: &RunHead) -> Result<Opened> {
        self.plan.write("hot.open", self.inner.open(head)).await
    }

    async fn get(&self, run: RunId) -> Result<Option<HotRun>> {
        self.plan.read("hot.get", self.inner.get(run)).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<TookOver> {
        self.plan.write("hot.take_over", self.inner.take_over(request)).await
    }

    async fn renew(&self, run: RunId, mark: WriterMark, lease: Duration) -> Result<Renewed> {
        self.plan.write("hot.renew", self.inner.renew(run, mark, lease)).await
    }

    async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled> {
        self.plan.write("hot.cancel", self.inner.cancel(run, reason)).await
    }

    async fn expire(&self, run: RunId, after: Duration) -> Result<bool> {
        self.plan.write("hot.expire", self.inner.expire(run, after)).await
    }

    async fn remove(&self, run: RunId, force: bool, tombstone: Duration) -> Result<Removed> {
        self.plan.write("hot.remove", self.inner.remove(run, force, tombstone)).await
    }
}

#[async_trait]
impl<S: HotStore + ?Sized> HotAppend for FaultyHot<S> {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        let answer = self.plan.write("hot.append", self.inner.append(batch)).await?;
        Ok(match &self.answering {
            Some(answering) => answering(batch, answer),
            None => answer,
        })
    }

    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured> {
        self.plan.read("hot.secure", self.inner.secure(run, mark, seq, durability)).await
    }

    async fn restore(&self, restore: &Restore) -> Result<Restored> {
        self.plan.write("hot.restore", self.inner.restore(restore)).await
    }

    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>> {
        self.plan.write("hot.confirm", self.inner.confirm(run, safe)).await
    }

    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>> {
        self.plan.write("hot.trim", self.inner.trim(run, below)).await
    }
}

#[async_trait]
impl<S: HotStore + ?Sized> HotLogs for FaultyHot<S> {
    async fn lines(&self, run: RunId, range: Range<u64>) -> Result<Option<LineSlice>> {
        self.plan.read("hot.lines", self.inner.lines(run, range)).await
    }
}

#[async_trait]
impl<S: HotStore + ?Sized> HotSamples for FaultyHot<S> {
    async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Option<Series>> {
        self.plan.read("hot.window", self.inner.window(run, channel, range)).await
    }
}

#[async_trait]
impl<S: HotStore + ?Sized> HotAttachments for FaultyHot<S> {
    async fn open_with(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
        self.plan.write("hot.open_with", self.inner.open_with(head, attachments)).await
    }

    async fn put_attachment(
        &self,
        run: RunId,
        by: Option<WriterMark>,
        attachment: &SmallAttachment,
    ) -> Result<Attached> {
        self.plan.write("hot.put_attachment", self.inner.put_attachment(run, by, attachment)).await
    }

    async fn attachment(&self, run: RunId, name: &AttachmentName) -> Result<Option<(HotAttachment, Arc<[u8]>)>> {
        self.plan.read("hot.attachment", self.inner.attachment(run, name)).await
    }

    async fn attachments(&self, run: RunId) -> Result<Option<Vec<HotAttachment>>> {
        self.plan.read("hot.attachments", self.inner.attachments(run)).await
    }

    async fn delete_attachment(&self, run: RunId, name: &AttachmentName) -> Result<bool> {
        self.plan.write("hot.delete_attachment", self.inner.delete_attachment(run, name)).await
    }
}

#[async_trait]
impl<S: HotStore + ?Sized> HotEvents for FaultyHot<S> {
    async fn note(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        self.plan.write("hot.note", self.inner.note(run, events)).await
    }

    async fn events(&self, run: RunId) -> Result<Option<Vec<StoreEvent>>> {
        self.plan.read("hot.events", self.inner.events(run)).await
    }
}

#[async_trait]
impl<S: HotStore + ?Sized> HotDevices for FaultyHot<S> {
    async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced> {
        self.plan.write("hot.announce", self.inner.announce(seen, lease)).await
    }

    async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool> {
        self.plan.write("hot.withdraw", self.inner.withdraw(device, scanner)).await
    }

    async fn active(&self) -> Result<Vec<ActiveDevice>> {
        self.plan.read("hot.active", self.inner.active()).await
    }

    async fn active_device(&self, device: &DeviceId) -> Result<Option<ActiveDevice>> {
        self.plan.read("hot.active_device", self.inner.active_device(device)).await
    }
}

#[async_trait]
impl<S: HotStore + ?Sized> HotWatch for FaultyHot<S> {
    fn watch(&self, run: RunId) -> RunWakes {
        self.inner.watch(run)
    }

    fn wakes(&self) -> Wakes {
        self.inner.wakes()
    }

    async fn health(&self) -> Result<Health> {
        self.plan.read("hot.health", self.inner.health()).await
    }
}

#[async_trait]
impl<S: HotStore + ?Sized> HotScan for FaultyHot<S> {
    async fn scan(&self, after: Option<&str>, about: usize) -> Result<ScannedRuns> {
        self.plan.read("hot.scan", self.inner.scan(after, about)).await
    }
}
