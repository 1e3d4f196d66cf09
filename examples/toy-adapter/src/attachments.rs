//! Small attachments: they live in their run.

use std::sync::Arc;

use async_trait::async_trait;
use lucihub_models_core::hot::{Attached, HotAttachment, HotAttachments, Opened, Seal, SmallAttachment};
use lucihub_models_core::{AttachmentName, Result, RunHead, RunId, StoreError, WriterMark};

use crate::Toy;
use crate::run::Run;

#[async_trait]
impl HotAttachments for Toy {
    async fn open_with(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
        let opened = self.locked(|state, now| {
            if state.tombstones.contains_key(&head.id) {
                return Ok(Opened::Deleted);
            }
            if state.runs.contains_key(&head.id) {
                return Ok(Opened::Existing);
            }
            head.check_new(&self.limits)?;
            attachments.iter().try_for_each(|small| small.check(&self.limits))?;
            let bytes = attachments.iter().map(|small| small.bytes.len() as u64).sum();
            HotAttachment::check_sum(attachments.len(), bytes, &self.limits)?;
            let mut run = Run::new(head.clone(), now);
            for small in attachments {
                run.attach(HotAttachment { info: small.info(now), by_worker: false }, small.bytes.clone());
            }
            state.runs.insert(head.id, run);
            Ok(Opened::Created)
        });
        if matches!(opened, Ok(Opened::Created)) {
            self.wake_keepers(head.id);
        }
        opened
    }

    async fn put_attachment(
        &self,
        run: RunId,
        by: Option<WriterMark>,
        attachment: &SmallAttachment,
    ) -> Result<Attached> {
        attachment.check(&self.limits)?;
        self.locked(|state, now| {
            if state.tombstones.contains_key(&run) {
                return Ok(Attached::Sealed(Seal::Deleted));
            }
            let used = state.used_bytes();
            let Some(run) = state.runs.get_mut(&run) else { return Ok(Attached::NoRun) };
            if by.is_some() && by != run.mark() {
                return Ok(Attached::Fenced);
            }
            if let Some(seal) = &run.hot.seal {
                return Ok(Attached::Sealed(seal.clone()));
            }
            let put = HotAttachment { info: attachment.info(now), by_worker: by.is_some() };
            match run.attachments.get(&put.info.name) {
                Some((before, _)) if before.by_worker && by.is_none() => return Ok(Attached::ByWorker),
                Some((before, _)) if before.by_worker == put.by_worker && before.info.is_like(&put.info) => {
                    return Ok(Attached::Put(before.info.clone()));
                }
                _ => {}
            }
            HotAttachment::check_room(run.attachments.values().map(|(known, _)| known), attachment, &self.limits)?;
            if self.max_bytes.is_some_and(|max| used + put.info.size > max) {
                return Err(StoreError::Full { store: "the toy".into(), why: "raise max_bytes".into() });
            }
            let info = put.info.clone();
            run.attach(put, attachment.bytes.clone());
            Ok(Attached::Put(info))
        })
    }

    async fn attachment(&self, run: RunId, name: &AttachmentName) -> Result<Option<(HotAttachment, Arc<[u8]>)>> {
        Ok(self.locked(|state, _| state.runs.get(&run)?.attachments.get(name).cloned()))
    }

    async fn attachments(&self, run: RunId) -> Result<Option<Vec<HotAttachment>>> {
        Ok(self.locked(|state, _| {
            Some(state.runs.get(&run)?.attachments.values().map(|(known, _)| known.clone()).collect())
        }))
    }

    async fn delete_attachment(&self, run: RunId, name: &AttachmentName) -> Result<bool> {
        Ok(self.locked(|state, _| {
            let Some(run) = state.runs.get_mut(&run) else { return false };
            if run.attachments.get(name).is_none_or(|(known, _)| known.by_worker) {
                return false;
            }
            let left = run.attachments.remove(name);
            run.bytes -= left.map_or(0, |(_, bytes)| bytes.len() as u64);
            true
        }))
    }
}
