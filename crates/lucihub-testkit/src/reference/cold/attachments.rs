//! Attachments.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use lucihub_models_core::cold::ColdAttachments;
use lucihub_models_core::{
    Attachment, AttachmentInfo, AttachmentName, ByteStream, Digest, Invalid, NewAttachment, Result, RunId, StoreError,
    Subject, whole,
};

use super::{ReferenceCold, Tables};

/// How many bytes one part of an answer has.
const PART: usize = 100_000;

#[async_trait]
impl ColdAttachments for ReferenceCold {
    async fn put_attachment(
        &self,
        subject: &Subject,
        attachment: &NewAttachment,
        bytes: ByteStream,
    ) -> Result<AttachmentInfo> {
        self.put(subject, attachment, bytes, self.limits.attachments).await
    }

    async fn checkpoint_attachment(&self, run: RunId, attachment: &NewAttachment, bytes: Vec<u8>) -> Result<bool> {
        attachment.check(&self.limits)?;
        if self.tables().run(run)?.archived.is_some() {
            return Ok(false);
        }
        self.put(&Subject::Run(run), attachment, whole(bytes), usize::MAX).await.map(|_| true)
    }

    async fn attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<Option<Attachment>> {
        let found = self.tables().attachments.get(&(subject.clone(), name.clone())).cloned();
        Ok(found.map(|(info, bytes)| {
            let parts: Vec<Result<Vec<u8>>> = bytes.chunks(PART).map(|part| Ok(part.to_vec())).collect();
            Attachment { info, bytes: Box::pin(stream::iter(parts)) }
        }))
    }

    async fn attachments(&self, subject: &Subject) -> Result<Vec<AttachmentInfo>> {
        let tables = self.tables();
        let all = tables.attachments.iter().filter(|((on, _), _)| on == subject);
        Ok(all.map(|(_, (info, _))| info.clone()).collect())
    }

    async fn delete_attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<bool> {
        Ok(self.tables().attachments.remove(&(subject.clone(), name.clone())).is_some())
    }
}

impl ReferenceCold {
    async fn put(
        &self,
        subject: &Subject,
        attachment: &NewAttachment,
        mut bytes: ByteStream,
        most: usize,
    ) -> Result<AttachmentInfo> {
        attachment.check(&self.limits)?;
        self.tables().takes(subject, &attachment.name, most)?;
        let mut all = Vec::new();
        while let Some(part) = bytes.next().await {
            all.extend(part?);
            if all.len() > self.limits.attachment_bytes {
                let hint = format!("the limit is {} bytes", self.limits.attachment_bytes);
                return Err(Invalid::new(format!("attachment {}", attachment.name), "it is longer").hint(hint).into());
            }
        }
        let mut tables = self.tables();
        tables.takes(subject, &attachment.name, most)?;
        let info = AttachmentInfo {
            name: attachment.name.clone(),
            media_type: attachment.media_type.clone(),
            size: all.len() as u64,
            digest: Digest::of(&all),
            created_at: self.clock.now(),
        };
        let key = (subject.clone(), attachment.name.clone());
        match tables.attachments.get(&key) {
            Some((before, _)) if before.is_like(&info) => Ok(before.clone()),
            _ => {
                tables.attachments.insert(key, (info.clone(), all.into()));
                Ok(info)
            }
        }
    }
}

/// All attachments: what each is, and its bytes.
pub(super) type Attachments = std::collections::BTreeMap<(Subject, AttachmentName), (AttachmentInfo, Arc<[u8]>)>;

impl Tables {
    /// Whether a subject is there and has room for a name.
    fn takes(&self, subject: &Subject, name: &AttachmentName, most: usize) -> Result<()> {
        let there = match subject {
            Subject::Run(run) => self.runs.contains_key(run),
            Subject::Device(device) => self.devices.contains_key(device),
        };
        if !there {
            return Err(StoreError::not_found(subject));
        }
        let others = self.attachments.keys().filter(|(on, other)| on == subject && other != name).count();
        if others < most {
            Ok(())
        } else {
            Err(StoreError::precondition(subject, format!("it has {most} attachments")))
        }
    }

    /// Deletes what hangs on something that is deleted.
    pub(super) fn drop_attachments(&mut self, subject: &Subject) {
        self.attachments.retain(|(on, _), _| on != subject);
    }
}
