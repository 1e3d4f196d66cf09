//! The ports of hot storage that a wrapper hands on as they are.

/// Implements all ports of hot storage but `HotRuns` and `HotAppend` for a wrapper, by its field `inner`.
macro_rules! forwards_the_rest {
    ($wrapper:ty) => {
        const _: () = {
            use std::ops::Range;
            use std::sync::Arc;
            use std::time::Duration;

            use async_trait::async_trait;
            use lucihub_models_core::hot::{
                ActiveDevice, Announced, Attached, DeviceSeen, Health, HotAttachment, HotAttachments, HotDevices,
                HotEvents, HotLogs, HotSamples, HotScan, HotWatch, LineSlice, Opened, RunWakes, ScannedRuns,
                SmallAttachment, Wakes,
            };
            use lucihub_models_core::{
                AttachmentName, DeviceId, Result, RunHead, RunId, Series, StoreEvent, WriterMark,
            };

            #[async_trait]
            impl HotLogs for $wrapper {
                async fn lines(&self, run: RunId, range: Range<u64>) -> Result<Option<LineSlice>> {
                    self.inner.lines(run, range).await
                }
            }

            #[async_trait]
            impl HotSamples for $wrapper {
                async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Option<Series>> {
                    self.inner.window(run, channel, range).await
                }
            }

            #[async_trait]
            impl HotAttachments for $wrapper {
                async fn open_with(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
                    self.inner.open_with(head, attachments).await
                }

                async fn put_attachment(
                    &self,
                    run: RunId,
                    by: Option<WriterMark>,
                    attachment: &SmallAttachment,
                ) -> Result<Attached> {
                    self.inner.put_attachment(run, by, attachment).await
                }

                async fn attachment(
                    &self,
                    run: RunId,
                    name: &AttachmentName,
                ) -> Result<Option<(HotAttachment, Arc<[u8]>)>> {
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
            impl HotEvents for $wrapper {
                async fn note(&self, run: RunId, events: &[StoreEvent]) -> Result<bool> {
                    self.inner.note(run, events).await
                }

                async fn events(&self, run: RunId) -> Result<Option<Vec<StoreEvent>>> {
                    self.inner.events(run).await
                }
            }

            #[async_trait]
            impl HotDevices for $wrapper {
                async fn announce(&self, seen: &DeviceSeen, lease: Duration) -> Result<Announced> {
                    self.inner.announce(seen, lease).await
                }

                async fn withdraw(&self, device: &DeviceId, scanner: &str) -> Result<bool> {
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
            impl HotWatch for $wrapper {
                fn watch(&self, run: RunId) -> RunWakes {
                    self.inner.watch(run)
                }

                fn wakes(&self) -> Wakes {
                    self.inner.wakes()
                }

                async fn health(&self) -> Result<Health> {
                    self.inner.health().await
                }
            }

            #[async_trait]
            impl HotScan for $wrapper {
                async fn scan(&self, after: Option<&str>, about: usize) -> Result<ScannedRuns> {
                    self.inner.scan(after, about).await
                }
            }
        };
    };
}
