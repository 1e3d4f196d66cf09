//! Putting and reading attachments, in both storages.

use lucihub_models_core::cold::ColdAttachments;
use lucihub_models_core::hot::HotAttachments;
use lucihub_models_core::{AttachmentName, NewAttachment, Result, RunId, Subject, whole};
use lucihub_store::{Recorder, Store};

use super::Lab;

pub(crate) const MIB: usize = 1024 * 1024;

pub(crate) fn name(text: &str) -> AttachmentName {
    text.parse().unwrap()
}

pub(crate) fn called(text: &str) -> NewAttachment {
    NewAttachment::new(name(text), "application/octet-stream")
}

pub(crate) async fn attach(store: &Store, subject: impl Into<Subject>, called_: &str, bytes: &[u8]) -> Result<()> {
    store.attach(subject, &called(called_), whole(bytes.to_vec())).await.map(drop)
}

pub(crate) async fn read(store: &Store, subject: impl Into<Subject>, called: &str) -> Option<Vec<u8>> {
    let found = store.attachment(subject, &name(called)).await.unwrap()?;
    Some(found.into_bytes().await.unwrap())
}

pub(crate) async fn names(store: &Store, subject: impl Into<Subject>) -> Vec<String> {
    store.attachments(subject).await.unwrap().into_iter().map(|info| info.name.to_string()).collect()
}

pub(crate) async fn put(recorder: &Recorder, called_: &str, bytes: &[u8]) {
    recorder.attach(called(called_), bytes).await.unwrap();
}

pub(crate) async fn given(recorder: &Recorder, called: &str) -> Option<Vec<u8>> {
    recorder.attachment(&name(called)).await.unwrap().map(|bytes| bytes.to_vec())
}

/// What hot storage has of a run: names, and whether the worker put it.
pub(crate) async fn in_hot(lab: &Lab, run: RunId) -> Vec<(String, bool)> {
    let all = lab.hot.attachments(run).await.unwrap().unwrap();
    all.into_iter().map(|known| (known.info.name.to_string(), known.by_worker)).collect()
}

pub(crate) async fn in_cold(lab: &Lab, run: RunId, called: &str) -> Option<Vec<u8>> {
    let found = lab.cold.attachment(&run.into(), &name(called)).await.unwrap()?;
    Some(found.into_bytes().await.unwrap())
}
