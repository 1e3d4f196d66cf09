//! What is behind attachments, on both databases: uploads that nobody sees leave, and damage is found and named.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use lucihub_cold::migrate;
use lucihub_models_core::cold::ColdStore;
use lucihub_models_core::{AttachmentName, ByteStream, NewAttachment, RunId, StoreError, Subject, whole};
use lucihub_testkit::ManualClock;
use lucihub_testkit::models::run_head;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::migrations::open::open;
use crate::migrations::place::{Place, places};

const CHUNK: usize = 512 * 1024;
const PATIENCE: Duration = Duration::from_secs(60 * 60);
const SECOND: Duration = Duration::from_secs(1);

struct Given {
    cold: Arc<dyn ColdStore>,
    clock: Arc<ManualClock>,
    run: RunId,
    place: Place,
}

async fn given(place: Place) -> Given {
    migrate::up(&place.url()).await.unwrap();
    let clock = Arc::new(ManualClock::new());
    let cold = open(&place, &clock).await;
    let head = run_head(1);
    cold.create(&head).await.unwrap();
    Given { cold, clock, run: head.id, place }
}

fn name(text: &str) -> AttachmentName {
    text.parse().unwrap()
}

fn called(text: &str) -> NewAttachment {
    NewAttachment::new(name(text), "application/octet-stream")
}

/// A stream of what is sent.
fn sent() -> (mpsc::Sender<Vec<u8>>, ByteStream) {
    let (send, receive) = mpsc::channel::<Vec<u8>>(1);
    let source = stream::unfold(receive, |mut receive| async move { Some((Ok(receive.recv().await?), receive)) });
    (send, Box::pin(source))
}

impl Given {
    fn subject(&self) -> Subject {
        self.run.into()
    }

    async fn put(&self, called_: &str, size: usize, byte: u8) {
        self.cold.put_attachment(&self.subject(), &called(called_), whole(vec![byte; size])).await.unwrap();
    }

    /// Uploads so many chunks and goes away: with a word, as a client that hangs up, or without one, as a process that
    /// is killed.
    async fn go_away(&self, chunks: usize, killed: bool) {
        let (sent, mut all_sent) = mpsc::channel::<()>(1);
        let source: ByteStream =
            Box::pin(stream::iter(0..chunks).map(|_| Ok(vec![9; CHUNK])).chain(stream::once(async move {
                sent.send(()).await.unwrap();
                pending().await
            })));
        let (cold, subject, new) = (self.cold.clone(), self.subject(), called("given-up"));
        let mut upload = Box::pin(async move { cold.put_attachment(&subject, &new, source).await.map(drop) });
        tokio::select! {
            _ = &mut upload => unreachable!("it never ends"),
            Some(()) = all_sent.recv() => {}
        }
        if killed {
            std::mem::forget(upload);
        }
    }

    /// Rows of uploads and of chunks.
    fn rows(&self) -> (i64, i64) {
        let count =
            |table: &str| self.place.rows(&format!("SELECT count(*) || '' FROM {table}"))[0].parse::<i64>().unwrap();
        (count("attachments"), count("attachment_chunks"))
    }

    /// Waits until there are so many: soon, and not at once.
    async fn soon(&self, rows: (i64, i64)) {
        let come = async {
            while self.rows() != rows {
                sleep(Duration::from_millis(2)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), come).await;
        assert!(in_time.is_ok(), "{}: {:?}, not {rows:?}", self.place, self.rows());
    }
}

#[tokio::test]
async fn replaced_and_deleted_ones_leave_soon() {
    for place in places() {
        let given = given(place).await;
        given.put("a", 20 * CHUNK, 1).await;
        given.put("b", 10, 1).await;
        assert_eq!(given.rows(), (2, 21));
        given.put("a", 20 * CHUNK, 1).await;
        given.soon((2, 21)).await;
        given.put("a", 3 * CHUNK, 2).await;
        given.soon((2, 4)).await;
        given.put("a", 0, 2).await;
        given.soon((2, 1)).await;
        assert!(given.cold.delete_attachment(&given.subject(), &name("b")).await.unwrap());
        given.soon((1, 0)).await;
    }
}

#[tokio::test]
async fn what_breaks_off_leaves_soon() {
    for place in places() {
        let given = given(place).await;
        let broken: ByteStream = Box::pin(
            stream::iter(0..20)
                .map(|_| Ok(vec![9; CHUNK]))
                .chain(stream::iter([Err(StoreError::unavailable("the source", "it broke"))])),
        );
        given.cold.put_attachment(&given.subject(), &called("a"), broken).await.unwrap_err();
        given.soon((0, 0)).await;
        // Nobody is told of an error here.
        given.go_away(5, false).await;
        given.soon((0, 0)).await;
    }
}

/// Its last transaction goes on without the caller, and what it makes seen stays.
#[tokio::test]
async fn a_caller_that_goes_away_at_the_very_end_takes_nothing_with_it() {
    for place in places() {
        let given = given(place).await;
        let subject = given.subject();
        let mut dropped = 0;
        for n in 0..200 {
            let new = called(&format!("a{n}"));
            let mut upload = Some(given.cold.put_attachment(&subject, &new, whole(vec![1; CHUNK + 1])));
            // Polled only while it is not seen, so that it is often dropped when it is, and does not know.
            while let Some(waiting) = &mut upload {
                if waiting.now_or_never().is_some() {
                    break;
                }
                sleep(Duration::from_millis(5)).await;
                if given.place.rows("SELECT count(*) || '' FROM attachments WHERE sweep_at IS NULL") != ["0"] {
                    upload = None;
                    dropped += 1;
                }
            }
            if dropped > 0 {
                break;
            }
            given.cold.delete_attachment(&subject, &new.name).await.unwrap();
        }
        assert_eq!(dropped, 1, "{}", given.place);
        // Nothing says that the background has done nothing wrong; it gets the time for it.
        sleep(Duration::from_millis(200)).await;
        given.soon((1, 2)).await;
        assert_eq!(given.cold.attachments(&subject).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn uploads_of_the_dead_are_swept_when_patience_ends() {
    for place in places() {
        let given = given(place).await;
        for _ in 0..2 {
            given.go_away(5, true).await;
        }
        let before = given.rows();
        assert!(before.0 == 2 && before.1 >= 8, "{before:?}");
        given.clock.advance(PATIENCE - SECOND);
        given.put("a", 1, 1).await;
        sleep(Duration::from_millis(50)).await;
        assert_eq!(given.rows().0, 3, "they may still go on");
        given.clock.advance(SECOND);
        // Also a failing one sweeps: the disk may be full.
        let nowhere = "0198c1f0-3f5e-7000-8000-0000000000ff".parse::<RunId>().unwrap();
        given.cold.put_attachment(&nowhere.into(), &called("a"), whole(vec![])).await.unwrap_err();
        given.soon((1, 1)).await;
    }
}

#[tokio::test]
async fn a_slow_upload_goes_on_while_its_chunks_come() {
    for place in places() {
        let given = given(place).await;
        let (send, source) = sent();
        let (cold, subject) = (given.cold.clone(), given.subject());
        let upload = tokio::spawn(async move { cold.put_attachment(&subject, &called("a"), source).await });
        for n in 1..=4 {
            given.clock.advance(PATIENCE - SECOND);
            send.send(vec![1; CHUNK]).await.unwrap();
            given.soon((if n == 1 { 1 } else { 2 }, if n == 1 { 1 } else { n + 1 })).await;
            // Others sweep meanwhile.
            given.put("b", 1, 1).await;
        }
        drop(send);
        assert_eq!(upload.await.unwrap().unwrap().size, 4 * CHUNK as u64);
    }
}

/// Whoever puts something waits for one step alone, however much there is to sweep.
#[tokio::test]
async fn a_sweep_is_the_background_s() {
    for place in places() {
        let given = given(place).await;
        let (id, time) = match &given.place {
            Place::Sqlite(_) => ("randomblob(16)", "n"),
            #[cfg(feature = "postgres")]
            Place::Postgres(_) => ("gen_random_uuid()", "to_timestamp(n)"),
        };
        // As many as nobody ever leaves: written by hand.
        given.place.sql(&format!(
            "INSERT INTO attachments (id, subject, run, name, media_type, sweep_at)
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100)
             SELECT {id}, 'run {}', (SELECT id FROM runs), 'n' || n, 'a/b', {time} FROM n",
            given.run
        ));
        given.put("a", 1, 1).await;
        // The runtime has one thread, which is here: the background has not begun.
        assert_eq!(given.rows(), (101 - 1, 1), "{}", given.place);
        given.soon((1, 1)).await;
    }
}

#[tokio::test]
async fn an_upload_that_was_swept_is_never_seen() {
    for (place, one_more) in places().into_iter().zip([false; 2]).chain(places().into_iter().zip([true; 2])) {
        let given = given(place).await;
        let (send, source) = sent();
        let (cold, subject) = (given.cold.clone(), given.subject());
        let upload = tokio::spawn(async move { cold.put_attachment(&subject, &called("a"), source).await });
        for _ in 0..10 {
            send.send(vec![1; CHUNK]).await.unwrap();
        }
        given.soon((1, 10)).await;
        given.clock.advance(PATIENCE);
        // Swept in part, as by somebody who was stopped.
        given.place.sql("DELETE FROM attachment_chunks WHERE chunk < 4");
        if one_more {
            send.send(vec![1; CHUNK]).await.unwrap();
            // It ends here, with no end of the stream to wait for.
        } else {
            drop(send);
        }
        let error = upload.await.unwrap().unwrap_err();
        assert!(matches!(error, StoreError::Precondition { .. }), "{error}");
        assert!(error.to_string().contains("begin it anew"), "{error}");
        assert!(given.cold.attachments(&given.subject()).await.unwrap().is_empty());
        given.soon((0, 0)).await;
    }
}

/// So many bytes, in SQL.
fn zeros(place: &Place, count: usize) -> String {
    match place {
        Place::Sqlite(_) => format!("zeroblob({count})"),
        #[cfg(feature = "postgres")]
        Place::Postgres(_) => format!("decode(repeat('00', {count}), 'hex')"),
    }
}

/// Each kind of damage is `Corrupt`, before the end of the stream, with the names of run, attachment and chunk.
#[tokio::test]
async fn damage_is_found_and_named() {
    let swapped = "UPDATE attachment_chunks SET payload = (SELECT payload FROM attachment_chunks AS other
                   WHERE other.chunk = 0 AND other.attachment = attachment_chunks.attachment) WHERE chunk = 1";
    let damages = [
        ("UPDATE attachment_chunks SET payload = CHUNK_OF_ZEROS WHERE chunk = 1", 1),
        ("UPDATE attachment_chunks SET payload = substr(payload, 1, 99) WHERE chunk = 1", 1),
        ("UPDATE attachment_chunks SET payload_check = payload_check + 1 WHERE chunk = 1", 1),
        (swapped, 1),
        ("DELETE FROM attachment_chunks WHERE chunk = 1", 1),
        ("UPDATE attachment_chunks SET chunk = 7 WHERE chunk = 0", 0),
        ("UPDATE attachments SET digest = OTHER_DIGEST", 2),
        ("UPDATE attachments SET size = size - 1", 2),
        ("UPDATE attachments SET size = size + 1", 3),
    ];
    let do_damage = |damage: &str, place: &Place| {
        let sql = damage.replace("CHUNK_OF_ZEROS", &zeros(place, CHUNK)).replace("OTHER_DIGEST", &zeros(place, 32));
        place.sql(&sql);
    };
    for ((damage, chunk), place) in damages.iter().flat_map(|damage| places().into_iter().map(move |at| (damage, at))) {
        let given = given(place).await;
        let bytes: Vec<u8> = (0..2 * CHUNK + 10).map(|n| (n % 251).to_le_bytes()[0]).collect();
        given.cold.put_attachment(&given.subject(), &called("module"), whole(bytes.clone())).await.unwrap();
        do_damage(damage, &given.place);
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
        given.cold.put_attachment(&given.subject(), &called("module"), whole(bytes.clone())).await.unwrap();
        let found = given.cold.attachment(&given.subject(), &name("module")).await.unwrap().unwrap();
        assert_eq!(found.into_bytes().await.unwrap(), bytes, "{damage}: put again, it is whole");
    }
    for place in places() {
        let given = given(place).await;
        given.put("empty", 0, 0).await;
        do_damage("UPDATE attachments SET digest = OTHER_DIGEST", &given.place);
        let found = given.cold.attachment(&given.subject(), &name("empty")).await.unwrap().unwrap();
        assert!(matches!(found.into_bytes().await, Err(StoreError::Corrupt { .. })));
    }
}
