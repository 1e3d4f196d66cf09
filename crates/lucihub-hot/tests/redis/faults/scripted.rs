//! A server of the tests' own making, for what the installed one cannot say: it answers by the book, with one thing
//! changed.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lucihub_hot::redis::RedisHot;
use lucihub_models_core::hot::{Durability, HotAppend, HotRuns, Secured};
use lucihub_models_core::{Result, StoreError, WriterId, WriterMark};
use lucihub_testkit::models::run_id;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::redis::harness::{open, options};

/// What is asked of the server now.
#[derive(Debug, Clone)]
struct Book {
    /// The answer to `WAITAOF`, as it goes over the wire.
    wait: &'static str,
    /// The words behind the nonce of a script's answer.
    script: &'static str,
    /// Whether the nonce is the one of the call.
    echoes: bool,
    /// The name that the connection says it has; its own if there is none.
    name: Option<&'static str>,
    /// Whether scripts are refused for the moment.
    refuses: bool,
}

const GOOD: Book = Book { wait: "*2\r\n:1\r\n:0\r\n", script: "has", echoes: true, name: None, refuses: false };

struct Scripted {
    port: u16,
    book: Arc<Mutex<Book>>,
    /// How many commands are still to be refused, as by a server that starts.
    refusals: Arc<AtomicU32>,
    /// Whether the next script is the last command that is read before the server starts anew, without an answer.
    dies: Arc<AtomicBool>,
    /// The commands that came, without those of connecting.
    heard: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (book, heard) = (Arc::new(Mutex::new(GOOD)), Arc::<Mutex<Vec<String>>>::default());
        let refusals = Arc::<AtomicU32>::default();
        let dies = Arc::<AtomicBool>::default();
        let (shared, hears, refused, dying) = (book.clone(), heard.clone(), refusals.clone(), dies.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone(), hears.clone(), refused.clone(), dying.clone()));
            }
        });
        Self { port, book, refusals, dies, heard }
    }

    fn set(&self, change: impl FnOnce(&mut Book)) {
        let mut book = GOOD;
        change(&mut book);
        *self.book.lock().unwrap() = book;
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

async fn serve(
    stream: TcpStream,
    book: Arc<Mutex<Book>>,
    heard: Arc<Mutex<Vec<String>>>,
    refusals: Arc<AtomicU32>,
    dies: Arc<AtomicBool>,
) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut name = String::new();
    loop {
        let mut line = String::new();
        read.read_line(&mut line).await.ok().filter(|bytes| *bytes > 0)?;
        let mut words = Vec::new();
        for _ in 0..line.trim().strip_prefix('*')?.parse::<usize>().ok()? {
            let mut length = String::new();
            read.read_line(&mut length).await.ok()?;
            let mut word = vec![0; length.trim().strip_prefix('$')?.parse::<usize>().ok()? + 2];
            read.read_exact(&mut word).await.ok()?;
            word.truncate(word.len() - 2);
            words.push(String::from_utf8_lossy(&word).into_owned());
        }
        let now = book.lock().unwrap().clone();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if words[0].starts_with("EVAL") && dies.swap(false, Ordering::SeqCst) {
            return None;
        }
        let refuse = refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        let answer = match &words[..] {
            ["EVAL" | "EVALSHA", ..] if now.refuses => "-NOREPLICAS Not enough good replicas to write.\r\n".to_owned(),
            _ if refuse => "-LOADING Redis is loading the dataset in memory\r\n".to_owned(),
            ["CLIENT", "SETNAME", given] => {
                (*given).clone_into(&mut name);
                "+OK\r\n".to_owned()
            }
            ["CLIENT", "GETNAME"] => bulk(now.name.unwrap_or(&name)),
            ["CLIENT", "ID"] => ":7\r\n".to_owned(),
            ["INFO", ..] => {
                bulk("redis_version:7.2.4\r\nmaxmemory:0\r\nused_memory:1\r\nmaxmemory_policy:noeviction\r\n")
            }
            ["HMGET", ..] => format!("*2\r\n{}{}", bulk("1"), bulk("1")),
            ["SSUBSCRIBE", channel] => format!("*3\r\n{}{}:1\r\n", bulk("ssubscribe"), bulk(channel)),
            ["EVAL" | "EVALSHA", _, keys, ..] => {
                let nonce = words[3 + keys.parse::<usize>().ok()?];
                format!("*2\r\n{}{}", bulk(if now.echoes { nonce } else { "another" }), bulk(now.script))
            }
            ["WAITAOF", ..] => now.wait.to_owned(),
            ["SPUBLISH", ..] => ":0\r\n".to_owned(),
            _ => "+OK\r\n".to_owned(),
        };
        if matches!(words[0], "WAITAOF" | "EVAL" | "EVALSHA") {
            heard.lock().unwrap().push(if words[0] == "WAITAOF" { words.join(" ") } else { words[0].to_owned() });
        }
        write.write_all(answer.as_bytes()).await.ok()?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_still_loads_is_opened_once_it_is_ready() {
    let server = Scripted::start().await;
    server.refusals.store(8, Ordering::SeqCst);
    let url = format!("redis://127.0.0.1:{}", server.port);
    open(options(&url).with_timeout(Duration::from_secs(1))).await;
    assert_eq!(server.refusals.load(Ordering::SeqCst), 0);

    server.refusals.store(u32::MAX, Ordering::SeqCst);
    let hasty = options(&url).with_timeout(Duration::from_secs(1)).with_connect_timeout(Duration::from_millis(300));
    let start = Instant::now();
    let refused = RedisHot::open(hasty).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

/// A deletion may have been made before the server died: who is told that nothing was written would be wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_after_a_reconnect_does_not_say_that_nothing_was_done() {
    let server = Scripted::start().await;
    let hot = open(options(&format!("redis://127.0.0.1:{}", server.port)).with_timeout(Duration::from_secs(1))).await;
    server.set(|book| book.refuses = true);
    let remove = async || hot.remove(run_id(1), true, Duration::ZERO).await;
    let refused = remove().await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "it was never tried: {refused:?}");
    server.dies.store(true, Ordering::SeqCst);
    let refused = remove().await;
    assert!(matches!(refused, Err(StoreError::Unknown { .. })), "{refused:?}");
    server.dies.store(true, Ordering::SeqCst);
    let refused = hot.get(run_id(1)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "a read has done nothing: {refused:?}");
}

async fn fsynced(hot: &RedisHot) -> Result<Secured> {
    let mark = WriterMark { writer: WriterId::from_bits(7), epoch: 1 };
    hot.secure(run_id(1), mark, 3, Durability::Fsynced).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_disk_has_is_believed_only_if_all_of_the_answer_fits() {
    let server = Scripted::start().await;
    let url = format!("redis://127.0.0.1:{}", server.port);
    let hot = open(options(&url).with_timeout(Duration::from_secs(5))).await;
    assert_eq!(fsynced(&hot).await.unwrap(), Secured::Secured);
    let heard = server.heard.lock().unwrap().clone();
    assert_eq!(heard, ["EVAL", "WAITAOF 1 0 1000"], "it is written first, and waited for with an end");

    let unavailable = async |what: &str| {
        let answer = fsynced(&hot).await;
        assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{what}: {answer:?}");
    };
    server.set(|book| book.wait = "*2\r\n:0\r\n:0\r\n");
    unavailable("the disk does not have it yet").await;
    server.set(|book| book.echoes = false);
    unavailable("the answer of another call").await;
    server.set(|book| book.name = Some("another"));
    unavailable("a connection that was made anew").await;
    server.set(|book| book.wait = "-ERR WAITAOF cannot be used with replica instances.\r\n");
    assert!(fsynced(&hot).await.is_err());
    server.set(|book| book.script = "perhaps");
    assert!(matches!(fsynced(&hot).await, Err(StoreError::Corrupt { .. })), "an unknown word is no answer");
    server.set(|book| book.wait = "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n");
    match fsynced(&hot).await {
        Err(StoreError::Precondition { why, .. }) => assert!(why.contains("appendonly yes"), "{why}"),
        other => panic!("{other:?}"),
    }
    server.set(|book| book.script = "missing");
    assert_eq!(fsynced(&hot).await.unwrap(), Secured::Missing);
    server.set(|_| {});
    assert_eq!(fsynced(&hot).await.unwrap(), Secured::Secured, "and well again");
}
