//! Hot storage as a client of the simulation reaches it. What each call did is noted where it meets the store.

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
    AttachmentName, Batch, DeviceId, Positions, Result, RunHead, RunId, Series, StoreError, StoreEvent, WriterMark,
};

use super::client::{Client, Kind, Side};
use super::truth::at_words as words;
use super::world::World;
use crate::ledger::{Said, What};

/// A client's way to hot storage.
pub(crate) struct SimHot {
    client: Arc<Client>,
}

impl SimHot {
    pub(crate) const fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    fn world(&self) -> &World {
        &self.client.world
    }

    fn store(&self) -> &dyn HotStore {
        &*self.client.world.hot
    }

    async fn read<T: Send>(
        &self,
        name: &'static str,
        run: Option<RunId>,
        operation: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        self.client.call((Side::Hot, Kind::Read, name), run, operation).await
    }

    async fn write<T: Send>(
        &self,
        name: &'static str,
        run: Option<RunId>,
        operation: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let full = async {
            let result = operation.await;
            if matches!(result, Err(StoreError::Full { .. })) {
                self.world().weather.count("full");
            }
            result
        };
        self.client.call((Side::Hot, Kind::Write, name), run, full).await
    }

    /// A worker hears what is confirmed.
    fn heard(&self, run: RunId, confirmed: &Positions) {
        self.world().enter_line(run, self.client.no, What::Confirmed(confirmed.clone()));
    }
}

#[async_trait]
impl HotRuns for SimHot {
    async fn open(&self, head: &RunHead) -> Result<Opened> {
        self.open_with(head, &[]).await
    }

    async fn get(&self, run: RunId) -> Result<Option<HotRun>> {
        let look = async {
            let found = self.store().get(run).await?;
            self.world().looked(run, found.as_ref()).await;
            self.world().about(|| {
                found.as_ref().map_or_else(String::new, |hot| {
                    format!("{}; base {}; confirmed {}", words(&hot.next), words(&hot.base), words(&hot.confirmed))
                })
            });
            Ok(found)
        };
        self.read("hot.get", Some(run), look).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<TookOver> {
        let take = async {
            let took = self.store().take_over(request).await?;
            if let TookOver::Taken(taken) = &took {
                self.world().placed(request.run, Some(taken.mark)).await;
            }
            Ok(took)
        };
        self.write("hot.take_over", Some(request.run), take).await
    }

    async fn renew(&self, run: RunId, mark: WriterMark, lease: Duration) -> Result<Renewed> {
        let renewed = self.write("hot.renew", Some(run), self.store().renew(run, mark, lease)).await?;
        if let Renewed::Until { confirmed, .. } = &renewed {
            self.heard(run, confirmed);
        }
        Ok(renewed)
    }

    async fn cancel(&self, run: RunId, reason: Option<&str>) -> Result<Cancelled> {
        let cancel = async {
            let cancelled = self.store().cancel(run, reason).await?;
            self.world().moved(run).await;
            Ok(cancelled)
        };
        self.write("hot.cancel", Some(run), cancel).await
    }

    async fn expire(&self, run: RunId, after: Duration) -> Result<bool> {
        let expire = async {
            let expires = self.store().expire(run, after).await?;
            if expires {
                self.world().expiring(run).await;
            }
            Ok(expires)
        };
        self.write("hot.expire", Some(run), expire).await
    }

    async fn remove(&self, run: RunId, force: bool, tombstone: Duration) -> Result<Removed> {
        let remove = async {
            let removed = self.store().remove(run, force, tombstone).await?;
            if removed == Removed::Removed {
                self.world().removed(run);
            }
            Ok(removed)
        };
        self.write("hot.remove", Some(run), remove).await
    }
}

#[async_trait]
impl HotAppend for SimHot {
    async fn append(&self, batch: &Batch) -> Result<Answer> {
        let sent = self.world().ledger(crate::ledger::Ledger::len);
        let append = async {
            let answer = self.store().append(batch).await?;
            if answer.outcome == Outcome::Full {
                self.world().weather.count("full");
            }
            self.world().appended(self.client.no, batch, &answer).await;
            Ok(answer)
        };
        let answer = self.write("hot.append", Some(batch.run()), append).await;
        let what = What::Append { batch: batch.clone(), sent, said: Said::of(&answer) };
        self.world().enter_line(batch.run(), self.client.no, what);
        answer
    }

    async fn secure(&self, run: RunId, mark: WriterMark, seq: u64, durability: Durability) -> Result<Secured> {
        self.read("hot.secure", Some(run), self.store().secure(run, mark, seq, durability)).await
    }

    async fn restore(&self, restore: &Restore) -> Result<Restored> {
        let run = restore.head.id;
        let put_back = async {
            let restored = self.store().restore(restore).await?;
            if restored == Restored::Restored {
                self.world().weather.count("restored");
                if self.world().is_keeper(self.client.no) {
                    self.world().rescued(run);
                }
                self.world().placed(run, Some(restore.mark)).await;
            }
            self.world().about(|| format!("{restored:?} {}; {}", words(&restore.confirmed), words(&restore.next)));
            Ok(restored)
        };
        self.write("hot.restore", Some(run), put_back).await
    }

    async fn confirm(&self, run: RunId, safe: &Positions) -> Result<Option<Positions>> {
        let confirm = async {
            let confirmed = self.store().confirm(run, safe).await?;
            if let Some(confirmed) = &confirmed {
                self.world().confirmed(run, confirmed).await;
                self.world().about(|| format!("{}: {}", words(safe), words(confirmed)));
            }
            Ok(confirmed)
        };
        self.write("hot.confirm", Some(run), confirm).await
    }

    async fn trim(&self, run: RunId, below: &Positions) -> Result<Option<Positions>> {
        self.write("hot.trim", Some(run), self.store().trim(run, below)).await
    }
}

#[async_trait]
impl HotLogs for SimHot {
    async fn lines(&self, run: RunId, range: Range<u64>) -> Result<Option<LineSlice>> {
        self.read("hot.lines", Some(run), self.store().lines(run, range)).await
    }
}

#[async_trait]
impl HotSamples for SimHot {
    async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Option<Series>> {
        self.read("hot.window", Some(run), self.store().window(run, channel, range)).await
    }
}

#[async_trait]
impl HotAttachments for SimHot {
    async fn open_with(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
        let open = async {
            let opened = self.store().open_with(head, attachments).await?;
            if opened == Opened::Created {
                self.world().placed(head.id, None).await;
            }
            Ok(opened)
        };
        self.write("hot.open", Some(head.id), open).await
    }

    async fn put_attachment(
        &self,
        run: RunId,
        by: Option<WriterMark>,
        attachment: &SmallAttachment,
    ) -> Result<Attached> {
        self.write("hot.put_attachment", Some(run), self.store().put_attachment(run, by, attachment)).await
    }

    async fn attachment(&self, run: RunId, name: &AttachmentName) -> Result<Option<(HotAttachment, Arc<[u8]>)>> {
        self.read("hot.attachment", Some(run), self.store().attachment(run, name)).await
    }

    async fn attachments(&self, run: RunId) -> Result<Option<Vec<HotAttachment>>> {
        self.read("hot.attachments", Some(run), self.store().attachments(run)).await
    }

    async fn delete_attachment(&self, run: RunId, name: &AttachmentName) -> Result<bool> {
        self.write("hot.delete_attachment", Some(run), self.store().delete_attachment(run, name)).await
    }
}

#[async_trait]
impl HotEvents for SimHot {
    async fn note(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
        self.write("hot.note", Some(run), self.store().note(run, events)).await
    }

    async fn events(&self, run: RunId) -> Result<Option<Vec<StoreEvent>>> {
        self.read("hot.events", Some(run), self.store().events(run)).await
    }
}

#[async_trait]
impl HotDevices for SimHot {
    async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced> {
        self.write("hot.announce", None, self.store().announce(seen, lease)).await
    }

    async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool> {
        self.write("hot.withdraw", None, self.store().withdraw(device, scanner)).await
    }

    async fn active(&self) -> Result<Vec<ActiveDevice>> {
        self.read("hot.active", None, self.store().active()).await
    }

    async fn active_device(&self, device: &DeviceId) -> Result<Option<ActiveDevice>> {
        self.read("hot.active_device", None, self.store().active_device(device)).await
    }
}

#[async_trait]
impl HotWatch for SimHot {
    fn watch(&self, run: RunId) -> RunWakes {
        self.store().watch(run)
    }

    fn wakes(&self) -> Wakes {
        self.store().wakes()
    }

    async fn health(&self) -> Result<Health> {
        self.read("hot.health", None, self.store().health()).await
    }
}

#[async_trait]
impl HotScan for SimHot {
    async fn scan(&self, after: Option<&str>, about: usize) -> Result<ScannedRuns> {
        self.read("hot.scan", None, self.store().scan(after, about)).await
    }
}
