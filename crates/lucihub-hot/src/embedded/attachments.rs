//! Small attachments of runs.

use std::sync::Arc;

use async_trait::async_trait;
use lucihub_models_core::hot::{Attached, HotAttachment, HotAttachments, Opened, Seal, SmallAttachment};
use lucihub_models_core::{AttachmentName, Limits, Result, RunHead, RunId, StoreError, Timestamp, WriterMark};

use super::live::LiveRun;
use super::shelf::Entry;
use super::{EmbeddedHot, weight};

#[async_trait]
impl HotAttachments for EmbeddedHot {
    async fn open_with(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
        self.place(head, attachments)
    }

    async fn put_attachment(
        &self,
        run: RunId,
        by: Option<WriterMark>,
        attachment: &SmallAttachment,
    ) -> Result<Attached> {
        attachment.check(&self.options.limits)?;
        // Before the lock, since it reads all bytes. The time is set under it.
        let mut put = HotAttachment { info: attachment.info(Timestamp::EPOCH), by_worker: by.is_some() };
        let mut visit = self.visit(run);
        put.info.created_at = visit.now;
        match visit.entry() {
            None => Ok(Attached::NoRun),
            Some(Entry::Tombstone(_)) => Ok(Attached::Sealed(Seal::Deleted)),
            Some(Entry::Run(live)) => {
                live.attach(by, put, attachment, &self.options.limits)?.ok_or_else(|| self.full())
            }
        }
    }

    async fn attachment(&self, run: RunId, name: &AttachmentName) -> Result<Option<(HotAttachment, Arc<[u8]>)>> {
        let mut visit = self.visit(run);
        Ok(visit.live().and_then(|live| live.attachments.get(name).cloned()))
    }

    async fn attachments(&self, run: RunId) -> Result<Option<Vec<HotAttachment>>> {
        let mut visit = self.visit(run);
        Ok(visit.live().map(|live| live.attachments.values().map(|(known, _)| known.clone()).collect()))
    }

    async fn delete_attachment(&self, run: RunId, name: &AttachmentName) -> Result<bool> {
        // Its memory is given back after the lock is gone.
        let left = {
            let mut visit = self.visit(run);
            visit.live().and_then(|live| live.detach(name))
        };
        Ok(left.is_some())
    }
}

impl EmbeddedHot {
    /// Places a queued run, and attachments in the same step.
    pub(super) fn place(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
        // Before the lock, since it reads all JSON and bytes; a run that is there needs no check.
        let valid = head.check_new(&self.options.limits).map_err(StoreError::from);
        let checked = valid.and_then(|()| self.known(attachments));
        {
            let mut visit = self.visit(head.id);
            match visit.entry() {
                Some(Entry::Run(_)) => return Ok(Opened::Existing),
                Some(Entry::Tombstone(_)) => return Ok(Opened::Deleted),
                None => {}
            }
            let mut known = checked?;
            let bytes = weight::head(head) + known.iter().map(weight::attachment).sum::<u64>();
            let share = self.room.share(bytes).ok_or_else(|| self.full())?;
            let mut live = LiveRun::new(head.clone(), share, visit.now);
            known.iter_mut().for_each(|known| known.info.created_at = visit.now);
            let named = known.into_iter().zip(attachments);
            live.attachments = named.map(|(k, small)| (k.info.name.clone(), (k, small.bytes.clone()))).collect();
            visit.place(Entry::Run(Box::new(live)));
        }
        self.bells.ring_keepers(head.id);
        Ok(Opened::Created)
    }

    /// What will be known of attachments that are placed with their run.
    fn known(&self, attachments: &[SmallAttachment]) -> Result<Vec<HotAttachment>> {
        let limits = &self.options.limits;
        attachments.iter().try_for_each(|small| small.check(limits))?;
        let known = |small: &SmallAttachment| HotAttachment { info: small.info(Timestamp::EPOCH), by_worker: false };
        let known: Vec<_> = attachments.iter().map(known).collect();
        HotAttachment::check_sum(known.len(), known.iter().map(|known| known.info.size).sum(), limits)?;
        Ok(known)
    }
}

impl LiveRun {
    /// The law of `put_attachment`, of a run that is there. `None` says that the store has no room.
    fn attach(
        &mut self,
        by: Option<WriterMark>,
        put: HotAttachment,
        attachment: &SmallAttachment,
        limits: &Limits,
    ) -> Result<Option<Attached>, StoreError> {
        if by.is_some_and(|mark| !self.is_writer(mark)) {
            return Ok(Some(Attached::Fenced));
        }
        if let Some(seal) = &self.seal {
            return Ok(Some(Attached::Sealed(seal.clone())));
        }
        let before = self.attachments.get(&put.info.name);
        match before {
            Some((before, _)) if before.by_worker && !put.by_worker => return Ok(Some(Attached::ByWorker)),
            Some((before, _)) if before.by_worker == put.by_worker && before.info.is_like(&put.info) => {
                return Ok(Some(Attached::Put(before.info.clone())));
            }
            _ => {}
        }
        HotAttachment::check_room(self.attachments.values().map(|(known, _)| known), attachment, limits)?;
        let less = before.map_or(0, |(known, _)| weight::attachment(known));
        if !self.share.try_set(self.share.bytes() - less + weight::attachment(&put)) {
            return Ok(None);
        }
        let info = put.info.clone();
        self.attachments.insert(info.name.clone(), (put, attachment.bytes.clone()));
        Ok(Some(Attached::Put(info)))
    }

    fn detach(&mut self, name: &AttachmentName) -> Option<Arc<[u8]>> {
        self.attachments.get(name).filter(|(known, _)| !known.by_worker)?;
        let (known, bytes) = self.attachments.remove(name)?;
        self.share.set(self.share.bytes() - weight::attachment(&known));
        Some(bytes)
    }
}
