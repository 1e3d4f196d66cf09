//! Small attachments in hot storage: how they reach a worker and leave it.

use std::sync::Arc;

use async_trait::async_trait;

use super::append::Seal;
use super::runs::Opened;
use crate::attachment::{AttachmentInfo, AttachmentName, NewAttachment};
use crate::batch::WriterMark;
use crate::digest::Digest;
use crate::error::{Invalid, Result, StoreError};
use crate::id::RunId;
use crate::latest::RunHead;
use crate::limits::Limits;
use crate::timestamp::Timestamp;

/// An attachment that is small enough for hot storage, with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmallAttachment {
    /// What it is called, and what its bytes are.
    pub attachment: NewAttachment,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
}

impl SmallAttachment {
    /// Names bytes.
    #[must_use]
    pub fn new(attachment: NewAttachment, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { attachment, bytes: bytes.into() }
    }

    /// Checks media type and size.
    ///
    /// # Errors
    /// [`Invalid`] with the limit and what to do.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        self.attachment.check(limits)?;
        let (size, most) = (self.bytes.len(), limits.hot_attachment_bytes);
        if size > most {
            let what = format!("attachment {} in hot storage", self.attachment.name);
            return Err(Invalid::new(what, format!("{size} bytes"))
                .hint(format!("the limit is {most} bytes; larger ones go into cold storage alone")));
        }
        Ok(())
    }

    /// What it is, once it was put.
    #[must_use]
    pub fn info(&self, created_at: Timestamp) -> AttachmentInfo {
        let NewAttachment { name, media_type } = self.attachment.clone();
        let (size, digest) = (self.bytes.len() as u64, Digest::of(&self.bytes));
        AttachmentInfo { name, media_type, size, digest, created_at }
    }
}

/// An attachment in hot storage, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotAttachment {
    /// What it is.
    pub info: AttachmentInfo,
    /// Whether the run's worker put it. Then it is a result, which keepers move to cold storage; else it is a copy of
    /// what cold storage has.
    pub by_worker: bool,
}

impl HotAttachment {
    /// Whether all attachments of a run, with one more in place of its namesake, are few and small enough.
    ///
    /// # Errors
    /// `Full` with the limit and what to do.
    pub fn check_room<'a>(
        present: impl IntoIterator<Item = &'a Self>,
        more: &SmallAttachment,
        limits: &Limits,
    ) -> Result<()> {
        let (mut count, mut bytes) = (1, more.bytes.len() as u64);
        for other in present.into_iter().filter(|other| other.info.name != more.attachment.name) {
            count += 1;
            bytes = bytes.saturating_add(other.info.size);
        }
        Self::check_sum(count, bytes, limits)
    }

    /// Whether so many attachments of one run, with so many bytes together, are few and small enough.
    ///
    /// # Errors
    /// `Full` with the limit and what to do.
    pub fn check_sum(count: usize, bytes: u64, limits: &Limits) -> Result<()> {
        let Limits { attachments, hot_attachments_bytes, .. } = limits;
        if count <= *attachments && bytes <= *hot_attachments_bytes as u64 {
            return Ok(());
        }
        Err(StoreError::Full {
            store: "the run's part of hot storage".to_owned(),
            why: format!(
                "{count} attachments of {bytes} bytes together; the limits are {attachments} and \
                 {hot_attachments_bytes} bytes, put fewer or smaller ones"
            ),
        })
    }
}

/// What putting an attachment did. All but `Put` wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// It is there, whole; it may have been before.
    Put(AttachmentInfo),
    /// The run's worker put one under this name: that is not replaced by anybody else.
    ByWorker,
    /// Another writer has taken the run over.
    Fenced,
    /// The run has ended, or was deleted.
    Sealed(Seal),
    /// Hot storage does not have the run.
    NoRun,
}

/// Small attachments of runs. They are as large as [`Limits::hot_attachment_bytes`] allows, and live and go with the
/// run: what removes it, expires it or loses it does the same to them, and a restored run has none.
#[async_trait]
pub trait HotAttachments: Send + Sync {
    /// Places a queued run as [`HotRuns::open`](super::HotRuns::open) does, and attachments of people in the same step:
    /// no worker ever sees it without them. A run that is there stays as it is, and so do its attachments.
    ///
    /// # Errors
    /// As [`HotRuns::open`](super::HotRuns::open); as [`put_attachment`](Self::put_attachment). Nothing is placed then.
    async fn open_with(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened>;

    /// Puts an attachment whole, in place of the one of its name. `by` is the worker's mark; without one it is
    /// people's, of whom nothing more is asked than that the run has not ended. The same content by the same side again
    /// changes nothing.
    ///
    /// The checks, in this order: absent, or its tombstone stands; for a worker, another writer has it; it is sealed;
    /// for others, the worker's is there; no room.
    ///
    /// # Errors
    /// `Invalid` past [`Limits::hot_attachment_bytes`] and for a media type of another form; `Full` past
    /// [`Limits::attachments`] or [`Limits::hot_attachments_bytes`] of the run, and where the store has no room.
    /// `Unknown` when no answer came: put the same again.
    async fn put_attachment(
        &self,
        run: RunId,
        by: Option<WriterMark>,
        attachment: &SmallAttachment,
    ) -> Result<Attached>;

    /// An attachment with its bytes, which are those that were put. `None` if there is none, or no such run.
    ///
    /// # Errors
    /// `Corrupt` naming run and attachment.
    async fn attachment(&self, run: RunId, name: &AttachmentName) -> Result<Option<(HotAttachment, Arc<[u8]>)>>;

    /// All attachments of a run without their bytes, by name. `None` if hot storage does not have the run.
    ///
    /// # Errors
    /// `Corrupt` naming run and attachment.
    async fn attachments(&self, run: RunId) -> Result<Option<Vec<HotAttachment>>>;

    /// Deletes an attachment of people. `false` if there was none, or it is the worker's.
    async fn delete_attachment(&self, run: RunId, name: &AttachmentName) -> Result<bool>;
}
