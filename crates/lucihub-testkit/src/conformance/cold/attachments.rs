//! Attachments: whole or not there, replaced in one moment, deleted with what they hang on.

use std::future::pending;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use lucihub_models_core::cold::{ColdStore, SeenFields};
use lucihub_models_core::{
    AttachmentInfo, AttachmentName, ByteStream, DeviceType, Digest, NewAttachment, Result, StoreError, Subject, whole,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Store;
use super::given::{archive, at, create, device, full_head, head, id, refusal};
use super::races::race;

const MIB: usize = 1024 * 1024;

fn name(text: &str) -> AttachmentName {
    text.parse().unwrap()
}

fn called(text: &str) -> NewAttachment {
    NewAttachment::new(name(text), "application/octet-stream")
}

/// Bytes that tell their place and whose they are.
fn content(seed: u8, length: usize) -> Vec<u8> {
    let byte = |at: usize| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0] ^ seed;
    (0..length).map(byte).collect()
}

/// The same bytes in parts of a size, the last one shorter, with empty ones between.
fn in_parts(bytes: &[u8], size: usize) -> ByteStream {
    let parts = bytes.chunks(size).flat_map(|part| [Ok(part.to_vec()), Ok(Vec::new())]);
    Box::pin(stream::iter(parts.collect::<Vec<_>>()))
}

async fn put(store: &dyn ColdStore, subject: &Subject, called_: &str, bytes: &[u8]) -> AttachmentInfo {
    store.put_attachment(subject, &called(called_), whole(bytes.to_vec())).await.unwrap()
}

/// An attachment's bytes; `None` if it is not there. What it says of itself is compared with them.
async fn read(store: &dyn ColdStore, subject: &Subject, called: &str) -> Option<Vec<u8>> {
    let found = store.attachment(subject, &name(called)).await.unwrap()?;
    let info = found.info.clone();
    let bytes = found.into_bytes().await.unwrap();
    assert_eq!((info.name.as_str(), info.size, info.digest), (called, bytes.len() as u64, Digest::of(&bytes)));
    Some(bytes)
}

async fn names(store: &dyn ColdStore, subject: &Subject) -> Vec<String> {
    let all = store.attachments(subject).await.unwrap();
    all.iter().map(|info| info.name.to_string()).collect()
}

/// A run and a device to hang things on.
async fn subjects(store: &dyn ColdStore) -> [Subject; 2] {
    create(store, &head(1)).await;
    let id = device("lucidac-04:e9:e5");
    let seen = SeenFields { id, device_type: DeviceType::Lucidac, firmware: None, entity_digest: None, seen_at: at(1) };
    store.put_seen(&seen).await.unwrap();
    [head(1).id.into(), seen.id.into()]
}

/// Every byte comes back, of any size and in whatever parts it came; lists go by name.
pub async fn attachments_come_back_whole(store: Store) {
    for subject in subjects(&*store).await {
        let sizes = [0, 1, 4_095, 512 * 1_024, 512 * 1_024 + 1, MIB - 1, MIB, 3 * MIB + 17];
        for (number, size) in sizes.into_iter().enumerate() {
            let (called_, bytes) = (format!("part-{number}"), content(7, size));
            for parts in [3 * MIB, 100_003, 4_096] {
                // Other bytes before, so that each round writes.
                put(&*store, &subject, &called_, b"before").await;
                let new = NewAttachment::new(name(&called_), "text/plain; charset=\"utf-8\"");
                let info = store.put_attachment(&subject, &new, in_parts(&bytes, parts)).await.unwrap();
                assert_eq!((&info.name, &info.media_type), (&new.name, &new.media_type));
                assert_eq!((info.size, info.digest), (size as u64, Digest::of(&bytes)));
                assert_eq!(store.attachment(&subject, &new.name).await.unwrap().unwrap().info, info);
                assert!(read(&*store, &subject, &called_).await.unwrap() == bytes, "{size} bytes in parts of {parts}");
            }
        }
        let all: Vec<String> = (0..sizes.len()).map(|number| format!("part-{number}")).collect();
        assert_eq!(names(&*store, &subject).await, all);
        assert!(store.attachment(&subject, &name("part")).await.unwrap().is_none());
    }
    let stored = store.stored_bytes(id(1)).await.unwrap().unwrap();
    assert!(stored.attachments > 6 * MIB as u64 && stored.total() > stored.attachments);
}

/// The same again is the first one; another media type is another content.
pub async fn the_same_attachment_again_changes_nothing(store: Store) {
    for subject in subjects(&*store).await {
        for size in [10, 2 * MIB] {
            let first = put(&*store, &subject, "a", &content(1, size)).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
            assert_eq!(put(&*store, &subject, "a", &content(1, size)).await, first);
            assert_eq!(store.attachments(&subject).await.unwrap(), [first]);
            let other = NewAttachment::new(name("a"), "text/x-other");
            let info = store.put_attachment(&subject, &other, whole(content(1, size))).await.unwrap();
            assert_eq!(info.media_type, "text/x-other");
            assert_eq!(store.attachments(&subject).await.unwrap(), [info]);
        }
    }
}

/// Names are compared by every byte, and sorted so; the same name on another subject is another attachment.
pub async fn attachment_names_are_literal(store: Store) {
    let longest = "z".repeat(AttachmentName::MAX_LEN);
    let mut all = ["a", "A", "a_b", "a-b", "a.b", "aXb", "...", ".a", "-", "_", "10", "9", "NULL", &longest];
    for subject in subjects(&*store).await {
        for (seed, called_) in (0..).zip(all) {
            put(&*store, &subject, called_, &content(seed, 9)).await;
        }
        for (seed, called_) in (0..).zip(all) {
            assert_eq!(read(&*store, &subject, called_).await.unwrap(), content(seed, 9), "{called_}");
        }
        let mut sorted = all;
        sorted.sort_unstable();
        assert_eq!(names(&*store, &subject).await, sorted);
        assert!(store.delete_attachment(&subject, &name("a_b")).await.unwrap());
        assert_eq!(names(&*store, &subject).await.len(), all.len() - 1);
        all.reverse();
    }
}

/// What has no form of a media type, and what hangs on nothing, is refused before a byte is asked for.
pub async fn attachments_are_checked_first(store: Store) {
    let [run, on_device] = subjects(&*store).await;
    let unasked = || -> ByteStream { Box::pin(stream::once(async { panic!("no byte is asked for") })) };
    for bad in ["", "text", "a/b\r\nX: y", "a/b\0", &format!("a/{}", "b".repeat(4_095))] {
        let new = NewAttachment::new(name("a"), bad);
        assert_eq!(refusal(&store.put_attachment(&run, &new, unasked()).await), "Invalid", "{bad:?}");
        assert_eq!(refusal(&store.checkpoint_attachment(id(1), &new, vec![1]).await), "Invalid", "{bad:?}");
    }
    for absent in [Subject::from(id(2)), device("other").into()] {
        assert_eq!(refusal(&store.put_attachment(&absent, &called("a"), unasked()).await), "NotFound");
        assert_eq!(names(&*store, &absent).await, [""; 0]);
        assert_eq!(read(&*store, &absent, "a").await, None);
        assert!(!store.delete_attachment(&absent, &name("a")).await.unwrap());
    }
    assert_eq!(refusal(&store.checkpoint_attachment(id(2), &called("a"), vec![1]).await), "NotFound");
    for subject in [run, on_device] {
        assert_eq!(names(&*store, &subject).await, [""; 0]);
    }
}

/// A subject takes as many as it may; replacing is no more, and deleting makes room.
pub async fn a_subject_has_so_many_attachments(store: Store) {
    for subject in subjects(&*store).await {
        for number in 0..64 {
            put(&*store, &subject, &format!("n{number}"), b"x").await;
        }
        for size in [1, 2 * MIB] {
            let more = store.put_attachment(&subject, &called("more"), whole(content(1, size))).await;
            assert_eq!(refusal(&more), "Precondition");
        }
        put(&*store, &subject, "n63", &content(2, 2 * MIB)).await;
        assert!(store.delete_attachment(&subject, &name("n0")).await.unwrap());
        assert!(!store.delete_attachment(&subject, &name("n0")).await.unwrap(), "it is gone already");
        put(&*store, &subject, "more", b"x").await;
        assert_eq!(names(&*store, &subject).await.len(), 64);
    }
    assert!(store.checkpoint_attachment(id(1), &called("result"), vec![1]).await.unwrap(), "a worker's has its place");
    assert_eq!(names(&*store, &id(1).into()).await.len(), 65);
}

/// An attachment of exactly the limit is taken; one byte more is refused while it comes, and leaves the old one.
pub async fn an_attachment_has_a_limit(store: Store) {
    const LIMIT: usize = 64 * MIB;
    let [run, _] = subjects(&*store).await;
    let part = content(3, MIB);
    let source = |parts: usize, more: usize| -> ByteStream {
        let (part, more) = (part.clone(), (more > 0).then(|| Ok(vec![1; more])));
        Box::pin(stream::iter(0..parts).map(move |_| Ok(part.clone())).chain(stream::iter(more)))
    };
    let info = store.put_attachment(&run, &called("a"), source(64, 0)).await.unwrap();
    assert_eq!(info.size, LIMIT as u64);
    for (parts, more) in [(64, 1), (0, LIMIT + 1), (63, MIB + 1)] {
        assert_eq!(refusal(&store.put_attachment(&run, &called("a"), source(parts, more)).await), "Invalid");
    }
    // Refused without waiting for an end that never comes.
    let endless: ByteStream = Box::pin(source(64, 1).chain(stream::once(pending())));
    assert_eq!(refusal(&store.put_attachment(&run, &called("b"), endless).await), "Invalid");
    assert_eq!(store.attachments(&run).await.unwrap(), std::slice::from_ref(&info));
    let mut bytes = store.attachment(&run, &info.name).await.unwrap().unwrap().bytes;
    let mut at = 0;
    while let Some(some) = bytes.try_next().await.unwrap() {
        assert!(some.iter().enumerate().all(|(n, byte)| *byte == part[(at + n) % MIB]), "after {at} bytes");
        at += some.len();
    }
    assert_eq!(at, LIMIT);
}

/// Who began to read before it was replaced or deleted has the old one, or an error; never a mix, and never a part
/// that looks whole.
pub async fn a_reader_meets_no_mix(store: Store) {
    let [run, _] = subjects(&*store).await;
    for (round, deleted) in [false, true, false].into_iter().enumerate() {
        let (old, new) = (content(round.to_le_bytes()[0], 5 * MIB), content(90, 4 * MIB + round));
        put(&*store, &run, "a", &old).await;
        let mut reader = store.attachment(&run, &name("a")).await.unwrap().unwrap();
        let mut got = reader.bytes.try_next().await.unwrap().unwrap();
        if deleted {
            assert!(store.delete_attachment(&run, &name("a")).await.unwrap());
        } else {
            put(&*store, &run, "a", &new).await;
        }
        let rest: Result<Vec<Vec<u8>>> = reader.bytes.try_collect().await;
        match rest {
            Ok(rest) => {
                got.extend(rest.concat());
                assert!(got == old, "it ended, so it is the old one");
            }
            Err(error) => assert!(matches!(error, StoreError::Unavailable { .. }), "{error}"),
        }
        assert!(read(&*store, &run, "a").await == (!deleted).then_some(new));
    }
}

/// While bytes still come, nobody sees them, and nobody waits: not even who writes under the same name.
pub async fn a_slow_upload_keeps_nobody_waiting(store: Store) {
    let [run, _] = subjects(&*store).await;
    let slow = content(1, 5 * MIB);
    let (send, receive) = mpsc::channel(1);
    let upload = {
        let (store, run) = (store.clone(), run.clone());
        tokio::spawn(
            async move { store.put_attachment(&run, &called("a"), Box::pin(ReceiverStream::new(receive))).await },
        )
    };
    let (first, rest) = slow.split_at(3 * MIB);
    for part in first.chunks(MIB) {
        send.send(Ok(part.to_vec())).await.unwrap();
    }
    assert_eq!(names(&*store, &run).await, [""; 0]);
    create(&*store, &head(2)).await;
    put(&*store, &run, "a", b"quick").await;
    put(&*store, &id(2).into(), "a", b"elsewhere").await;
    assert_eq!(read(&*store, &run, "a").await.unwrap(), b"quick");
    for part in rest.chunks(MIB) {
        send.send(Ok(part.to_vec())).await.unwrap();
    }
    drop(send);
    let info = upload.await.unwrap().unwrap();
    assert!(read(&*store, &run, "a").await.unwrap() == slow, "the one that ended last stays");
    assert_eq!(store.attachments(&run).await.unwrap(), [info]);
}

/// What is broken off, by its source or by its caller, is never seen; the old one stays.
pub async fn an_upload_broken_off_leaves_the_old_one(store: Store) {
    for subject in subjects(&*store).await {
        put(&*store, &subject, "a", b"old").await;
        for parts in [0, 1, 3] {
            let some = move || stream::iter(0..parts).map(|_| Ok(content(1, MIB)));
            let broken: ByteStream =
                Box::pin(some().chain(stream::iter([Err(StoreError::unavailable("the source", "it broke"))])));
            let error = store.put_attachment(&subject, &called("a"), broken).await.unwrap_err();
            assert!(error.to_string().contains("it broke"), "the source's own error, not {error}");

            let (sent, mut all_sent) = mpsc::channel::<()>(1);
            let stuck: ByteStream = Box::pin(some().chain(stream::once(async move {
                sent.send(()).await.unwrap();
                pending().await
            })));
            let new = called("a");
            tokio::select! {
                _ = store.put_attachment(&subject, &new, stuck) => panic!("it never ends"),
                Some(()) = all_sent.recv() => {}
            }
            assert_eq!(read(&*store, &subject, "a").await.unwrap(), b"old");
        }
        put(&*store, &subject, "a", b"new").await;
        assert_eq!(read(&*store, &subject, "a").await.unwrap(), b"new");
        assert_eq!(names(&*store, &subject).await, ["a"]);
    }
}

/// Attachments go with their run or device, and do not come back with the next of that name; an upload that was on its
/// way then ends with `NotFound`.
pub async fn attachments_go_with_their_subject(store: Store) {
    let subjects_ = subjects(&*store).await;
    create(&*store, &full_head(2)).await;
    put(&*store, &id(2).into(), "a", &content(2, 2 * MIB)).await;
    for subject in &subjects_ {
        put(&*store, subject, "a", &content(1, 2 * MIB)).await;
        put(&*store, subject, "b", b"b").await;
        let mut reader = store.attachment(subject, &name("a")).await.unwrap().unwrap().bytes;
        assert!(reader.try_next().await.unwrap().is_some());
        let (deleter, gone) = (store.clone(), subject.clone());
        let source: ByteStream = Box::pin(
            stream::iter([Ok(content(1, 2 * MIB))])
                .chain(async move { delete(&*deleter, &gone).await }.map(|()| Ok(vec![1])).into_stream())
                .chain(stream::iter([Ok(content(1, MIB))])),
        );
        assert_eq!(refusal(&store.put_attachment(subject, &called("c"), source).await), "NotFound");
        assert!(reader.try_next().await.map_or(true, |rest| rest.is_some()), "it does not end as if it were whole");
        assert_eq!(names(&*store, subject).await, [""; 0]);
        assert_eq!(read(&*store, subject, "a").await, None);
    }
    for subject in subjects(&*store).await {
        assert_eq!(names(&*store, &subject).await, [""; 0]);
        put(&*store, &subject, "a", b"again").await;
        assert_eq!(read(&*store, &subject, "a").await.unwrap(), b"again");
    }
    assert!(read(&*store, &id(2).into(), "a").await.unwrap() == content(2, 2 * MIB), "the neighbour's stays");
}

async fn delete(store: &dyn ColdStore, subject: &Subject) {
    assert!(match subject {
        Subject::Run(run) => store.delete(*run).await.unwrap(),
        Subject::Device(device) => store.delete_device(device).await.unwrap(),
    });
}

/// Of many at once under one name one stays, whole; readers meanwhile see whole ones.
pub async fn one_of_many_attachments_stays(store: Store) {
    let [run, _] = subjects(&*store).await;
    for size in [1_000, 2 * MIB] {
        put(&*store, &run, "a", &content(200, size)).await;
        let answers = race(|n| {
            let (store, run) = (store.clone(), run.clone());
            async move {
                let seed = n.to_le_bytes()[0];
                if n % 4 == 3 {
                    // Readers may be overtaken; what they have read to the end is somebody's, whole.
                    let found = store.attachment(&run, &name("a")).await.unwrap()?;
                    let digest = found.info.digest;
                    match found.into_bytes().await {
                        Ok(bytes) => assert_eq!(Digest::of(&bytes), digest),
                        Err(error) => assert!(matches!(error, StoreError::Unavailable { .. }), "{error}"),
                    }
                    return None;
                }
                Some(put(&*store, &run, "a", &content(seed, size)).await)
            }
        })
        .await;
        let last = store.attachments(&run).await.unwrap();
        assert!(answers.into_iter().flatten().any(|info| [info] == *last), "one of them stays");
        assert_eq!(Digest::of(&read(&*store, &run, "a").await.unwrap()), last[0].digest);
    }
}

/// People may put and delete attachments of an archived run; what a keeper brings late is refused.
pub async fn an_archived_run_keeps_peoples_attachments(store: Store) {
    let queued = head(1);
    create(&*store, &queued).await;
    let (run, keepers) = (Subject::from(queued.id), called("result"));
    for size in [0, 3, MIB] {
        assert!(store.checkpoint_attachment(queued.id, &keepers, content(1, size)).await.unwrap());
        assert!(store.checkpoint_attachment(queued.id, &keepers, content(1, size)).await.unwrap());
        assert!(read(&*store, &run, "result").await.unwrap() == content(1, size));
    }
    archive(&*store, &queued).await;
    put(&*store, &run, "result", b"corrected").await;
    assert!(!store.checkpoint_attachment(queued.id, &keepers, content(1, MIB)).await.unwrap());
    assert!(!store.checkpoint_attachment(queued.id, &called("late"), vec![1]).await.unwrap());
    assert_eq!(names(&*store, &run).await, ["result"]);
    assert_eq!(read(&*store, &run, "result").await.unwrap(), b"corrected");
    assert!(store.delete_attachment(&run, &name("result")).await.unwrap());
    assert_eq!(names(&*store, &run).await, [""; 0]);
}
