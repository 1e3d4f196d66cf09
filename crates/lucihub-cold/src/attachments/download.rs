//! Reading the chunks of an attachment, one at a time.

use diesel::prelude::*;
use futures_util::stream;
use lucihub_models_core::{Attachment, AttachmentInfo, ByteDigest, Result, StoreError, Subject};

use super::place;
use super::upload::check;
use crate::cold::{Cold, Engine};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::{attachment_chunks, attachments};
use crate::types::Id;

/// Where a reader is.
struct Reading<E> {
    cold: Cold<E>,
    subject: Subject,
    id: Id,
    info: AttachmentInfo,
    chunk: i64,
    read: u64,
    digest: ByteDigest,
}

#[expect(private_bounds, reason = "engines are this crate's alone")]
impl<E: Engine> Cold<E> {
    /// The stream of an attachment.
    pub(super) fn download(&self, subject: &Subject, id: Id, info: AttachmentInfo) -> Attachment {
        let reading = Reading {
            cold: self.clone(),
            subject: subject.clone(),
            id,
            info: info.clone(),
            chunk: 0,
            read: 0,
            digest: ByteDigest::default(),
        };
        Attachment { info, bytes: Box::pin(stream::try_unfold(reading, Reading::next)) }
    }
}

impl<E: Engine> Reading<E> {
    async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>> {
        if self.read == self.info.size {
            // Only of one without any bytes has nothing been compared yet.
            return if self.chunk > 0 || self.info.digest == self.digest.finish() {
                Ok(None)
            } else {
                Err(self.corrupt("it has no bytes, and its digest is another one's"))
            };
        }
        let (id, chunk, mut digest) = (self.id, self.chunk, self.digest.clone());
        let found = self.cold.look(move |conn| {
            let row = stored(conn, id, chunk)?;
            Ok(row.map(|(sum, payload)| {
                digest.update(&payload);
                (sum == check(id, chunk, &payload), payload, digest)
            }))
        });
        let Some((sound, payload, digest)) = found.await? else { return Err(self.missing().await) };
        if !sound {
            return Err(self.corrupt(&format!("the checksum of chunk {chunk} does not match")));
        }
        self.read += payload.len() as u64;
        self.digest = digest;
        if payload.is_empty() || self.read > self.info.size {
            return Err(self.corrupt(&format!("chunk {chunk} has not the length it should have")));
        }
        if self.read == self.info.size && self.digest.finish() != self.info.digest {
            return Err(self.corrupt("its bytes have another digest"));
        }
        self.chunk += 1;
        Ok(Some((payload, self)))
    }

    /// What it means that a chunk is not there.
    async fn missing(&self) -> StoreError {
        let (id, what) = (self.id, place(&self.subject, &self.info.name));
        let seen = self.cold.look(move |conn| {
            let row = attachments::table.find(id).filter(attachments::sweep_at.is_null());
            Ok(on_conn!(conn, c => diesel::select(diesel::dsl::exists(row)).get_result::<bool>(c))?)
        });
        match seen.await {
            Ok(true) => self.corrupt(&format!("chunk {} is missing", self.chunk)),
            Ok(false) => StoreError::unavailable(
                "cold storage",
                format!("{what} was replaced or deleted meanwhile; read it anew"),
            ),
            Err(error) => error,
        }
    }

    fn corrupt(&self, why: &str) -> StoreError {
        let what = format!("table attachment_chunks, {}, chunk {}", place(&self.subject, &self.info.name), self.chunk);
        StoreError::corrupt(what, why)
    }
}

/// A chunk and its checksum.
fn stored(conn: &mut Conn<'_>, id: Id, chunk: i64) -> QueryResult<Option<(i64, Vec<u8>)>> {
    on_conn!(conn, c => {
        attachment_chunks::table
            .find((id, chunk))
            .select((attachment_chunks::payload_check, attachment_chunks::payload))
            .get_result(c)
            .optional()
    })
}

/// Whether all chunks of an attachment are as they were written.
pub(super) fn is_whole(conn: &mut Conn<'_>, id: Id, info: &AttachmentInfo) -> Result<bool, Error> {
    let (mut read, mut digest) = (0, ByteDigest::default());
    for chunk in 0.. {
        if read >= info.size {
            break;
        }
        let Some((_, payload)) =
            stored(conn, id, chunk)?.filter(|(sum, payload)| *sum == check(id, chunk, payload) && !payload.is_empty())
        else {
            return Ok(false);
        };
        read += payload.len() as u64;
        digest.update(&payload);
    }
    Ok(read == info.size && digest.finish() == info.digest)
}
