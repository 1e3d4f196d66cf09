//! Attachments: named bytes on runs and devices, in chunks.
//!
//! An upload is a row that nobody sees and its chunks, each written in a transaction of its own; a last one makes the row
//! the attachment of its name. What is seen by nobody any more is swept, a little at a time and mostly in the background
//! (`sweep.rs`).
//!
//! Locks are taken in one order: run or device, upload, chunk.

mod download;
mod sweep;
mod upload;

use async_trait::async_trait;
use diesel::prelude::*;
use lucihub_models_core::cold::ColdAttachments;
use lucihub_models_core::{
    Attachment, AttachmentInfo, AttachmentName, ByteStream, Digest, NewAttachment, Result, RunId, StoreError, Subject,
};

use crate::cold::{Cold, Engine};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::runs;
use crate::schema::{attachments, devices};
use crate::types::{Id, Time};

pub(crate) use sweep::Sweeping;

/// What a row of `attachments` says that is seen.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = attachments)]
struct SeenRow {
    id: Id,
    name: String,
    media_type: String,
    size: Option<i64>,
    digest: Option<Vec<u8>>,
    created_at: Option<Time>,
}

#[async_trait]
impl<E: Engine> ColdAttachments for Cold<E> {
    async fn put_attachment(
        &self,
        subject: &Subject,
        attachment: &NewAttachment,
        bytes: ByteStream,
    ) -> Result<AttachmentInfo> {
        attachment.check(self.limits())?;
        let put = self.upload(subject, attachment, bytes).await;
        // Also after a failure: it may have left something, or failed for want of room.
        self.sweep().await;
        put
    }

    async fn checkpoint_attachment(&self, run: RunId, attachment: &NewAttachment, bytes: Vec<u8>) -> Result<bool> {
        attachment.check(self.limits())?;
        let moved = self.upload_unarchived(run, attachment, bytes).await;
        self.sweep().await;
        moved
    }

    async fn attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<Option<Attachment>> {
        let (on, name) = (subject.to_string(), name.clone());
        let seen = self.look(move |conn| seen(conn, &on, &name)).await?;
        Ok(seen.map(|(id, info)| self.download(subject, id, info)))
    }

    async fn attachments(&self, subject: &Subject) -> Result<Vec<AttachmentInfo>> {
        let subject = subject.to_string();
        self.look(move |conn| {
            let rows: Vec<SeenRow> = on_conn!(conn, c => {
                attachments::table
                    .filter(attachments::subject.eq(&subject).and(attachments::sweep_at.is_null()))
                    .order(attachments::name.asc())
                    .select(SeenRow::as_select())
                    .load(c)
            })?;
            rows.into_iter().map(|row| Ok(row.into_info(&subject)?.1)).collect()
        })
        .await
    }

    async fn delete_attachment(&self, subject: &Subject, name: &AttachmentName) -> Result<bool> {
        let (subject, name, now) = (subject.clone(), name.clone(), Time(self.now()));
        let deleted = self.write(move |conn| {
            // One that is just being replaced is there before and after.
            hold(conn, &subject)?;
            let on = subject.to_string();
            Ok(on_conn!(conn, c => {
                let one = attachments::table
                    .filter(attachments::subject.eq(on).and(attachments::name.eq(name.as_str())))
                    .filter(attachments::sweep_at.is_null());
                diesel::update(one).set(attachments::sweep_at.eq(now)).execute(c)
            })? > 0)
        });
        let deleted = deleted.await?;
        self.sweep().await;
        Ok(deleted)
    }
}

/// The attachment under a name.
fn seen(conn: &mut Conn<'_>, subject: &str, name: &AttachmentName) -> Result<Option<(Id, AttachmentInfo)>, Error> {
    let row: Option<SeenRow> = on_conn!(conn, c => {
        attachments::table
            .filter(attachments::subject.eq(subject).and(attachments::name.eq(name.as_str())))
            .filter(attachments::sweep_at.is_null())
            .select(SeenRow::as_select())
            .get_result(c)
            .optional()
    })?;
    row.map(|row| row.into_info(subject)).transpose()
}

impl SeenRow {
    fn into_info(self, subject: &str) -> Result<(Id, AttachmentInfo), Error> {
        let place = format!("{subject}, attachment {:?}", self.name);
        let wrong = |column, why: &str| Error::row("attachments", column, place.as_str(), why);
        let name = AttachmentName::try_from(self.name).map_err(|e| wrong("name", &e.to_string()))?;
        let size = self.size.and_then(|size| u64::try_from(size).ok()).ok_or_else(|| wrong("size", "no number"))?;
        let digest = self.digest.as_deref().and_then(|bytes| bytes.try_into().ok());
        let digest = Digest::from_bytes(digest.ok_or_else(|| wrong("digest", "not 32 bytes"))?);
        let Time(created_at) = self.created_at.ok_or_else(|| wrong("created_at", "no time"))?;
        Ok((self.id, AttachmentInfo { name, media_type: self.media_type, size, digest, created_at }))
    }
}

/// Keeps others from changing the attachments of a run or device until this transaction ends.
fn hold(conn: &mut Conn<'_>, subject: &Subject) -> QueryResult<()> {
    match (conn, subject) {
        (conn, Subject::Run(run)) => runs::hold(conn, *run),
        // One transaction writes at a time anyway.
        #[cfg(feature = "sqlite")]
        (Conn::Sqlite(_), Subject::Device(_)) => Ok(()),
        #[cfg(feature = "postgres")]
        (Conn::Postgres(c), Subject::Device(device)) => {
            let row = devices::table.find(device.as_str()).select(devices::id);
            row.for_no_key_update().execute(*c).map(drop)
        }
    }
}

/// Refuses a run or device that is not there.
fn check_there(conn: &mut Conn<'_>, subject: &Subject) -> Result<(), Error> {
    let there = match subject {
        Subject::Run(run) => return runs::archived_at(conn, *run).map(drop),
        Subject::Device(device) => on_conn!(conn, c => {
            diesel::select(diesel::dsl::exists(devices::table.find(device.as_str()))).get_result::<bool>(c)
        })?,
    };
    if there { Ok(()) } else { Err(StoreError::not_found(subject).into()) }
}

/// How errors name an attachment.
fn place(subject: &Subject, name: &AttachmentName) -> String {
    format!("attachment {name} of {subject}")
}
