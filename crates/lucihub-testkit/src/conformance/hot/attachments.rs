//! Small attachments: they reach a worker and leave it whole, and live and go with their run.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::{Attached, HotAttachment, Opened, Removed, Restored, Seal, SmallAttachment};
use lucihub_models_core::{
    AttachmentInfo, AttachmentName, Digest, IdSource, NewAttachment, Positions, RunId, RunState, StoreError, WriterMark,
};

use super::stage::{Stage, assert_unchanged};
use crate::harness::HotHarness;
use crate::models::state_body;

const DAY: Duration = Duration::from_secs(86_400);

fn name(text: &str) -> AttachmentName {
    text.parse().unwrap()
}

fn small(called: &str, bytes: &[u8]) -> SmallAttachment {
    SmallAttachment::new(NewAttachment::new(name(called), "application/octet-stream"), bytes)
}

/// Bytes of every value, that tell their place.
fn content(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0] ^ seed).collect()
}

impl Stage<'_> {
    async fn attach(&self, run: RunId, by: Option<WriterMark>, attachment: &SmallAttachment) -> Attached {
        self.store.put_attachment(run, by, attachment).await.unwrap()
    }

    async fn put(&self, run: RunId, by: Option<WriterMark>, called: &str, bytes: &[u8]) -> AttachmentInfo {
        match self.attach(run, by, &small(called, bytes)).await {
            Attached::Put(info) => info,
            other => panic!("it was not put: {other:?}"),
        }
    }

    /// An attachment's bytes, and whether the worker put it. What it says of itself is compared with them.
    async fn read(&self, run: RunId, called: &str) -> Option<(Arc<[u8]>, bool)> {
        let (HotAttachment { info, by_worker }, bytes) = self.store.attachment(run, &name(called)).await.unwrap()?;
        assert_eq!((info.name.as_str(), info.size, info.digest), (called, bytes.len() as u64, Digest::of(&bytes)));
        Some((bytes, by_worker))
    }

    async fn listed(&self, run: RunId) -> Vec<HotAttachment> {
        self.store.attachments(run).await.unwrap().expect("the run is there")
    }

    /// Asserts that neither the run's attachments nor the run are there.
    async fn assert_gone(&self, run: RunId) {
        assert_eq!(self.read(run, "a").await, None);
        assert_eq!(self.store.attachments(run).await.unwrap(), None);
        assert!(!self.store.delete_attachment(run, &name("a")).await.unwrap());
    }
}

/// What people put reaches the worker, and what the worker puts reaches people, byte for byte; lists go by name.
pub async fn attachments_go_both_ways(h: &dyn HotHarness) {
    let stage = Stage::new(h, "attachments_go_both_ways");
    let writer = stage.writer(1).await;
    let limit = h.limits().hot_attachment_bytes;
    for (number, size) in [0, 1, 255, 4_097, limit].into_iter().enumerate() {
        for (side, by) in [("p", None), ("w", Some(writer.mark))] {
            let (called, bytes) = (format!("{side}{number}"), content(number.to_le_bytes()[0], size));
            let mut attachment = small(&called, &bytes);
            attachment.attachment.media_type = format!("text/plain; charset=\"{called}\"");
            let Attached::Put(info) = stage.attach(writer.run, by, &attachment).await else { panic!("not put") };
            assert_eq!(info, attachment.info(info.created_at));
            let (found, _) = stage.store.attachment(writer.run, &info.name).await.unwrap().unwrap();
            assert_eq!(found, HotAttachment { info, by_worker: by.is_some() });
            assert!(*stage.read(writer.run, &called).await.unwrap().0 == bytes, "{size} bytes");
        }
    }
    let listed = stage.listed(writer.run).await;
    let names: Vec<_> = listed.iter().map(|known| (known.info.name.as_str(), known.by_worker)).collect();
    let [p, w] = [false, true];
    let sorted =
        [("p0", p), ("p1", p), ("p2", p), ("p3", p), ("p4", p), ("w0", w), ("w1", w), ("w2", w), ("w3", w), ("w4", w)];
    assert_eq!(names, sorted);
    assert_eq!(stage.read(writer.run, "p").await, None);
}

/// Names are compared by every byte.
pub async fn attachment_names_are_literal(h: &dyn HotHarness) {
    let stage = Stage::new(h, "attachment_names_are_literal");
    let writer = stage.writer(1).await;
    let other = stage.open(1).await;
    let longest = "z".repeat(AttachmentName::MAX_LEN);
    let mut all =
        ["a", "A", "a_b", "a-b", "a.b", "aXb", "...", ".a", "-", "_", "10", "9", "size", "nan", "1e3", &longest];
    for (seed, called) in (0..).zip(all) {
        stage.put(writer.run, Some(writer.mark), called, &content(seed, 9)).await;
    }
    for (seed, called) in (0..).zip(all) {
        assert_eq!(*stage.read(writer.run, called).await.unwrap().0, content(seed, 9)[..], "{called}");
    }
    all.sort_unstable();
    let listed = stage.listed(writer.run).await;
    assert_eq!(listed.iter().map(|known| known.info.name.as_str()).collect::<Vec<_>>(), all);
    assert_eq!(stage.listed(other).await, [], "another run's are its own");
}

/// The same again is the first one; other bytes or another media type replace it.
pub async fn attachments_are_replaced_whole(h: &dyn HotHarness) {
    let stage = Stage::new(h, "attachments_are_replaced_whole");
    let writer = stage.writer(1).await;
    for (called, by) in [("p", None), ("w", Some(writer.mark))] {
        let first = stage.put(writer.run, by, called, &content(1, 1_000)).await;
        h.advance(Duration::from_secs(1)).await;
        assert_eq!(stage.put(writer.run, by, called, &content(1, 1_000)).await, first);
        let second = stage.put(writer.run, by, called, &content(2, 10)).await;
        assert!(second.created_at > first.created_at);
        assert_eq!(*stage.read(writer.run, called).await.unwrap().0, content(2, 10)[..]);
        let mut other = small(called, &content(2, 10));
        other.attachment.media_type = "a/b".into();
        let Attached::Put(third) = stage.attach(writer.run, by, &other).await else { panic!("not put") };
        assert_eq!(third.media_type, "a/b");
        let listed = stage.listed(writer.run).await;
        assert!(listed.contains(&HotAttachment { info: third, by_worker: by.is_some() }));
    }
    assert_eq!(stage.listed(writer.run).await.len(), 2);
}

/// A worker may replace what people put; what it put itself nobody else replaces or deletes.
pub async fn results_are_the_workers_alone(h: &dyn HotHarness) {
    let stage = Stage::new(h, "results_are_the_workers_alone");
    let writer = stage.writer(1).await;
    let run = writer.run;
    stage.put(run, None, "a", b"people's").await;
    stage.put(run, Some(writer.mark), "a", b"the worker's").await;
    for bytes in [&b"people's"[..], b"the worker's"] {
        assert_eq!(stage.attach(run, None, &small("a", bytes)).await, Attached::ByWorker);
    }
    assert!(!stage.store.delete_attachment(run, &name("a")).await.unwrap());
    assert_eq!(stage.read(run, "a").await, Some((b"the worker's"[..].into(), true)));
    // Also where the bytes are alike, the result is the worker's from then on.
    stage.put(run, None, "b", b"same").await;
    stage.put(run, Some(writer.mark), "b", b"same").await;
    assert_eq!(stage.attach(run, None, &small("b", b"same")).await, Attached::ByWorker);
    stage.put(run, None, "c", b"people's").await;
    assert!(stage.store.delete_attachment(run, &name("c")).await.unwrap());
    assert!(!stage.store.delete_attachment(run, &name("c")).await.unwrap(), "it is gone already");
    assert_eq!(stage.listed(run).await.len(), 2);
}

/// Whoever is no writer, and whatever is no open run, is told so, and nothing is put.
pub async fn attachments_of_closed_runs_are_refused(h: &dyn HotHarness) {
    let stage = Stage::new(h, "attachments_of_closed_runs_are_refused");
    let mut writer = stage.writer(1).await;
    let (run, mine) = (writer.run, Some(writer.mark));
    let absent = stage.ids.run_id();
    let a = small("a", b"x");
    for by in [None, mine] {
        assert_eq!(stage.attach(absent, by, &a).await, Attached::NoRun);
    }
    let unowned = stage.open(1).await;
    let strangers = [
        WriterMark { epoch: writer.mark.epoch + 1, ..writer.mark },
        WriterMark { writer: stage.request(run).writer, ..writer.mark },
    ];
    for stranger in strangers {
        assert_eq!(stage.attach(run, Some(stranger), &a).await, Attached::Fenced);
    }
    assert_eq!(stage.attach(unowned, mine, &a).await, Attached::Fenced, "nobody took it over");
    assert_eq!((stage.listed(run).await, stage.listed(unowned).await), (vec![], vec![]));

    let before = stage.get(run).await;
    stage.put(run, mine, "result", b"1").await;
    stage.put(run, None, "input", b"2").await;
    assert_unchanged(&before, &stage.get(run).await);
    writer.apply(state_body([RunState::InProgress, RunState::Succeeded])).await;
    let ended = Attached::Sealed(Seal::Ended(RunState::Succeeded));
    for by in [None, mine] {
        assert_eq!(stage.attach(run, by, &a).await, ended);
        assert_eq!(stage.attach(run, by, &small("input", b"2")).await, ended, "also the same again");
    }
    assert_eq!(stage.attach(run, Some(strangers[0]), &a).await, Attached::Fenced);
    assert_eq!(stage.read(run, "result").await.unwrap(), (b"1"[..].into(), true), "results stay readable");
    assert_eq!(stage.listed(run).await.len(), 2);

    assert_eq!(stage.store.remove(run, false, DAY).await.unwrap(), Removed::Removed);
    for by in [None, mine] {
        assert_eq!(stage.attach(run, by, &a).await, Attached::Sealed(Seal::Deleted));
    }
    stage.assert_gone(run).await;
}

/// What is past a limit is refused, and what was there stays.
pub async fn attachments_have_limits(h: &dyn HotHarness) {
    let stage = Stage::new(h, "attachments_have_limits");
    let writer = stage.writer(1).await;
    let (run, mine, limits) = (writer.run, Some(writer.mark), h.limits());
    stage.put(run, mine, "a", b"old").await;
    let invalid = |mut attachment: SmallAttachment, media_type: Option<&str>| {
        media_type.iter().for_each(|text| attachment.attachment.media_type = (*text).to_owned());
        let store = stage.store.clone();
        async move {
            let error = store.put_attachment(run, mine, &attachment).await.unwrap_err();
            assert!(matches!(error, StoreError::Invalid(_)), "{error}");
        }
    };
    invalid(small("a", &vec![0; limits.hot_attachment_bytes + 1]), None).await;
    for bad in ["", "text", "a/b\r\nX: y", "a/b\0", &format!("a/{}", "b".repeat(limits.text_bytes - 1))] {
        invalid(small("a", b"new"), Some(bad)).await;
    }
    assert_eq!(stage.read(run, "a").await.unwrap(), (b"old"[..].into(), true));

    // As many as there may be, and as large together.
    let full =
        |answer: Result<Attached, StoreError>| assert!(matches!(answer, Err(StoreError::Full { .. })), "{answer:?}");
    for number in 1..limits.attachments {
        stage.put(run, if number % 2 == 0 { None } else { mine }, &format!("n{number}"), b"x").await;
    }
    full(stage.store.put_attachment(run, mine, &small("more", b"x")).await);
    full(stage.store.put_attachment(run, None, &small("more", b"x")).await);
    stage.put(run, mine, "a", b"as many as before").await;

    let large = stage.open(1).await;
    let whole = limits.hot_attachments_bytes / limits.hot_attachment_bytes;
    for number in 0..whole {
        stage.put(large, None, &format!("n{number}"), &content(1, limits.hot_attachment_bytes)).await;
    }
    full(stage.store.put_attachment(large, None, &small("more", b"x")).await);
    stage.put(large, None, "more", b"").await;
    stage.put(large, None, "n0", &content(2, limits.hot_attachment_bytes)).await;
    assert_eq!(stage.listed(large).await.len(), whole + 1);
}

/// A run may be opened with attachments, in one step; one that is there, or was deleted, stays as it is.
pub async fn runs_are_opened_with_attachments(h: &dyn HotHarness) {
    let stage = Stage::new(h, "runs_are_opened_with_attachments");
    let limit = h.limits().hot_attachment_bytes;
    let head = stage.head(1);
    let given = [small("module", &content(1, limit)), small("a", b""), small("b", b"b")];
    let mut bad_head = head.clone();
    bad_head.states.clear();
    for (head, attachments) in [
        (&bad_head, vec![]),
        (&head, vec![small("a", &vec![0; limit + 1])]),
        (&head, vec![small("b", b"b"), SmallAttachment::new(NewAttachment::new(name("a"), "text"), *b"x")]),
    ] {
        let error = stage.store.open_with(head, &attachments).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid(_)), "{error}");
        assert!(stage.store.get(head.id).await.unwrap().is_none(), "nothing was placed");
    }
    assert_eq!(stage.store.open_with(&head, &given).await.unwrap(), Opened::Created);
    assert_eq!(*stage.get(head.id).await.head, head);
    let writer = stage.take(head.id).await;
    for attachment in &given {
        let called = attachment.attachment.name.as_str();
        assert_eq!(stage.read(head.id, called).await.unwrap(), (attachment.bytes.clone(), false));
    }
    assert_eq!(stage.listed(head.id).await.len(), 3);
    assert_eq!(stage.store.open_with(&head, &[small("a", b"other")]).await.unwrap(), Opened::Existing);
    assert_eq!(stage.store.open(&head).await.unwrap(), Opened::Existing);
    assert_eq!(*stage.read(head.id, "a").await.unwrap().0, b""[..]);
    stage.put(head.id, Some(writer.mark), "a", b"result").await;

    stage.store.remove(head.id, true, DAY).await.unwrap();
    assert_eq!(stage.store.open_with(&head, &given).await.unwrap(), Opened::Deleted);
    stage.assert_gone(head.id).await;
    h.advance(DAY + Duration::from_secs(1)).await;
    assert_eq!(stage.store.open(&head).await.unwrap(), Opened::Created);
    assert_eq!(stage.listed(head.id).await, [], "those of an earlier life are gone");
}

/// What ends a run ends its attachments: expiry, loss; a restored run has none.
pub async fn attachments_leave_with_their_run(h: &dyn HotHarness) {
    let stage = Stage::new(h, "attachments_leave_with_their_run");
    let mut writer = stage.writer(1).await;
    let run = writer.run;
    for (by, called) in [(None, "a"), (Some(writer.mark), "b")] {
        stage.put(run, by, called, &content(1, 100_000)).await;
    }
    let known = stage.get(run).await;
    if h.lose(run).await {
        stage.assert_gone(run).await;
        let at = Positions { states: 1, ..Positions::default() };
        let restored = stage.store.restore(&writer.restore(&known, at.clone(), at)).await.unwrap();
        assert_eq!(restored, Restored::Restored);
        assert_eq!(stage.listed(run).await, []);
        stage.put(run, Some(writer.mark), "a", b"again").await;
    }
    writer.apply(state_body([RunState::InProgress, RunState::Failed])).await;
    assert!(stage.store.expire(run, Duration::from_secs(60)).await.unwrap());
    assert!(stage.read(run, "a").await.is_some());
    h.advance(Duration::from_secs(61)).await;
    stage.assert_gone(run).await;
}

/// Of many at once under one name one stays, whole; readers meanwhile see whole ones.
pub async fn one_of_many_attachments_stays(h: &dyn HotHarness) {
    let stage = Stage::new(h, "one_of_many_attachments_stays");
    let run = stage.open(1).await;
    stage.put(run, None, "a", b"first").await;
    let tasks: Vec<_> = (0..16_u8)
        .map(|n| {
            let store = Arc::clone(&stage.store);
            tokio::spawn(async move {
                if n % 4 == 3 {
                    let (known, bytes) = store.attachment(run, &name("a")).await.unwrap().unwrap();
                    assert_eq!(Digest::of(&bytes), known.info.digest);
                    return None;
                }
                match store.put_attachment(run, None, &small("a", &content(n, 200_000))).await.unwrap() {
                    Attached::Put(info) => Some(info),
                    other => panic!("{other:?}"),
                }
            })
        })
        .collect();
    let mut put = Vec::new();
    for task in tasks {
        put.extend(task.await.unwrap());
    }
    let listed = stage.listed(run).await;
    assert_eq!(listed.len(), 1);
    assert!(put.contains(&listed[0].info), "one of them stays");
    stage.read(run, "a").await.unwrap();
}
