//! What a failed step, a lost run or a failover leaves behind: it stands in nobody's way, and is taken for nothing else.

use std::sync::Arc;
use std::time::Duration;

use lucihub_hot::redis::RedisHot;
use lucihub_models_core::hot::{
    DeviceSeen, HotAppend, HotDevices, HotEvents, HotRuns, Outcome, Removed, TakeOver, Taken, TookOver,
};
use lucihub_models_core::{Batch, BatchBody, IdSource, RunState};
use lucihub_testkit::SeededIds;
use lucihub_testkit::models::{device_seen, ending_in, lines_body, lorenz_head, store_event};
use lucihub_testkit::servers::{RedisOptions as Config, RedisServer};

use super::check::{exact, exact_stored};
use super::tally::Tally;
use super::writer::{LEASE, Writer};

use crate::redis::harness::{open, options};

async fn writer(hot: &RedisHot, seed: u64) -> Writer {
    Writer::begin(hot.clone(), seed, Arc::new(Tally::default())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_lost_begins_anew_beside_what_is_left_of_it() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let mut first = writer(&hot, 1).await;
    first.append(3).await;
    // What decides is gone, and the streams are not.
    server.cli(&["DEL", &format!("{}:{{{}}}:run", options.prefix, first.run)]);
    let mut again = writer(&hot, 1).await;
    assert_eq!(again.run, first.run);
    again.append(2).await;
    exact(&hot, again.run, 2).await;
    exact_stored(&server, &options.prefix, again.run, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_expiring_run_still_learns_leaves_with_it() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let mut writer = writer(&hot, 1).await;
    writer.append(2).await;
    let end = Batch::new(writer.run, writer.mark(), 3, ending_in(BatchBody::default(), RunState::Failed));
    assert_eq!(hot.append(&end).await.unwrap().outcome, Outcome::Applied);
    assert!(hot.expire(writer.run, Duration::from_secs(3_600)).await.unwrap());
    let reached = hot.get(writer.run).await.unwrap().unwrap().next;
    hot.confirm(writer.run, &reached).await.unwrap().unwrap();
    hot.trim(writer.run, &reached).await.unwrap().unwrap();
    assert!(hot.note(writer.run, &[store_event(1)]).await.unwrap());
    let keys = server.cli(&["KEYS", &format!("{}:{{{}}}:*", options.prefix, writer.run)]);
    for part in [":base", ":confirmed", ":events"] {
        assert!(keys.contains(part), "{part} is not among {keys}");
    }
    for key in keys.lines() {
        let left: i64 = server.cli(&["PTTL", key]).parse().unwrap();
        assert!((1..=3_700_000).contains(&left), "{key} stays for {left} ms");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_stepped_back_makes_no_negative_age() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let writer = writer(&hot, 1).await;
    let key = format!("{}:{{{}}}:run", options.prefix, writer.run);
    server.cli(&["HSET", &key, "changed_at", "9000000000000000"]);
    match hot.remove(writer.run, false, LEASE).await.unwrap() {
        Removed::Held { idle, .. } => assert_eq!(idle, Duration::ZERO),
        Removed::Removed => panic!("its lease lives"),
    }
}

async fn take(hot: &RedisHot, ids: &SeededIds, run: lucihub_models_core::RunId, worker: &str) -> Taken {
    let request = TakeOver { run, worker: worker.to_owned(), writer: ids.writer_id(), lease: Duration::ZERO };
    match hot.take_over(&request).await.unwrap() {
        TookOver::Taken(taken) => *taken,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_a_failover_undid_is_not_taken_for_the_one_that_came_after() {
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let (hot, reader) = (open(options.clone()).await, open(options.clone()).await);
    let ids = SeededIds::new(0xfa);
    let head = lorenz_head(0);
    let run = head.id;
    hot.open(&head).await.unwrap();
    take(&hot, &ids, run, "first").await;
    // What the replica has.
    let key = |part: &str| format!("{}:{{{run}}}:{part}", options.prefix);
    for part in ["run", "head"] {
        server.cli(&["COPY", &key(part), &key(&format!("{part}.replica"))]);
    }
    let firmware = async |worker: &str, firmware: &str| {
        let taken = take(&hot, &ids, run, worker).await;
        let mut body = lines_body([worker]);
        body.patch.firmware = Some(firmware.to_owned());
        let answer = hot.append(&Batch::new(run, taken.mark, 1, body)).await.unwrap();
        assert_eq!(answer.outcome, Outcome::Applied);
        let confirmed = lucihub_models_core::Positions { lines: 1, ..Default::default() };
        hot.confirm(run, &confirmed).await.unwrap();
        reader.get(run).await.unwrap().unwrap().head.firmware.clone()
    };
    assert_eq!(firmware("lost", "1.0").await.as_deref(), Some("1.0"));
    for part in ["run", "head"] {
        server.cli(&["COPY", &key(&format!("{part}.replica")), &key(part), "REPLACE"]);
    }
    for part in ["log", "confirmed"] {
        server.cli(&["DEL", &key(part)]);
    }
    // The same worker, epoch and number, and yet another head.
    assert_eq!(firmware("lost", "2.0").await.as_deref(), Some("2.0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_are_read_once_and_leave_the_list_when_they_are_gone() {
    const ENTITY: usize = 8 * 1024;
    let server = RedisServer::start(Config::new());
    let options = options(&server.url());
    let hot = open(options.clone()).await;
    let seen = |n| DeviceSeen { entity: Some(vec![7; ENTITY].into()), ..device_seen(n, "scanner") };
    for n in 0..100 {
        hot.announce(&seen(n), LEASE).await.unwrap();
    }
    let read = || {
        server
            .cli(&["INFO", "stats"])
            .lines()
            .find_map(|l| l.strip_prefix("total_net_output_bytes:")?.trim().parse::<u64>().ok())
            .unwrap()
    };
    assert_eq!(hot.active().await.unwrap().len(), 100);
    let before = read();
    let again = hot.active().await.unwrap();
    let cost = read() - before;
    assert!((0..100).all(|n| again.iter().any(|device| device.seen == seen(n))));
    // The entities were read before.
    assert!(cost < 10 * ENTITY as u64, "{cost} bytes for what is known");
    // Another entity is read, and the old one is not shown.
    let mut changed = seen(7);
    changed.entity = Some(Arc::from(&b"another"[..]));
    hot.announce(&changed, LEASE).await.unwrap();
    assert_eq!(hot.active_device(&changed.id).await.unwrap().unwrap().seen, changed);
    assert_eq!(hot.active().await.unwrap().into_iter().filter(|d| d.seen == changed).count(), 1);

    let list = format!("{}:{{devices}}:all", options.prefix);
    server.cli(&["DEL", &format!("{}:{{devices}}:d:{}", options.prefix, changed.id)]);
    assert_eq!(server.cli(&["SCARD", &list]), "100");
    assert_eq!(hot.active().await.unwrap().len(), 99);
    assert_eq!(server.cli(&["SCARD", &list]), "99");
}
