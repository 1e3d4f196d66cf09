//! What is behind attachments: uploads that nobody sees leave, and damage is found and named.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use futures_util::{StreamExt, TryStreamExt, stream};
use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_models_core::cold::{ColdAttachments, ColdRuns};
use lucihub_models_core::{AttachmentName, ByteStream, NewAttachment, RunId, StoreError, Subject, whole};
use lucihub_testkit::ManualClock;
use lucihub_testkit::models::run_head;
use tempfile::TempDir;
use tokio::sync::mpsc;

const CHUNK: usize = 512 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Given {
    cold: SqliteCold,
    clock: Arc<ManualClock>,
    raw: SqliteConnection,
    run: RunId,
    _folder: TempDir,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

async fn given() -> Given {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("cold.db");
    let clock = Arc::new(ManualClock::new());
    let cold = SqliteCold::open(SqliteOptions::file(&path), clock.clone()).await.unwrap();
    let head = run_head(1);
    cold.create(&head).await.unwrap();
    let mut raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query("PRAGMA busy_timeout = 5000").execute(&mut raw).unwrap();
    Given { cold, clock, raw, run: head.id, _folder: folder }
}

fn name(text: &str) -> AttachmentName {
    text.parse().unwrap()
}

fn called(text: &str) -> NewAttachment {
    NewAttachment::new(name(text), "application/octet-stream")
}

impl Given {
    fn subject(&self) -> Subject {
        self.run.into()
    }

    async fn put(&self, called_: &str, size: usize, byte: u8) {
        self.cold.put_attachment(&self.subject(), &called(called_), whole(vec![byte; size])).await.unwrap();
    }

    /// Begins an upload of so many chunks and gives it up, as a client does that dies.
    async fn give_up(&self, chunks: usize) {
        let (sent, mut all_sent) = mpsc::channel::<()>(1);
        let source: ByteStream =
            Box::pin(stream::iter(0..chunks).map(|_| Ok(vec![9; CHUNK])).chain(stream::once(async move {
                sent.send(()).await.unwrap();
                pending().await
            })));
        let (subject, new) = (self.subject(), called("given-up"));
        tokio::select! {
            _ = self.cold.put_attachment(&subject, &new, source) => unreachable!("it never ends"),
            Some(()) = all_sent.recv() => {}
        }
    }

    /// Rows of uploads and of chunks.
    fn rows(&mut self) -> (i64, i64) {
        let mut count = |table: &str| {
            let sql = format!("SELECT count(*) AS number FROM {table}");
            diesel::sql_query(sql).get_result::<Number>(&mut self.raw).unwrap().number
        };
        (count("attachments"), count("attachment_chunks"))
    }

    fn change(&mut self, sql: &str) {
        assert!(diesel::sql_query(sql).execute(&mut self.raw).unwrap() > 0, "{sql} changed nothing");
    }
}

#[tokio::test]
async fn replaced_and_deleted_ones_leave_at_once() {
    let mut given = given().await;
    given.put("a", 20 * CHUNK, 1).await;
    given.put("b", 10, 1).await;
    assert_eq!(given.rows(), (2, 21));
    given.put("a", 20 * CHUNK, 1).await;
    assert_eq!(given.rows(), (2, 21), "the same again leaves nothing behind");
    given.put("a", 3 * CHUNK, 2).await;
    assert_eq!(given.rows(), (2, 4));
    given.put("a", 0, 2).await;
    assert_eq!(given.rows(), (2, 1));
    assert!(given.cold.delete_attachment(&given.subject(), &name("b")).await.unwrap());
    assert_eq!(given.rows(), (1, 0));
}

#[tokio::test]
async fn what_breaks_off_leaves_at_once() {
    let mut given = given().await;
    let broken: ByteStream = Box::pin(
        stream::iter(0..20)
            .map(|_| Ok(vec![9; CHUNK]))
            .chain(stream::iter([Err(StoreError::unavailable("the source", "it broke"))])),
    );
    given.cold.put_attachment(&given.subject(), &called("a"), broken).await.unwrap_err();
    assert_eq!(given.rows(), (0, 0));
}

#[tokio::test]
async fn given_up_uploads_are_swept_after_a_day() {
    let mut given = given().await;
    for _ in 0..2 {
        given.give_up(5).await;
    }
    let before = given.rows();
    assert!(before.0 == 2 && before.1 >= 8, "{before:?}");
    given.clock.advance(DAY - Duration::from_secs(1));
    given.put("a", 1, 1).await;
    assert_eq!(given.rows().0, 3, "they may still go on");
    given.clock.advance(Duration::from_secs(1));
    // Also a failing one sweeps: the disk may be full.
    let nowhere = "0198c1f0-3f5e-7000-8000-0000000000ff".parse::<RunId>().unwrap();
    given.cold.put_attachment(&nowhere.into(), &called("a"), whole(vec![])).await.unwrap_err();
    assert_eq!(given.rows(), (1, 1));
}

#[tokio::test]
async fn a_sweep_is_bounded() {
    let mut given = given().await;
    // As many as nobody ever leaves: written by hand.
    given.change(&format!(
        "INSERT INTO attachments (id, subject, run, name, media_type, sweep_at)
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100)
         SELECT randomblob(16), 'run {}', (SELECT id FROM runs), 'n' || n, 'a/b', n FROM n",
        given.run
    ));
    given.put("a", 1, 1).await;
    let (rows, _) = given.rows();
    assert_eq!(rows, 101 - 40);
    for _ in 0..2 {
        given.put("a", 1, 1).await;
    }
    assert_eq!(given.rows(), (1, 1));
}

#[tokio::test]
async fn an_upload_that_was_swept_is_never_seen() {
    let mut given = given().await;
    let (send, receive) = mpsc::channel::<Vec<u8>>(1);
    let source = stream::unfold(receive, |mut receive| async move { Some((Ok(receive.recv().await?), receive)) });
    let (cold, subject) = (given.cold.clone(), given.subject());
    let upload = tokio::spawn(async move { cold.put_attachment(&subject, &called("a"), Box::pin(source)).await });
    for _ in 0..12 {
        send.send(vec![1; CHUNK]).await.unwrap();
    }
    while given.rows().1 < 10 {
        tokio::task::yield_now().await;
    }
    given.clock.advance(DAY);
    // Swept in part, as by somebody who was stopped.
    given.change("DELETE FROM attachment_chunks WHERE chunk < 4");
    drop(send);
    let error = upload.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Precondition { .. }), "{error}");
    assert!(error.to_string().contains("begin it anew"), "{error}");
    assert!(given.cold.attachments(&given.subject()).await.unwrap().is_empty());
    assert_eq!(given.rows(), (0, 0));
}

/// Each kind of damage is `Corrupt`, before the end of the stream, with the names of run, attachment and chunk.
#[tokio::test]
async fn damage_is_found_and_named() {
    let swapped = "UPDATE attachment_chunks SET payload = (SELECT payload FROM attachment_chunks AS other
                   WHERE other.chunk = 0 AND other.attachment = attachment_chunks.attachment) WHERE chunk = 1";
    let damages = [
        ("UPDATE attachment_chunks SET payload = zeroblob(524288) WHERE chunk = 1", 1),
        ("UPDATE attachment_chunks SET payload = substr(payload, 1, 99) WHERE chunk = 1", 1),
        ("UPDATE attachment_chunks SET payload_check = payload_check + 1 WHERE chunk = 1", 1),
        (swapped, 1),
        ("DELETE FROM attachment_chunks WHERE chunk = 1", 1),
        ("UPDATE attachment_chunks SET chunk = 7 WHERE chunk = 0", 0),
        ("UPDATE attachments SET digest = zeroblob(32)", 2),
        ("UPDATE attachments SET size = size - 1", 2),
        ("UPDATE attachments SET size = size + 1", 3),
    ];
    for (damage, chunk) in damages {
        let mut given = given().await;
        let bytes: Vec<u8> = (0..2 * CHUNK + 10).map(|n| (n % 251).to_le_bytes()[0]).collect();
        given.cold.put_attachment(&given.subject(), &called("module"), whole(bytes.clone())).await.unwrap();
        given.change(damage);
        let mut found = given.cold.attachment(&given.subject(), &name("module")).await.unwrap().unwrap().bytes;
        let mut good = Vec::new();
        let error = loop {
            match found.try_next().await {
                Ok(Some(part)) => good.extend(part),
                Ok(None) => unreachable!("{damage} was not found"),
                Err(error) => break error,
            }
        };
        assert!(bytes.starts_with(&good), "what came before the damage was sound");
        let StoreError::Corrupt { what, .. } = &error else { unreachable!("{damage}: {error}") };
        for part in [&format!("run {}", given.run), "attachment module", &format!("chunk {chunk}")] {
            assert!(what.contains(part), "{damage}: {what} does not name {part}");
        }
    }
    let mut given = given().await;
    given.put("empty", 0, 0).await;
    given.change("UPDATE attachments SET digest = zeroblob(32)");
    let found = given.cold.attachment(&given.subject(), &name("empty")).await.unwrap().unwrap();
    assert!(matches!(found.into_bytes().await, Err(StoreError::Corrupt { .. })));
}
