//! Small attachments.

use std::sync::Arc;

use async_trait::async_trait;
use lucihub_models_core::hot::{Attached, HotAttachment, HotAttachments, Opened, Seal, SmallAttachment};
use lucihub_models_core::{AttachmentName, Result, RunHead, RunId, StoreError, WriterMark};

use super::ReferenceHot;
use super::run::Kept;

/// The sums of what a run has, as the law limits them.
fn room(all: &[(String, usize)], count: usize, bytes: usize) -> Result<()> {
    let sum: usize = all.iter().map(|(_, size)| size).sum();
    if all.len() <= count && sum <= bytes {
        return Ok(());
    }
    Err(StoreError::Full { store: "the reference store".into(), why: "too many attachments".into() })
}

#[async_trait]
impl HotAttachments for ReferenceHot {
    async fn open_with(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
        let mut inner = self.lock();
        if inner.tombstone(head.id).is_some() {
            return Ok(Opened::Deleted);
        }
        if inner.runs.contains_key(&head.id) {
            return Ok(Opened::Existing);
        }
        head.check_new(&self.limits)?;
        let now = self.clock.now();
        let mut kept = Kept::new(head.clone(), now);
        for small in attachments {
            small.check(&self.limits)?;
            let known = HotAttachment { info: small.info(now), by_worker: false };
            kept.attachments.insert(small.attachment.name.clone(), (known, small.bytes.clone()));
        }
        let sizes: Vec<_> = kept.attachments.iter().map(|(name, (_, b))| (name.to_string(), b.len())).collect();
        room(&sizes, self.limits.attachments, self.limits.hot_attachments_bytes)?;
        inner.runs.insert(head.id, kept);
        self.needs_attention(head.id);
        Ok(Opened::Created)
    }

    async fn put_attachment(
        &self,
        run: RunId,
        by: Option<WriterMark>,
        attachment: &SmallAttachment,
    ) -> Result<Attached> {
        attachment.check(&self.limits)?;
        let mut inner = self.lock();
        if inner.tombstone(run).is_some() {
            return Ok(Attached::Sealed(Seal::Deleted));
        }
        let used = inner.used();
        let Some(kept) = inner.runs.get_mut(&run) else { return Ok(Attached::NoRun) };
        if by.is_some() && by != kept.mark() {
            return Ok(Attached::Fenced);
        }
        if let Some(seal) = &kept.seal {
            return Ok(Attached::Sealed(seal.clone()));
        }
        let name = &attachment.attachment.name;
        let put = HotAttachment { info: attachment.info(self.clock.now()), by_worker: by.is_some() };
        if let Some((before, _)) = kept.attachments.get(name) {
            if before.by_worker && !put.by_worker {
                return Ok(Attached::ByWorker);
            }
            if before.by_worker == put.by_worker && before.info.is_like(&put.info) {
                return Ok(Attached::Put(before.info.clone()));
            }
        }
        let others = kept.attachments.iter().filter(|(other, _)| *other != name);
        let mut sizes: Vec<_> = others.map(|(other, (_, bytes))| (other.to_string(), bytes.len())).collect();
        sizes.push((name.to_string(), attachment.bytes.len()));
        room(&sizes, self.limits.attachments, self.limits.hot_attachments_bytes)?;
        if self.max_bytes.is_some_and(|max| used + attachment.bytes.len() as u64 > max) {
            return Err(StoreError::Full { store: "the reference store".into(), why: "no room".into() });
        }
        kept.attachments.insert(name.clone(), (put.clone(), attachment.bytes.clone()));
        Ok(Attached::Put(put.info))
    }

    async fn attachment(&self, run: RunId, name: &AttachmentName) -> Result<Option<(HotAttachment, Arc<[u8]>)>> {
        Ok(self.lock().runs.get(&run).and_then(|kept| kept.attachments.get(name).cloned()))
    }

    async fn attachments(&self, run: RunId) -> Result<Option<Vec<HotAttachment>>> {
        let inner = self.lock();
        Ok(inner.runs.get(&run).map(|kept| kept.attachments.values().map(|(known, _)| known.clone()).collect()))
    }

    async fn delete_attachment(&self, run: RunId, name: &AttachmentName) -> Result<bool> {
        let mut inner = self.lock();
        let Some(kept) = inner.runs.get_mut(&run) else { return Ok(false) };
        let peoples = kept.attachments.get(name).is_some_and(|(known, _)| !known.by_worker);
        Ok(peoples && kept.attachments.remove(name).is_some())
    }
}
