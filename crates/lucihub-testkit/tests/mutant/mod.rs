//! A reference store with one defect, for a suite that must notice it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lucihub_models_core::hot::{
    ActiveDevice, Announced, Answer, Attached, Cancelled, DeviceSeen, Durability, Health, HotAppend, HotAttachment,
    HotAttachments, HotDevices, HotEvents, HotLogs, HotRun, HotRuns, HotSamples, HotScan, HotStore, HotWatch,
    LineSlice, Opened, Outcome, Removed, Renewed, Restore, Restored, RunWakes, ScannedRuns, Secured, SmallAttachment,
    TakeOver, TookOver, Wakes,
};
use lucihub_models_core::{
    AttachmentName, Batch, DeviceId, Limits, LogLine, Positions, Result, RunHead, RunId, Series, StoreEvent, WriterMark,
};
use lucihub_testkit::reference::hot::ReferenceHot;
use lucihub_testkit::{HotHarness, ManualClock};

/// What is wrong with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Nothing: the suite must pass.
    None,
    /// A batch under another mark is applied as if it were the writer's.
    NoFence,
    /// Only the first part of a scan is given.
    ShortScan,
    /// A repeat is answered with `Behind`, as by a plain counter.
    NoRepeats,
    /// The terminal batch is answered as applied, and the run goes on.
    NoSeal,
    /// Whatever is asked for is said to be safe.
    BlindlySecure,
    /// A refused batch leaves its lines behind.
    TornReject,
    /// Windows are not clipped below.
    WindowFromZero,
    /// NaN becomes the one NaN that everyone knows.
    PlainNan,
    /// A line is split where a text editor would.
    SplitLines,
    /// Every positions count as confirmed when something is trimmed.
    EagerTrim,
    /// Sealed runs leave at once.
    EarlyExpiry,
    /// A removal leaves no tombstone.
    NoTombstone,
    /// A lease never ends.
    EternalLease,
    /// Any scanner withdraws any device.
    AnyoneWithdraws,
    /// Nobody is ever woken.
    Asleep,
    /// A restore pretends that nothing was lost.
    HidesLoss,
    /// Attachments are anybody's.
    NoOwner,
}

/// The store and its harness in one.
pub(crate) struct Mutant {
    clock: Arc<ManualClock>,
    inner: Arc<ReferenceHot>,
    defect: Defect,
}

pub(crate) async fn mutant(defect: Defect) -> Arc<dyn HotHarness> {
    let clock = Arc::new(ManualClock::new());
    let inner = Arc::new(ReferenceHot::new(Arc::clone(&clock) as _, Limits::default()));
    Arc::new(Mutant { clock, inner, defect })
}

impl Mutant {
    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }
}

#[async_trait]
impl HotHarness for Mutant {
    fn store(&self) -> Arc<dyn HotStore> {
        let Self { clock, inner, defect } = self;
        Arc::new(Self { clock: Arc::clone(clock), inner: Arc::clone(inner), defect: *defect })
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn lose(&self, run: RunId) -> bool {
        self.inner.lose(run)
    }

    async fn small(&self, _: u64) -> Option<Arc<dyn HotStore>> {
        None
    }
}

#[async_trait]
impl HotAttachments for Mutant {
    async fn open_with(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
        self.inner.open_with(head, attachments).await
    }

    async fn put_attachment(
        &self,
        run: RunId,
        by: Option<WriterMark>,
        attachment: &SmallAttachment,
    ) -> Result<Attached> {
        let by = if self.has(Defect::NoOwner) { None } else { by };
        self.inner.put_attachment(run, by, attachment).await
    }

    async fn attachment(&self, run: RunId, name: &AttachmentName) -> Result<Option<(HotAttachment, Arc<[u8]>)>> {
        self.inner.attachment(run, name).await
    }

    async fn attachments(&self, run: RunId) -> Result<Option<Vec<HotAttachment>>> {
        self.inner.attachments(run).await
    }

    async fn delete_attachment(&self, run: RunId, name: &AttachmentName) -> Result<bool> {
        self.inner.delete_attachment(run, name).await
    }
}

#[async_trait]
impl HotEvents for Mutant {
    async fn note(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        self.inner.note(run, events).await
    }

    async fn events(&self, run: RunId) -> Result<Option<Vec<StoreEvent>>> {
        self.inner.events(run).await
    }
}

#[async_trait]
impl HotAppend for Mutant {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        let answer = self.inner.append(batch).await?;
        let run = self.inner.get(batch.run()).await?;
        let mark = run.as_ref().and_then(|run| run.lease.as_ref()).map(|lease| lease.mark);
        match (&answer.outcome, mark, self.defect) {
            (Outcome::Fenced, Some(mark), Defect::NoFence) => {
                let mine = Batch::new(batch.run(), mark, batch.seq(), batch.body().clone());
                self.inner.append(&mine).await
            }
            (Outcome::Duplicate, _, Defect::NoRepeats) => {
                Ok(Answer { outcome: Outcome::Behind(run.map_or(0, |run| run.last_seq)), ..answer })
            }
            (Outcome::Sealed(_), _, Defect::NoSeal) => Ok(Answer { outcome: Outcome::Applied, ..answer }),
            (Outcome::Rejected(_), Some(mark), Defect::TornReject) => {
                let lines = Arc::clone(&batch.body().lines);
                let part = lucihub_models_core::BatchBody { lines, ..Default::default() };
                self.inner.append(&Batch::new(batch.run(), mark, batch.seq(), part)).await?;
                Ok(answer)
            }
            _ => Ok(answer),
        }
    }

    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured> {
        if self.has(Defect::BlindlySecure) {
            return Ok(Secured::Secured);
        }
        self.inner.secure(run, mark, seq, durability).await
    }

    async fn restore(&self, restore: &Restore) -> Result<Restored> {
        let mut restore = restore.clone();
        if self.has(Defect::HidesLoss) {
            restore.confirmed = restore.next.clone();
        }
        self.inner.restore(&restore).await
    }

    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>> {
        self.inner.confirm(run, safe).await
    }

    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>> {
        if self.has(Defect::EagerTrim) {
            self.inner.confirm(run, below).await?;
        }
        self.inner.trim(run, below).await
    }
}

#[async_trait]
impl HotRuns for Mutant {
    async fn open(&self, head: &RunHead) -> Result<Opened> {
        self.inner.open(head).await
    }

    async fn get(&self, run: RunId) -> Result<Option<HotRun>> {
        self.inner.get(run).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<TookOver> {
        let mut request = request.clone();
        if self.has(Defect::EternalLease) {
            request.lease *= 1_000_000;
        }
        self.inner.take_over(&request).await
    }

    async fn renew(&self, run: RunId, mark: WriterMark, lease: Duration) -> Result<Renewed> {
        self.inner.renew(run, mark, lease).await
    }

    async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled> {
        self.inner.cancel(run, reason).await
    }

    async fn expire(&self, run: RunId, after: Duration) -> Result<bool> {
        let after = if self.has(Defect::EarlyExpiry) { Duration::ZERO } else { after };
        self.inner.expire(run, after).await
    }

    async fn remove(&self, run: RunId, force: bool, tombstone: Duration) -> Result<Removed> {
        let tombstone = if self.has(Defect::NoTombstone) { Duration::ZERO } else { tombstone };
        self.inner.remove(run, force, tombstone).await
    }
}

#[async_trait]
impl HotLogs for Mutant {
    async fn lines(&self, run: RunId, range: Range<u64>) -> Result<Option<LineSlice>> {
        let mut read = self.inner.lines(run, range).await?;
        if let Some(read) = read.as_mut().filter(|_| self.has(Defect::SplitLines)) {
            let parts = read.lines.iter().flat_map(|line| line.text.split('\n').map(str::to_owned));
            read.lines = parts.map(LogLine::from).collect();
        }
        Ok(read)
    }
}

#[async_trait]
impl HotSamples for Mutant {
    async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Option<Series>> {
        let range = if self.has(Defect::WindowFromZero) { 0..range.end } else { range };
        let mut read = self.inner.window(run, channel, range).await?;
        if let Some(series) = read.as_mut().filter(|_| self.has(Defect::PlainNan)) {
            series.values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = f64::NAN);
        }
        Ok(read)
    }
}

#[async_trait]
impl HotDevices for Mutant {
    async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced> {
        self.inner.announce(seen, lease).await
    }

    async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool> {
        let holder = self.inner.active_device(device).await?.map(|active| active.seen.scanner);
        let scanner = holder.as_deref().filter(|_| self.has(Defect::AnyoneWithdraws)).unwrap_or(scanner);
        self.inner.withdraw(device, scanner).await
    }

    async fn active(&self) -> Result<Vec<ActiveDevice>> {
        self.inner.active().await
    }

    async fn active_device(&self, device: &DeviceId) -> Result<Option<ActiveDevice>> {
        self.inner.active_device(device).await
    }
}

#[async_trait]
impl HotWatch for Mutant {
    fn watch(&self, run: RunId) -> RunWakes {
        if self.has(Defect::Asleep) { Box::pin(tokio_stream::empty()) } else { self.inner.watch(run) }
    }

    fn wakes(&self) -> Wakes {
        self.inner.wakes()
    }

    async fn health(&self) -> Result<Health> {
        self.inner.health().await
    }
}

#[async_trait]
impl HotScan for Mutant {
    async fn scan(&self, after: Option<&str>, about: usize) -> Result<ScannedRuns> {
        let part = self.inner.scan(after, about).await?;
        Ok(if self.has(Defect::ShortScan) { ScannedRuns { next: None, ..part } } else { part })
    }
}
