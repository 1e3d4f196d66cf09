//! Attachments: named bytes on runs and devices.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{Invalid, Result};
use crate::id::{DeviceId, RunId, shorten};
use crate::limits::Limits;
use crate::timestamp::Timestamp;

/// The name of an attachment: 1 to 128 characters of `[A-Za-z0-9._-]`.
///
/// `.` and `..` are refused, so that any name may be the name of a file.
///
/// ```
/// use lucihub_models_core::AttachmentName;
/// assert!("module-1.bin".parse::<AttachmentName>().is_ok());
/// for bad in ["", "..", "a/b", "a b", "\u{e9}"] {
///     assert!(bad.parse::<AttachmentName>().is_err());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct AttachmentName(String);

impl AttachmentName {
    /// The longest name, in characters.
    pub const MAX_LEN: usize = 128;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AttachmentName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let invalid = |problem| {
            Err(Invalid::new("attachment name", problem).hint("use 1 to 128 characters of A-Z a-z 0-9 . _ -"))
        };
        if text.is_empty() || text.len() > Self::MAX_LEN {
            return invalid(format!("{} characters", text.chars().count()));
        }
        if matches!(&*text, "." | "..") {
            return invalid(format!("{text:?} is a folder's"));
        }
        match text.chars().find(|c| !allowed(*c)) {
            Some(c) => invalid(format!("{c:?} is not allowed")),
            None => Ok(Self(text)),
        }
    }
}

impl FromStr for AttachmentName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.to_owned().try_into()
    }
}

impl<'de> Deserialize<'de> for AttachmentName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for AttachmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an attachment hangs on, and is deleted with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A run.
    Run(RunId),
    /// A device.
    Device(DeviceId),
}

impl From<RunId> for Subject {
    fn from(run: RunId) -> Self {
        Self::Run(run)
    }
}

impl From<DeviceId> for Subject {
    fn from(device: DeviceId) -> Self {
        Self::Device(device)
    }
}

/// `run ID` or `device NAME`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run {run}"),
            Self::Device(device) => write!(f, "device {device}"),
        }
    }
}

/// What an attachment is called, and what its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    /// Its name: one attachment of a subject has it.
    pub name: AttachmentName,
    /// What its bytes are, as in HTTP: `application/octet-stream`.
    pub media_type: String,
}

impl NewAttachment {
    /// Names an attachment.
    #[must_use]
    pub fn new(name: AttachmentName, media_type: impl Into<String>) -> Self {
        Self { name, media_type: media_type.into() }
    }

    /// Checks the media type: `type/subtype` and perhaps parameters, all of them printable ASCII, so that it may be
    /// written into the header of an answer.
    ///
    /// # Errors
    /// [`Invalid`] with the limit, or with the form.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        let text = &self.media_type;
        if text.len() > limits.text_bytes {
            return Err(Invalid::new("media type", format!("{} bytes", text.len()))
                .hint(format!("the limit is {} bytes", limits.text_bytes)));
        }
        let essence = text.split(';').next().unwrap_or_default().trim_end();
        let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && !b"/,\"".contains(&b));
        let is_one = essence.split_once('/').is_some_and(|(kind, subtype)| word(kind) && word(subtype));
        if is_one && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return Ok(());
        }
        Err(Invalid::new("media type", format!("{:?}", shorten(text)))
            .hint("write it as in HTTP: application/octet-stream"))
    }
}

/// An attachment, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentInfo {
    /// Its name.
    pub name: AttachmentName,
    /// What its bytes are, as in HTTP.
    pub media_type: String,
    /// How many bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub digest: Digest,
    /// When it was put, by the clock of the store that has it.
    pub created_at: Timestamp,
}

impl AttachmentInfo {
    /// Whether another one is of the same content: all but the time.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let Self { name, media_type, size, digest, created_at: _ } = self;
        (name, media_type, size, digest) == (&other.name, &other.media_type, &other.size, &other.digest)
    }
}

/// Bytes in parts of any size, in order. After an error nothing more comes.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Vec<u8>>> + Send>>;

/// A stream of bytes that are all here.
///
/// ```
/// let bytes: lucihub_models_core::ByteStream = lucihub_models_core::whole(b"a module".to_vec());
/// ```
#[must_use]
pub fn whole(bytes: Vec<u8>) -> ByteStream {
    Box::pin(Whole(Some(bytes)))
}

struct Whole(Option<Vec<u8>>);

impl Stream for Whole {
    type Item = Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

/// An attachment that is being read.
pub struct Attachment {
    /// What it is.
    pub info: AttachmentInfo,
    /// Its bytes. Whoever reads them to the end has what was put: the digest is compared before the last part is given.
    pub bytes: ByteStream,
}

impl Attachment {
    /// Reads all of it into memory.
    ///
    /// # Errors
    /// As the stream of bytes.
    pub async fn into_bytes(mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(part) = poll_fn(|context| self.bytes.as_mut().poll_next(context)).await {
            let part = part?;
            if all.is_empty() {
                all = part;
            } else {
                all.extend(part);
            }
        }
        Ok(all)
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").field("info", &self.info).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_files() {
        for good in ["a", "A.b_c-9", ".hidden", "...", &"x".repeat(128)] {
            assert_eq!(good.parse::<AttachmentName>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "a\\b", "a b", "a\0", "a\n", "\u{e9}", "a:b", "%2e", &"x".repeat(129)] {
            let error = bad.parse::<AttachmentName>().unwrap_err();
            assert!(error.to_string().contains("1 to 128 characters"), "{error}");
        }
        assert!(serde_json::from_str::<AttachmentName>("\"a/b\"").is_err());
        assert_eq!(serde_json::from_str::<AttachmentName>("\"a.b\"").unwrap().as_str(), "a.b");
    }

    #[test]
    fn media_types_stay_one_line_of_a_header() {
        let limits = Limits::default();
        let checked = |text: &str| NewAttachment::new("a".parse().unwrap(), text).check(&limits);
        for good in ["application/octet-stream", "text/plain; charset=\"utf-8\"", "a/b", "image/svg+xml"] {
            assert!(checked(good).is_ok(), "{good}");
        }
        let longest = format!("a/{}", "b".repeat(limits.text_bytes - 2));
        assert!(checked(&longest).is_ok());
        for bad in ["", "text", "/b", "a/", "a/b\r\nSet-Cookie: x", "a/b\0", "\u{e9}/b", "a/b/c", "a /b", "a/b, c/d"] {
            assert!(checked(bad).is_err(), "{bad:?}");
        }
        assert!(checked(&format!("{longest}b")).is_err());
    }

    #[test]
    fn a_subject_says_what_it_is() {
        let run: RunId = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap();
        assert_eq!(Subject::from(run).to_string(), "run 0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e");
        assert_eq!(Subject::from("a:1".parse::<DeviceId>().unwrap()).to_string(), "device a:1");
    }
}
