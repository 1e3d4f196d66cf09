//! Attachments in cold storage: named bytes on runs and devices.

use async_trait::async_trait;

use crate::attachment::{Attachment, AttachmentInfo, AttachmentName, ByteStream, NewAttachment, Subject};
use crate::error::Result;
use crate::id::RunId;

/// Attachments of runs and devices. They go with their run or device when that is deleted.
#[async_trait]
pub trait ColdAttachments: Send + Sync {
    /// Puts an attachment, which is there whole once this returns, and not at all before.
    ///
    /// - One under the same name is replaced in the same moment. Who reads the old one meanwhile comes to its end, or
    ///   gets an error; never a mix of both.
    /// - The same content again changes nothing, and the answer is that of the first time; unless what is there is
    ///   damaged, which is written anew then.
    /// - Of several at once under one name, the one that ends last stays, whole.
    /// - The bytes are written as they come, in short steps: a slow source keeps no other writer waiting.
    /// - What a caller leaves behind who gave up, or died, is never seen. It is swept by whoever puts something once it
    ///   has not moved on for an hour, a little at a time.
    ///
    /// An archived run takes attachments too: they are people's, and not part of its digest.
    ///
    /// # Errors
    /// `NotFound` if there is no such run or device, also if it is deleted meanwhile; `Invalid` past
    /// [`Limits::attachment_bytes`](crate::Limits::attachment_bytes), found as soon as the bytes are too many, and for
    /// a media type of another form; `Precondition` if it has
    /// [`Limits::attachments`](crate::Limits::attachments) under other names already; the error of the stream, if that
    /// ends in one. Nothing is changed then.
    async fn put_attachment(
        &self,
        subject: &Subject,
        attachment: &NewAttachment,
        bytes: ByteStream,
    ) -> Result<AttachmentInfo>;

    /// Puts what a worker left in hot storage, as [`put_attachment`](Self::put_attachment) does.
    ///
    /// - An archived run takes none: the answer is `false` then, so that a keeper that is late undoes nothing that
    ///   people did since.
    /// - However many the run has: hot storage has had a limit of its own, and a run could not end otherwise.
    ///
    /// # Errors
    /// As [`put_attachment`](Self::put_attachment).
    async fn checkpoint_attachment(&self, run: RunId, attachment: &NewAttachment, bytes: Vec<u8>) -> Result<bool>;

    /// An attachment with its bytes, which are read as they are asked for. `None` if there is none, as of an absent run
    /// or device.
    ///
    /// # Errors
    /// In the stream: `Corrupt` naming subject, attachment and chunk; `Unavailable` if it was replaced or deleted
    /// meanwhile.
    async fn attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<Option<Attachment>>;

    /// All attachments without their bytes, by name. None of an absent run or device.
    async fn attachments(&self, subject: &Subject) -> Result<Vec<AttachmentInfo>>;

    /// Deletes an attachment. `false` if there was none.
    async fn delete_attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<bool>;
}
