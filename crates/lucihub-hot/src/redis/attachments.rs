//! Small attachments of runs: what is known of each in one hash, its bytes in another.

use std::sync::Arc;

use async_trait::async_trait;
use fred::types::Value;
use lucihub_models_core::hot::{Attached, HotAttachment, HotAttachments, Opened, Seal, SmallAttachment};
use lucihub_models_core::{
    AttachmentInfo, AttachmentName, Digest, Result, RunHead, RunId, StoreError, Timestamp, WriterMark,
};

use super::RedisHot;
use super::link::Lane;
use super::reply::count;
use super::snapshot::mark_text;

/// What the text about an attachment begins with.
const FORMAT: &str = "1";

#[async_trait]
impl HotAttachments for RedisHot {
    async fn open_with(&self, head: &RunHead, attachments: &[SmallAttachment]) -> Result<Opened> {
        self.place(head, attachments).await
    }

    async fn put_attachment(
        &self,
        run: RunId,
        by: Option<WriterMark>,
        attachment: &SmallAttachment,
    ) -> Result<Attached> {
        let limits = &self.options.limits;
        attachment.check(limits)?;
        // The time is the server's.
        let mut info = attachment.info(Timestamp::EPOCH);
        let mut args = super::args();
        args.extend([
            info.name.as_str().into(),
            by.map(mark_text).unwrap_or_default().into(),
            known(run, &info, by.is_some()).into(),
            info.size.to_string().into(),
            Value::from(&attachment.bytes[..]),
            count(limits.attachments),
            count(limits.hot_attachments_bytes),
        ]);
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.attach, keys, args).await?;
        Ok(match &*reply.text()? {
            "put" => {
                info.created_at = reply.time()?;
                Attached::Put(info)
            }
            "worker" => Attached::ByWorker,
            "fenced" => Attached::Fenced,
            "sealed" => Attached::Sealed(reply.seal()?),
            "deleted" => Attached::Sealed(Seal::Deleted),
            "absent" => Attached::NoRun,
            "full" => {
                let (count, bytes) = (reply.number()?, reply.number()?);
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                return Err(HotAttachment::check_sum(count, bytes, limits).err().unwrap_or_else(|| reply.bad("full")));
            }
            other => return Err(reply.bad(format!("{other:?}"))),
        })
    }

    async fn attachment(&self, run: RunId, name: &AttachmentName) -> Result<Option<(HotAttachment, Arc<[u8]>)>> {
        let mut args = super::args();
        args.push(name.as_str().into());
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Read, &self.link.scripts.attachment, keys, args).await?;
        match &*reply.text()? {
            "attachment" => {
                let Some(text) = reply.optional_text()? else { return Ok(None) };
                let found = parse(run, name.as_str(), &text)?;
                let bytes: Arc<[u8]> = Arc::from(&reply.bytes()?[..]);
                if (bytes.len() as u64, Digest::of(&bytes)) != (found.info.size, found.info.digest) {
                    return Err(corrupt(run, name.as_str(), "its bytes have another digest"));
                }
                Ok(Some((found, bytes)))
            }
            "absent" | "deleted" => Ok(None),
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }

    async fn attachments(&self, run: RunId) -> Result<Option<Vec<HotAttachment>>> {
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Read, &self.link.scripts.attachments, keys, super::args()).await?;
        match &*reply.text()? {
            "attachments" => {
                let fields = reply.fields()?;
                let mut all = fields.iter().map(|(name, text)| parse(run, name, text)).collect::<Result<Vec<_>>>()?;
                all.sort_by(|a, b| a.info.name.cmp(&b.info.name));
                Ok(Some(all))
            }
            "absent" | "deleted" => Ok(None),
            other => Err(reply.bad(format!("{other:?}"))),
        }
    }

    async fn delete_attachment(&self, run: RunId, name: &AttachmentName) -> Result<bool> {
        let mut args = super::args();
        args.push(name.as_str().into());
        let keys = self.keys.run(run).fixed(0);
        let mut reply = self.link.call(Lane::Write, &self.link.scripts.detach, keys, args).await?;
        Ok(reply.text()? == "detached")
    }
}

/// Attachments that are placed with their run, as a counted list of names, what is known, and bytes.
pub(super) fn attachment_args(run: RunId, attachments: &[SmallAttachment], args: &mut Vec<Value>) {
    args.push(count(attachments.len()));
    for small in attachments {
        let info = small.info(Timestamp::EPOCH);
        args.push(info.name.as_str().into());
        args.push(known(run, &info, false).into());
        args.push(Value::from(&small.bytes[..]));
    }
}

impl RedisHot {
    /// Refuses attachments that a run may not have.
    pub(super) fn check_attachments(&self, attachments: &[SmallAttachment]) -> Result<()> {
        let limits = &self.options.limits;
        attachments.iter().try_for_each(|small| small.check(limits))?;
        let bytes = attachments.iter().map(|small| small.bytes.len() as u64).sum();
        HotAttachment::check_sum(attachments.len(), bytes, limits)
    }
}

/// What is stored of an attachment beside its bytes, behind the time that the script sets: a checksum over where it
/// belongs and the rest; the format, who put it, size, digest, media type.
pub(super) fn known(run: RunId, info: &AttachmentInfo, by_worker: bool) -> String {
    let side = if by_worker { 'w' } else { 'p' };
    let text = format!("{FORMAT} {side} {} {} {}", info.size, info.digest, info.media_type);
    format!("{:08x} {text}", checksum(run, info.name.as_str(), &text))
}

pub(super) fn checksum(run: RunId, name: &str, text: &str) -> u32 {
    let sum = crc32c::crc32c(run.as_uuid().as_bytes());
    // No name has a blank, so the parts cannot be cut elsewhere.
    [name, " ", text].iter().fold(sum, |sum, part| crc32c::crc32c_append(sum, part.as_bytes()))
}

pub(super) fn parse(run: RunId, name: &str, stored: &str) -> Result<HotAttachment> {
    let damaged = || corrupt(run, name, "what is known of it is damaged");
    let (created_at, sealed) = stored.split_once(' ').ok_or_else(damaged)?;
    let (sum, text) = sealed.split_once(' ').ok_or_else(damaged)?;
    if u32::from_str_radix(sum, 16) != Ok(checksum(run, name, text)) {
        return Err(damaged());
    }
    let parts: Vec<&str> = text.splitn(5, ' ').collect();
    let [FORMAT, side, size, digest, media_type] = parts[..] else {
        return Err(corrupt(run, name, "it was written by a newer program; upgrade this component"));
    };
    let created_at = created_at.parse().ok().and_then(|micros| Timestamp::from_micros(micros).ok());
    let info = AttachmentInfo {
        name: name.parse().map_err(|_| damaged())?,
        media_type: media_type.to_owned(),
        size: size.parse().map_err(|_| damaged())?,
        digest: digest.parse().map_err(|_| damaged())?,
        created_at: created_at.ok_or_else(damaged)?,
    };
    Ok(HotAttachment { info, by_worker: side == "w" })
}

fn corrupt(run: RunId, name: &str, why: &str) -> StoreError {
    StoreError::corrupt(format!("run {run} in hot storage, attachment {name:?}"), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_comes_back_or_is_refused() {
        let run: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
        let other: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4f".parse().unwrap();
        let info = AttachmentInfo {
            name: "a.b".parse().unwrap(),
            media_type: "text/plain; charset=\"utf-8\"".into(),
            size: 3,
            digest: Digest::of(b"abc"),
            created_at: Timestamp::from_micros(17).unwrap(),
        };
        for by_worker in [false, true] {
            let stored = format!("17 {}", known(run, &info, by_worker));
            assert_eq!(parse(run, "a.b", &stored).unwrap(), HotAttachment { info: info.clone(), by_worker });
            assert!(parse(other, "a.b", &stored).is_err() && parse(run, "a.c", &stored).is_err());
            for at in 3..stored.len() {
                let mut damaged = stored.clone().into_bytes();
                damaged[at] ^= 1;
                let damaged = String::from_utf8(damaged).unwrap();
                assert!(parse(run, "a.b", &damaged).is_err(), "{damaged}");
                assert!(parse(run, "a.b", &stored[..at]).is_err(), "{}", &stored[..at]);
            }
        }
    }
}
