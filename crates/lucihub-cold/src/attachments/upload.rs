//! Putting attachments: cut into chunks, written unseen, made seen at the end.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use futures_util::TryStreamExt;
use lucihub_models_core::{
    AttachmentInfo, ByteDigest, ByteStream, Digest, IdSource, Invalid, NewAttachment, Result, RunId, StoreError,
    Subject, SystemIds, Timestamp, whole,
};
use tokio::runtime::Handle;

use super::download::is_whole;
use super::{check_there, hold, place, seen, sweep::PATIENCE};
use crate::codec::checksum::Checksum;
use crate::cold::{Cold, Engine, blocking};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::logs::column;
use crate::runs;
use crate::schema::{attachment_chunks, attachments};
use crate::types::{Id, Time};

/// Bytes of a chunk: what one transaction writes, and a reader has in memory.
const CHUNK: usize = 512 * 1024;

/// The checksum of a chunk. It covers where the chunk belongs.
pub(super) fn check(id: Id, chunk: i64, payload: &[u8]) -> i64 {
    Checksum::of("attachment_chunks", id.0, &[chunk]).bytes(payload).finish()
}

/// An upload, before it is seen.
#[derive(Clone)]
struct Upload {
    /// Its name in the database, which nobody else knows.
    id: Id,
    subject: Subject,
    attachment: NewAttachment,
    /// How many attachments the subject may have.
    most: usize,
    now: Timestamp,
}

#[expect(private_bounds, reason = "engines are this crate's alone")]
impl<E: Engine> Cold<E> {
    fn new_upload(&self, subject: &Subject, attachment: &NewAttachment) -> Upload {
        Upload {
            // It decides nothing and is shown to nobody, so it need not repeat in tests.
            id: Id(SystemIds.run_id()),
            subject: subject.clone(),
            attachment: attachment.clone(),
            most: self.limits().attachments,
            now: self.now(),
        }
    }

    fn cut(&self, upload: &Upload, source: ByteStream) -> Cutter {
        let what = place(&upload.subject, &upload.attachment.name);
        Cutter {
            source: Some(source),
            what,
            most: self.limits().attachment_bytes,
            part: Vec::new(),
            at: 0,
            sum: Sum::default(),
        }
    }

    /// Puts an attachment from a stream.
    pub(super) async fn upload(
        &self,
        subject: &Subject,
        attachment: &NewAttachment,
        source: ByteStream,
    ) -> Result<AttachmentInfo> {
        let mut upload = self.new_upload(subject, attachment);
        // What it hangs on is looked at first: nobody sends 64 MiB to learn of a wrong name.
        let first = upload.clone();
        self.look(move |conn| first.check_place(conn)).await?;
        let mut cutter = self.cut(&upload, source);
        let chunk = cutter.next().await?;
        upload.now = self.now();
        if chunk.len() < CHUNK {
            // All of it, and small: one transaction.
            let (sum, chunks) = (cutter.sum.finish(), Vec::from_iter(Some(chunk).filter(|chunk| !chunk.is_empty())));
            return self.write(move |conn| upload.put_whole(conn, &chunks, sum)).await;
        }
        let mut unfinished =
            Unfinished { cold: self.clone(), runtime: Handle::current(), upload: Some(upload.clone()) };
        let begun = upload.clone();
        self.write(move |conn| begun.begin(conn)).await?;
        let put = self.upload_rest(&upload, chunk, &mut cutter).await?;
        unfinished.upload = None;
        Ok(put)
    }

    async fn upload_rest(&self, upload: &Upload, mut chunk: Vec<u8>, cutter: &mut Cutter) -> Result<AttachmentInfo> {
        let mut count = 0;
        while !chunk.is_empty() {
            let (upload, number, now) = (upload.clone(), count, self.now());
            self.write(move |conn| {
                upload.go_on(conn, now)?;
                upload.write_chunk(conn, number, &chunk)
            })
            .await?;
            count += 1;
            chunk = cutter.next().await?;
        }
        let (mut upload, sum) = (upload.clone(), cutter.sum.finish());
        upload.now = self.now();
        self.write(move |conn| {
            hold(conn, &upload.subject)?;
            upload.check_place(conn)?;
            upload.show(conn, count, sum)
        })
        .await
    }

    /// Puts an attachment on a run unless that is archived. `false` if it is.
    pub(super) async fn upload_unarchived(
        &self,
        run: RunId,
        attachment: &NewAttachment,
        bytes: Vec<u8>,
    ) -> Result<bool> {
        let upload = Upload { most: usize::MAX, ..self.new_upload(&Subject::Run(run), attachment) };
        let mut cutter = self.cut(&upload, whole(bytes));
        let mut chunks = Vec::new();
        loop {
            let chunk = cutter.next().await?;
            if chunk.is_empty() {
                break;
            }
            chunks.push(chunk);
        }
        let sum = cutter.sum.finish();
        self.write(move |conn| {
            runs::hold(conn, run)?;
            if runs::archived_at(conn, run)?.is_some() {
                return Ok(false);
            }
            upload.put_whole(conn, &chunks, sum).map(|_| true)
        })
        .await
    }
}

impl Upload {
    fn place(&self) -> String {
        place(&self.subject, &self.attachment.name)
    }

    /// Refuses what cannot take one more attachment of this name.
    fn check_place(&self, conn: &mut Conn<'_>) -> Result<(), Error> {
        check_there(conn, &self.subject)?;
        let others: i64 = on_conn!(conn, c => {
            attachments::table
                .filter(attachments::subject.eq(self.subject.to_string()).and(attachments::sweep_at.is_null()))
                .filter(attachments::name.ne(self.attachment.name.as_str()))
                .count()
                .get_result(c)
        })?;
        if usize::try_from(others).is_ok_and(|others| others < self.most) {
            return Ok(());
        }
        let why = format!("it has {others} attachments, and the limit is {}; delete one first", self.most);
        Err(StoreError::precondition(&self.subject, why).into())
    }

    /// Writes all of it in the caller's transaction. What is there already is not written again.
    fn put_whole(&self, conn: &mut Conn<'_>, chunks: &[Vec<u8>], sum: (u64, Digest)) -> Result<AttachmentInfo, Error> {
        hold(conn, &self.subject)?;
        self.check_place(conn)?;
        if let Some((id, before)) = seen(conn, &self.subject.to_string(), &self.attachment.name)?
            && before.is_like(&self.info(sum))
            && is_whole(conn, id, &before)?
        {
            return Ok(before);
        }
        self.begin(conn)?;
        for (number, chunk) in (0..).zip(chunks) {
            self.write_chunk(conn, number, chunk)?;
        }
        self.show(conn, chunks.len() as u64, sum)
    }

    fn begin(&self, conn: &mut Conn<'_>) -> Result<(), Error> {
        let (run, device) = match &self.subject {
            Subject::Run(run) => (Some(Id(*run)), None),
            Subject::Device(device) => (None, Some(device.as_str())),
        };
        let row = (
            attachments::id.eq(self.id),
            attachments::subject.eq(self.subject.to_string()),
            attachments::run.eq(run),
            attachments::device.eq(device),
            attachments::name.eq(self.attachment.name.as_str()),
            attachments::media_type.eq(&*self.attachment.media_type),
            attachments::sweep_at.eq(Time(self.now.after(PATIENCE))),
        );
        on_conn!(conn, c => diesel::insert_into(attachments::table).values(row).execute(c))
            .map_err(|error| self.orphan(error))?;
        Ok(())
    }

    /// Puts the end of patience off, unless it has come, or the upload was given up.
    fn go_on(&self, conn: &mut Conn<'_>, now: Timestamp) -> Result<(), Error> {
        let mine = attachments::table.find(self.id).filter(attachments::sweep_at.gt(Time(now)));
        let until = attachments::sweep_at.eq(Time(now.after(PATIENCE)));
        match on_conn!(conn, c => diesel::update(mine).set(until).execute(c))? {
            // Uploads go with what they hang on.
            0 => check_there(conn, &self.subject).and_then(|()| Err(self.too_late())),
            _ => Ok(()),
        }
    }

    fn too_late(&self) -> Error {
        let why = format!("its upload stood still for {PATIENCE:?} and counts as given up; begin it anew");
        StoreError::precondition(self.place(), why).into()
    }

    fn write_chunk(&self, conn: &mut Conn<'_>, number: u64, payload: &[u8]) -> Result<(), Error> {
        let number = column("chunk", number)?;
        let row = (
            attachment_chunks::attachment.eq(self.id),
            attachment_chunks::chunk.eq(number),
            attachment_chunks::payload_check.eq(check(self.id, number, payload)),
            attachment_chunks::payload.eq(payload),
        );
        on_conn!(conn, c => diesel::insert_into(attachment_chunks::table).values(row).execute(c))
            .map_err(|error| self.orphan(error))?;
        Ok(())
    }

    /// A row whose run or device, or upload, is not there any more.
    fn orphan(&self, error: DieselError) -> Error {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => {
                StoreError::not_found(format!("{}, or this upload of {},", self.subject, self.attachment.name)).into()
            }
            other => other.into(),
        }
    }

    /// Makes the upload the attachment of its name, in place of the one before. The subject is held.
    fn show(&self, conn: &mut Conn<'_>, chunks: u64, sum: (u64, Digest)) -> Result<AttachmentInfo, Error> {
        let info = self.info(sum);
        let before = seen(conn, &self.subject.to_string(), &info.name)?;
        if let Some((id, before)) = before {
            if before.is_like(&info) && is_whole(conn, id, &before)? {
                self.give_up(conn)?;
                return Ok(before);
            }
            retire(conn, id, self.now)?;
        }
        let (size, digest) = (column("size", info.size)?, info.digest.as_bytes().to_vec());
        let shown = on_conn!(conn, c => {
            let columns = (
                attachments::size.eq(size),
                attachments::digest.eq(digest),
                attachments::created_at.eq(Time(self.now)),
                attachments::sweep_at.eq(None::<Time>),
            );
            diesel::update(attachments::table.find(self.id)).set(columns).execute(c)
        })?;
        // Some of it may have been swept, if it took so long.
        let there: i64 = on_conn!(conn, c => {
            attachment_chunks::table.filter(attachment_chunks::attachment.eq(self.id)).count().get_result(c)
        })?;
        if shown == 1 && u64::try_from(there) == Ok(chunks) {
            return Ok(info);
        }
        Err(self.too_late())
    }

    /// Leaves it to be swept, unless it is seen after all: its last transaction may have gone on without its caller.
    fn give_up(&self, conn: &mut Conn<'_>) -> Result<(), Error> {
        on_conn!(conn, c => {
            let unseen = attachments::table.find(self.id).filter(attachments::sweep_at.is_not_null());
            // From when it began, so that a chunk which is still on its way cannot put it off.
            diesel::update(unseen).set(attachments::sweep_at.eq(Time(self.now))).execute(c)
        })?;
        Ok(())
    }

    fn info(&self, (size, digest): (u64, Digest)) -> AttachmentInfo {
        let NewAttachment { name, media_type } = self.attachment.clone();
        AttachmentInfo { name, media_type, size, digest, created_at: self.now }
    }
}

/// Gives an upload up that ends without being seen: for an error, or since its caller has gone, which nobody else
/// would notice.
struct Unfinished<E: Engine> {
    cold: Cold<E>,
    /// Where it goes on, wherever it is dropped.
    runtime: Handle,
    upload: Option<Upload>,
}

impl<E: Engine> Drop for Unfinished<E> {
    fn drop(&mut self) {
        let (Some(upload), cold) = (self.upload.take(), self.cold.clone()) else { return };
        self.runtime.spawn(async move {
            // A courtesy: if this fails, it is swept when patience ends.
            let _left = cold.write(move |conn| upload.give_up(conn)).await;
            cold.sweep_all().await;
        });
    }
}

/// Leaves the attachment that was seen so far to be swept.
fn retire(conn: &mut Conn<'_>, id: Id, now: Timestamp) -> QueryResult<()> {
    on_conn!(conn, c => {
        diesel::update(attachments::table.find(id)).set(attachments::sweep_at.eq(Time(now))).execute(c)
    })
    .map(drop)
}

/// Cuts a stream of parts of any size into chunks.
struct Cutter {
    /// There until it has ended.
    source: Option<ByteStream>,
    what: String,
    most: usize,
    part: Vec<u8>,
    at: usize,
    sum: Sum,
}

/// What has come so far.
#[derive(Default)]
struct Sum {
    size: u64,
    digest: ByteDigest,
}

impl Sum {
    fn finish(&self) -> (u64, Digest) {
        (self.size, self.digest.finish())
    }
}

impl Cutter {
    /// The next chunk. One that is not full is the last; after it come empty ones.
    async fn next(&mut self) -> Result<Vec<u8>> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK {
            if self.at == self.part.len() {
                let Some(source) = &mut self.source else { break };
                let Some(part) = source.try_next().await? else {
                    self.source = None;
                    break;
                };
                self.sum.size = self.sum.size.saturating_add(part.len() as u64);
                if self.sum.size > self.most as u64 {
                    let hint = format!("the limit is {} bytes; compress it, or put it in parts", self.most);
                    return Err(Invalid::new(&*self.what, format!("more than {} bytes", self.most)).hint(hint).into());
                }
                (self.part, self.at) = (part, 0);
            }
            let end = self.part.len().min(self.at + CHUNK - chunk.len());
            chunk.extend_from_slice(&self.part[self.at..end]);
            self.at = end;
        }
        let mut digest = std::mem::take(&mut self.sum.digest);
        let hashed = blocking(move || {
            digest.update(&chunk);
            Ok((digest, chunk))
        });
        let (digest, chunk) = hashed.await?;
        self.sum.digest = digest;
        Ok(chunk)
    }
}
