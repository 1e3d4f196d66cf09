//! Attachments: named bytes on runs and devices, in both storages.
//!
//! Cold storage has them all. While a run is open, hot storage has copies of the small ones, which its worker reads, and
//! what the worker put, which keepers move to cold storage. So of one name the worker's counts until the run is
//! archived; nobody else replaces or deletes it before.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::TryStreamExt;
use lucihub_models_core::hot::{Attached, HotAttachment, Opened, Seal, SmallAttachment};
use lucihub_models_core::{
    Attachment, AttachmentInfo, AttachmentName, ByteStream, NewAttachment, Result, RunHead, RunId, StoreError, Subject,
    whole,
};

use crate::runs::not_found;
use crate::store::Store;

impl Store {
    /// Puts an attachment on a run or device, in place of the one of its name. It is there whole once this returns, and
    /// not at all before. A small one of an open run reaches its worker through hot storage, too: attach before you hand
    /// the run out. Where workers choose runs by themselves, let the run's input name what they have to wait for.
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "sqlite"))]
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use lucihub_models_core::JobType;
    /// # use lucihub_store::{Store, Urls};
    /// use lucihub_models_core::{NewAttachment, whole};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let file = format!("sqlite:{}", dir.path().join("runs.sqlite").display());
    /// # let store = Store::open(&Urls::new("memory:", file)).await?;
    /// # let head = store.new_run(JobType::Run);
    /// # store.create(&head).await?;
    /// let module = NewAttachment::new("module.bin".parse()?, "application/octet-stream");
    /// let info = store.attach(head.id, &module, whole(vec![1, 2, 3])).await?;
    /// assert_eq!(info.size, 3);
    ///
    /// // Its worker reads it from hot storage, and leaves a result there.
    /// let recorder = store.record(head.id, "worker-1").await?;
    /// let bytes = recorder.attachment(&module.name).await?.expect("it was attached");
    /// recorder.attach(NewAttachment::new("report.txt".parse()?, "text/plain"), &b"all well"[..]).await?;
    ///
    /// // Anybody reads both: `bytes` is a stream, for the large ones.
    /// let report = store.attachment(head.id, &"report.txt".parse()?).await?.expect("the worker put it");
    /// assert_eq!(report.info.media_type, "text/plain");
    /// assert_eq!(report.into_bytes().await?, b"all well");
    /// # assert_eq!(bytes[..], [1, 2, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `NotFound`; `Invalid` past a limit, and for a media type of another form; `Precondition` while the run's worker
    /// has one of that name, and past the number of attachments; the error of the stream, if that ends in one.
    /// `Unavailable` when hot storage cannot be reached and `Full` when it has no room: cold storage has the attachment
    /// then, and a keeper brings it to the worker when that becomes possible.
    pub async fn attach(
        &self,
        subject: impl Into<Subject>,
        attachment: &NewAttachment,
        bytes: ByteStream,
    ) -> Result<AttachmentInfo> {
        let subject = subject.into();
        attachment.check(self.limits())?;
        let Some(run) = self.open_run(&subject).await? else {
            return self.cold().put_attachment(&subject, attachment, bytes).await;
        };
        self.refuse_workers(run, &attachment.name).await?;
        let (small, bytes) = Peeked::begin(bytes, self.limits().hot_attachment_bytes).await?;
        let info = self.cold().put_attachment(&subject, attachment, bytes).await?;
        let brought = match small {
            Some(bytes) => self.bring(run, &SmallAttachment::new(attachment.clone(), bytes)).await,
            // A smaller one of the same name is no longer what cold storage has.
            None => self.hot().delete_attachment(run, &attachment.name).await.map(drop),
        };
        brought.map_err(|error| only_cold(error, &attachment.name))?;
        Ok(info)
    }

    /// An attachment with its bytes, which are read as they are asked for. What the worker of an open run put is read
    /// from hot storage, everything else from cold storage. `None` if there is none, as of an absent run or device.
    ///
    /// # Errors
    /// When cold storage cannot be read; in the stream, `Corrupt` naming subject, attachment and chunk, and `Unavailable`
    /// if it was replaced or deleted meanwhile. While hot storage cannot be reached, the answer is what cold storage has.
    pub async fn attachment(&self, subject: impl Into<Subject>, name: &AttachmentName) -> Result<Option<Attachment>> {
        let subject = subject.into();
        if let Some(run) = self.open_run_if_any(&subject).await?
            && self.workers(run).await.iter().any(|result| result.info.name == *name)
            && let Ok(Some((HotAttachment { info, .. }, bytes))) = self.hot().attachment(run, name).await
        {
            return Ok(Some(Attachment { info, bytes: whole(bytes.to_vec()) }));
        }
        // Also where the run has left hot storage between two looks: then cold storage has all of it.
        self.cold().attachment(&subject, name).await
    }

    /// All attachments of a run or device without their bytes, by name. None of an absent one.
    ///
    /// # Errors
    /// When cold storage cannot be read. While hot storage cannot be reached, the answer is what cold storage has.
    pub async fn attachments(&self, subject: impl Into<Subject>) -> Result<Vec<AttachmentInfo>> {
        let subject = subject.into();
        let workers = match self.open_run_if_any(&subject).await? {
            Some(run) => self.workers(run).await,
            None => Vec::new(),
        };
        let mut all = self.cold().attachments(&subject).await?;
        all.retain(|info| workers.iter().all(|result| result.info.name != info.name));
        all.extend(workers.into_iter().map(|result| result.info));
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Deletes an attachment. `false` if there was none.
    ///
    /// # Errors
    /// `Precondition` while the run's worker has one of that name; `Unavailable` when hot storage of an open run cannot be
    /// reached: a keeper deletes the copy there.
    pub async fn delete_attachment(&self, subject: impl Into<Subject>, name: &AttachmentName) -> Result<bool> {
        let subject = subject.into();
        let Some(run) = self.open_run_if_any(&subject).await? else {
            return self.cold().delete_attachment(&subject, name).await;
        };
        self.refuse_workers(run, name).await?;
        let deleted = self.cold().delete_attachment(&subject, name).await?;
        Ok(self.hot().delete_attachment(run, name).await? || deleted)
    }

    /// Places a run in hot storage, with those of its attachments that are small.
    pub(crate) async fn open_hot(&self, head: &RunHead) -> Result<Opened> {
        let mut small = Vec::new();
        for info in self.small_of(head.id, &[]).await? {
            small.extend(self.small_attachment(head.id, info).await?);
        }
        if small.is_empty() { self.hot().open(head).await } else { self.hot().open_with(head, &small).await }
    }

    /// The attachments in cold storage that hot storage has room for, beside what the worker has there.
    pub(crate) async fn small_of(&self, run: RunId, workers: &[HotAttachment]) -> Result<Vec<AttachmentInfo>> {
        let limits = self.limits();
        let mut count = workers.len();
        let mut bytes: u64 = workers.iter().map(|result| result.info.size).sum();
        let mut small = self.cold().attachments(&run.into()).await?;
        small.retain(|info| {
            let fits = info.size <= limits.hot_attachment_bytes as u64
                && workers.iter().all(|result| result.info.name != info.name)
                && HotAttachment::check_sum(count + 1, bytes.saturating_add(info.size), limits).is_ok();
            if fits {
                count += 1;
                bytes += info.size;
            }
            fits
        });
        Ok(small)
    }

    /// One of them, with its bytes. `None` if it was deleted meanwhile.
    pub(crate) async fn small_attachment(&self, run: RunId, info: AttachmentInfo) -> Result<Option<SmallAttachment>> {
        let Some(found) = self.cold().attachment(&run.into(), &info.name).await? else { return Ok(None) };
        if found.info.size > self.limits().hot_attachment_bytes as u64 {
            return Ok(None);
        }
        let attachment = NewAttachment::new(found.info.name.clone(), found.info.media_type.clone());
        Ok(Some(SmallAttachment::new(attachment, found.into_bytes().await?)))
    }

    /// Puts a copy of what cold storage has into hot storage, where the run is.
    pub(crate) async fn bring(&self, run: RunId, small: &SmallAttachment) -> Result<()> {
        match self.hot().put_attachment(run, None, small).await? {
            // Not there: a keeper opens it with its attachments. Ended: nobody reads them there any more.
            Attached::Put(_) | Attached::NoRun | Attached::Sealed(Seal::Ended(_)) | Attached::Fenced => Ok(()),
            Attached::Sealed(Seal::Deleted) => Err(not_found(run)),
            Attached::ByWorker => Err(workers_own(run, &small.attachment.name)),
        }
    }

    /// The run that a subject is, while it is not archived. `None` for a device and an archived run.
    async fn open_run(&self, subject: &Subject) -> Result<Option<RunId>> {
        let Subject::Run(run) = subject else { return Ok(None) };
        let cold = self.cold().get(*run).await?.ok_or_else(|| not_found(*run))?;
        Ok(cold.archived.is_none().then_some(*run))
    }

    /// The same, and `None` for an absent run too.
    async fn open_run_if_any(&self, subject: &Subject) -> Result<Option<RunId>> {
        match self.open_run(subject).await {
            Err(StoreError::NotFound { .. }) => Ok(None),
            other => other,
        }
    }

    /// What the worker of a run has put, as far as hot storage can be reached.
    async fn workers(&self, run: RunId) -> Vec<HotAttachment> {
        let all = self.hot().attachments(run).await.ok().flatten().unwrap_or_default();
        all.into_iter().filter(|attachment| attachment.by_worker).collect()
    }

    async fn refuse_workers(&self, run: RunId, name: &AttachmentName) -> Result<()> {
        let is_theirs = self.workers(run).await.iter().any(|result| result.info.name == *name);
        if is_theirs { Err(workers_own(run, name)) } else { Ok(()) }
    }
}

fn workers_own(run: RunId, name: &AttachmentName) -> StoreError {
    let what = format!("attachment {name} of run {run}");
    StoreError::precondition(what, "its worker put it; use another name, or wait until the run is archived")
}

/// Says of an error of hot storage what has been done all the same.
fn only_cold(error: StoreError, name: &AttachmentName) -> StoreError {
    let note = |why: String| format!("{why} (attachment {name} is in cold storage all the same)");
    match error {
        StoreError::Full { store, why } => StoreError::Full { store, why: note(why) },
        error if error.is_transient() => StoreError::unavailable(
            "hot storage",
            format!("{error} (attachment {name} is in cold storage all the same; a keeper brings it to the worker)"),
        ),
        other => other,
    }
}

/// A stream whose beginning was looked at.
struct Peeked {
    begin: std::vec::IntoIter<Vec<u8>>,
    rest: Option<ByteStream>,
}

impl Peeked {
    /// All of a stream, if it is no longer than this; and a stream of the same bytes in any case.
    async fn begin(mut source: ByteStream, most: usize) -> Result<(Option<Vec<u8>>, ByteStream)> {
        let (mut begin, mut size) = (Vec::new(), 0_usize);
        while let Some(part) = source.try_next().await? {
            size = size.saturating_add(part.len());
            begin.push(part);
            if size > most {
                return Ok((None, Box::pin(Self { begin: begin.into_iter(), rest: Some(source) })));
            }
        }
        let all = begin.concat();
        Ok((Some(all.clone()), whole(all)))
    }
}

impl Stream for Peeked {
    type Item = Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(part) = self.begin.next() {
            return Poll::Ready(Some(Ok(part)));
        }
        self.rest.as_mut().map_or(Poll::Ready(None), |rest| rest.as_mut().poll_next(context))
    }
}
