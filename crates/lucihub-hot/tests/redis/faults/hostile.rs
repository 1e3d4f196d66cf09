//! Names, sizes and strangers' entries at the edge of what is allowed: faithful, or refused before anything is written;
//! and passwords, which no error shows.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use lucihub_hot::redis::{RedisHot, RedisOptions};
use lucihub_models_core::hot::{Announced, DEVICE_LEASE, HotAppend, HotDevices, HotLogs, HotRuns, HotSamples, Outcome};
use lucihub_models_core::{Batch, DeviceId, Limits, Reject, StoreError};
use lucihub_testkit::models::{device_seen, lines_body, lorenz_head, sample_value, samples_body};
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

use super::check::exact;
use super::tally::Tally;
use super::writer::{CHANNELS, SAMPLES, Writer, line};

use crate::redis::harness::{by, open, options};

async fn writer(hot: &RedisHot) -> Writer {
    Writer::begin(hot.clone(), 1, Arc::new(Tally::default())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_run_lives_under_every_prefix_by_itself() {
    let server = RedisServer::start(Config::new());
    let longest = "x".repeat(64);
    let prefixes = [":", "..", "-", "0", "lh", "lh:", "lh:lh", "LH", "a.b_c-d:e", "wake", &longest];
    let mut all = Vec::new();
    for (more, prefix) in (1..).zip(prefixes) {
        let hot = open(options(&server.url()).with_prefix(prefix)).await;
        let mut writer = writer(&hot).await;
        writer.append(more).await;
        assert_eq!(hot.announce(&device_seen(more, "scanner"), DEVICE_LEASE).await.unwrap(), Announced::Active);
        all.push((hot, writer));
    }
    for (more, (hot, writer)) in (1..).zip(&all) {
        exact(hot, writer.run, more).await;
        let devices = hot.active().await.unwrap();
        assert_eq!(devices.iter().map(|d| d.seen.clone()).collect::<Vec<_>>(), [device_seen(more, "scanner")]);
    }
    // One leaves, and the others stay.
    let (first, writer) = &all[0];
    first.remove(writer.run, true, DEVICE_LEASE).await.unwrap();
    assert!(first.get(writer.run).await.unwrap().is_none());
    exact(&all[1].0, writer.run, 2).await;

    let keys = server.cli(&["DBSIZE"]);
    for bad in ["", "a{b}", "{", "ä", "a b", "a\n", "a*", "a?", "[a]", "\0", &"x".repeat(65)] {
        let refused = RedisHot::open(options(&server.url()).with_prefix(bad)).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{bad:?}: {refused:?}");
    }
    assert_eq!(server.cli(&["DBSIZE"]), keys, "nothing was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_name_of_a_device_is_kept() {
    let server = RedisServer::start(Config::new());
    let hot = open(options(&server.url())).await;
    let mut seen = device_seen(1, "s\0\n{canner}\u{2028}");
    // A name that looks like keys, and one that another begins with.
    for name in ["lh:d:all.-_".repeat(12)[..128].to_owned(), "all".to_owned(), "a".to_owned()] {
        seen.id = name.parse().unwrap();
        assert_eq!(hot.announce(&seen, DEVICE_LEASE).await.unwrap(), Announced::Active);
        assert_eq!(hot.active_device(&seen.id).await.unwrap().unwrap().seen, seen);
    }
    assert_eq!(hot.active().await.unwrap().len(), 3);
    assert!(hot.withdraw(&seen.id, &seen.scanner).await.unwrap());
    assert_eq!(hot.active().await.unwrap().len(), 2);
    assert!("x".repeat(129).parse::<DeviceId>().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_batch_of_all_channels_is_whole_and_a_sample_more_is_refused() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let limits = Limits::default();
    let channels = u32::try_from(limits.channels).unwrap();
    // 16 bytes are counted for each block.
    let each = (limits.batch_bytes / limits.channels - 16) as u64 / 8;
    let mut head = lorenz_head(limits.channels + 1);
    let refused = hot.open(&head).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    assert!(hot.get(head.id).await.unwrap().is_none());

    let by = writer(&hot).await;
    head.id = lucihub_testkit::models::run_id(77);
    head.channels.pop();
    hot.open(&head).await.unwrap();
    let run = head.id;
    let request = lucihub_models_core::hot::TakeOver {
        run,
        worker: "worker".to_owned(),
        writer: by.mark().writer,
        lease: DEVICE_LEASE,
    };
    hot.take_over(&request).await.unwrap();
    let ranges = |first: u64, each: u64, more: u64| {
        let last = channels - 1;
        (0..channels).map(move |c| (c, first..first + each + if c == last { more } else { 0 }))
    };
    let batch = |seq, ranges| Batch::new(run, by.mark(), seq, ranges);
    let applied = async |batch: Batch| hot.append(&batch).await.unwrap().outcome;
    let too_large = batch(1, samples_body(run, ranges(0, each, 1)));
    assert_eq!(too_large.size(), limits.batch_bytes + 8);
    assert!(matches!(applied(too_large).await, Outcome::Rejected(Reject::Invalid(_))));
    assert_eq!(hot.get(run).await.unwrap().unwrap().next.samples.iter().sum::<u64>(), 0);

    let largest = batch(1, samples_body(run, ranges(0, each, 0)));
    assert_eq!(largest.size(), limits.batch_bytes);
    assert_eq!(applied(largest.clone()).await, Outcome::Applied);
    assert_eq!(applied(largest).await, Outcome::Duplicate);
    // One sample each, then nothing at all, then as many lines as there is room for.
    assert_eq!(applied(batch(2, samples_body(run, ranges(each, 1, 0)))).await, Outcome::Applied);
    assert_eq!(applied(batch(3, samples_body(run, []))).await, Outcome::Applied);
    let line = lines_body([""]).size();
    let lines = limits.batch_bytes / line;
    assert_eq!(applied(batch(4, lines_body(vec![""; lines]))).await, Outcome::Applied);

    let fresh = open(options).await;
    let end = each + 1;
    let seen = fresh.get(run).await.unwrap().unwrap();
    assert_eq!((&seen.next.samples, seen.last_seq), (&vec![end; limits.channels], 4));
    for channel in 0..channels {
        let series = fresh.window(run, channel, 0..u64::MAX).await.unwrap().unwrap();
        let expected: Vec<f64> = (0..end).map(|index| sample_value(run, channel, index)).collect();
        assert_eq!((series.first, series.values), (0, expected), "channel {channel}");
    }
    assert_eq!(fresh.lines(run, 0..u64::MAX).await.unwrap().unwrap().lines.len(), lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_strangers_are_never_taken_for_samples() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let mut writer = writer(&hot).await;
    let run = writer.run;
    let stream = |channel: u32| format!("{}:{{{run}}}:s:{channel}", options.prefix);
    // In front of what the writer brings, and of no form that this version knows.
    server.cli(&["XADD", &stream(0), "5-0", "b", "garbage"]);
    writer.append(2).await;
    let end = 2 * SAMPLES;
    match hot.window(run, 0, 0..end).await {
        Err(StoreError::Corrupt { what, .. }) => assert!(what.contains(&format!("run {run}")), "{what}"),
        other => panic!("{other:?}"),
    }
    let rest = hot.window(run, 0, SAMPLES..end).await.unwrap().unwrap();
    assert_eq!(rest.values.len() as u64, SAMPLES, "what lies behind it is readable");
    assert_eq!(hot.window(run, 1, 0..end).await.unwrap().unwrap().values.len() as u64, end);

    // Behind the last one: what is past the run's marks does not exist.
    server.cli(&["XADD", &stream(1), "1000-0", "x", "y"]);
    let series = hot.window(run, CHANNELS - 1, 0..u64::MAX).await.unwrap().unwrap();
    assert_eq!((series.end, series.values.len() as u64), (end, end));
    // It stands where samples would, and makes room for them: the batch is in whole, and once.
    writer.append(1).await;
    let end = 3 * SAMPLES;
    let seen = hot.get(run).await.unwrap().unwrap();
    assert_eq!((seen.last_seq, seen.next.lines, seen.next.sample(1)), (3, 3, end));
    assert_eq!(hot.window(run, 1, 0..u64::MAX).await.unwrap().unwrap().values.len() as u64, end);
    for (stream, entries) in [("log", "3"), ("s:0", "4"), ("s:1", "3")] {
        let key = format!("{}:{{{run}}}:{stream}", options.prefix);
        assert_eq!(server.cli(&["XLEN", &key]), entries, "{stream}");
    }

    // A step that fails half-way, at the last key: nothing of it counts, and what it left is no hindrance.
    server.cli(&["RENAME", &stream(1), "aside"]);
    server.cli(&["SET", &stream(1), "x"]);
    let refused = hot.append(&writer.batch(4)).await;
    assert!(matches!(refused, Err(StoreError::Precondition { .. })), "{refused:?}");
    assert_eq!(server.cli(&["XLEN", &format!("{}:{{{run}}}:log", options.prefix)]), "4", "its line was written");
    let seen = hot.get(run).await.unwrap().unwrap();
    assert_eq!((seen.last_seq, seen.next.lines, seen.next.sample(1)), (3, 3, end));
    assert_eq!(hot.lines(run, 0..u64::MAX).await.unwrap().unwrap().lines.len(), 3);
    server.cli(&["DEL", &stream(1)]);
    server.cli(&["RENAME", "aside", &stream(1)]);
    writer.append(1).await;
    let lines = hot.lines(run, 0..u64::MAX).await.unwrap().unwrap().lines;
    assert!(lines.len() == 4 && (0..).zip(&lines).all(|(number, have)| *have == line(run, number)));
    assert_eq!(server.cli(&["XLEN", &format!("{}:{{{run}}}:log", options.prefix)]), "4");

    // Keys of another type.
    server.cli(&["DEL", &stream(1)]);
    server.cli(&["SET", &stream(1), "x"]);
    let read = hot.window(run, 1, 0..end).await;
    assert!(matches!(read, Err(StoreError::Precondition { .. } | StoreError::Corrupt { .. })), "{read:?}");
    assert!(hot.window(run, 0, SAMPLES..end).await.is_ok());
}

/// All that a person or a log may get to see of an error.
fn told(error: &StoreError) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(inner) = source {
        text += &format!(" {inner} {inner:?}");
        source = inner.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_error_and_no_debug_shows_a_password() {
    const SECRET: &str = "hunter2-correct-horse";
    const OTHER: &str = "another-battery-staple";
    let acl = format!("user default off\nuser lucihub on >{SECRET} ~lh:* &lh:* +@all");
    let server = RedisServer::start(Config::new().acl(&acl).tls());
    let at = |scheme: &str, password: &str, place: &str| {
        let options = options(&format!("{scheme}://lucihub:{password}@{place}"));
        options.with_timeout(Duration::from_secs(1)).with_connect_timeout(Duration::from_secs(5))
    };
    let plain = format!("127.0.0.1:{}", server.port());
    let tls = format!("localhost:{}", server.tls_port());
    let none = server.ca_file().with_file_name("no-such-file.pem");
    let shows = |text: &str| text.contains("hunter2") || text.contains("horse") || text.contains("battery");
    let refused: Vec<(&str, RedisOptions)> = vec![
        ("wrong password", at("redis", OTHER, &plain)),
        ("nobody listens", at("redis", SECRET, "127.0.0.1:1")),
        ("no such host", at("redis", SECRET, "no-such-host.invalid:6379")),
        ("TLS without trust", at("rediss", SECRET, &tls)),
        ("TLS where there is none", at("rediss", SECRET, &plain)),
        ("no TLS where it is", at("redis", SECRET, &tls)),
        ("no CA file", at("rediss", SECRET, &tls).with_ca_file(none)),
        ("another scheme", at("http", SECRET, &plain)),
        ("no port", at("redis", SECRET, "127.0.0.1:notaport")),
        ("no cluster", at("redis-cluster", SECRET, &plain)),
        ("no Sentinel", at("redis-sentinel", SECRET, &format!("{plain}/?sentinelServiceName=lucihub"))),
        ("Sentinel without a name", at("redis-sentinel", SECRET, &plain)),
        ("unescaped", at("redis", &format!("{SECRET}@#/?{SECRET}"), &plain)),
    ];
    for (case, options) in refused {
        assert!(!shows(&format!("{options:?} {options:#?}")), "{case}: {options:?}");
        let error = RedisHot::open(options).await.err().unwrap_or_else(|| panic!("{case}: it was opened"));
        assert!(!shows(&told(&error)), "{case}: {}", told(&error));
    }
    let good = at("redis", SECRET, &plain);
    let hot = open(good.clone()).await;
    assert!(!shows(&format!("{hot:?} {hot:#?}")), "{hot:?}");
    let mut writer = writer(&hot).await;
    writer.append(1).await;
    // The password changes under a living handle, and is changed back.
    let set = |password: &str| server.cli(&["ACL", "SETUSER", "lucihub", "resetpass", &format!(">{password}")]);
    set(OTHER);
    server.cli(&["CLIENT", "KILL", "USER", "lucihub"]);
    let error = hot.append(&writer.batch(2)).await.unwrap_err();
    assert!(!shows(&told(&error)), "{}", told(&error));
    set(SECRET);
    tokio::time::timeout(Duration::from_secs(30), writer.append(1)).await.expect("it goes on");
    exact(&open(by(&good.url, &good)).await, writer.run, 2).await;
}
