//! What `archive --watch --listen` tells over HTTP.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use lucihub_store::observe::METRICS;
use lucihub_testkit::servers::{RedisOptions, RedisServer};
use serde_json::Value;

use crate::terminals::process::{Running, lucihub, printed, said, until};

/// One request, and the status and body of its answer.
fn ask(at: &str, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: {at}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn health(at: &str) -> (u16, Value) {
    let (status, body) = ask(at, "GET /healthz");
    (status, serde_json::from_str(&body).unwrap())
}

/// The value of a metric without labels.
fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    assert!(line.is_some(), "{name} in {text}");
    line.unwrap().parse().unwrap()
}

#[test]
fn a_keeper_tells_its_metrics_and_health() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let watch = ["archive", "--watch", "--listen", "127.0.0.1:0"];
    let mut keeper = Running::start(lucihub(&watch, dir.path(), &server.url()));
    let urls = keeper.hears("metrics and health on http://");
    let at = urls.split('/').next().unwrap().to_owned();
    keeper.hears("keeping the runs of ");
    let demo = ["demo", "--fast", "--samples", "20000", "--no-keeper"];
    printed(&lucihub(&demo, dir.path(), &server.url()).output().unwrap());

    let text = until("its run is archived and a walk is over", || {
        let (status, text) = ask(&at, "GET /metrics");
        assert_eq!(status, 200);
        let done = value(&text, "lucihub_runs_archived_total") > 0.0 && text.contains("lucihub_pending_runs 0");
        done.then_some(text)
    });
    assert_eq!(value(&text, "lucihub_runs_archived_total"), 1.0);
    assert!(value(&text, "lucihub_cold_written_bytes_total") >= 20_000.0 * 8.0, "{text}");
    assert!(value(&text, "lucihub_walk_seconds_count") >= 1.0 && value(&text, "lucihub_hot_used_bytes") > 0.0);
    assert_eq!(value(&text, "lucihub_archive_seconds_count"), 1.0);
    assert_eq!(value(&text, "lucihub_runs_failed_total"), 0.0);
    assert!(value(&text, "lucihub_checkpoint_lag_seconds") < 60.0);
    // Every name is a documented one, and its meaning stands with it.
    let told: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    for name in &told {
        assert!(METRICS.iter().any(|metric| metric.name == *name), "{name} is not documented");
    }
    let counters = METRICS.iter().filter(|metric| metric.name.ends_with("_total") && metric.labels.is_empty());
    for metric in counters {
        assert!(told.contains(metric.name), "{} in {told:?}", metric.name);
        assert!(text.contains(&format!("# HELP {} {}\n", metric.name, metric.meaning)), "{}", metric.name);
    }

    let (status, healthy) = health(&at);
    assert_eq!((status, &healthy["ready"]), (200, &true.into()), "{healthy}");
    assert!(healthy["cold"]["engine"].as_str().unwrap().starts_with("SQLite 3."), "{healthy}");
    assert!(healthy["hot"]["used_bytes"].as_u64() > Some(0) && healthy["why_not"] == Value::Array(Vec::new()));
    assert_eq!(ask(&at, "GET /readyz").0, 200);
    for request in ["GET /", "GET /metrics/", "POST /metrics", "GET /healthz2"] {
        assert_eq!(ask(&at, request).0, 404, "{request}");
    }

    // A port that is taken, in one sentence.
    let busy = lucihub(&["archive", "--watch", "--listen", &at], dir.path(), &server.url()).output().unwrap();
    assert_eq!(busy.status.code(), Some(1));
    assert!(said(&busy).lines().count() == 1 && said(&busy).contains(&format!("cannot listen on {at}")), "{busy:?}");

    server.kill();
    let (status, away) = until("it is seen that the server is away", || {
        let (status, health) = health(&at);
        (status == 503).then_some((status, health))
    });
    assert_eq!((status, &away["ready"], &away["hot"]["reachable"]), (503, &false.into(), &false.into()));
    let why = away["why_not"].as_array().unwrap();
    // By its address, or, if its client still tries to reach it, by what it is.
    let named =
        |text: &str| text.contains("unavailable") && (text.contains(&server.url()) || text.starts_with("hot storage"));
    assert!(why.len() == 1 && named(why[0].as_str().unwrap()), "{away}");
    assert_eq!(away["cold"]["reachable"], true, "the other one answers: {away}");
    assert_eq!(ask(&at, "GET /readyz").0, 503);
    server.restart();
    until("it is well again", || (health(&at).0 == 200).then_some(()));
    keeper.terminate();
    keeper.ends();
}

#[test]
fn health_is_told_before_the_server_is_there() {
    let dir = tempfile::tempdir().unwrap();
    // A port on which nobody answers.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("redis://{nobody}");
    let mut keeper = Running::start(lucihub(&["archive", "--watch", "--listen", "0"], dir.path(), &url));
    let at = keeper.hears("metrics and health on http://").split('/').next().unwrap().to_owned();
    assert!(at.starts_with("127.0.0.1:"), "a port alone is this machine's: {at}");
    let (status, health) = health(&at);
    assert_eq!((status, &health["ready"]), (503, &false.into()), "{health}");
    keeper.terminate();
    keeper.ends();
    let alone = lucihub(&["archive", "--listen", "0"], dir.path(), &url).output().unwrap();
    assert_eq!(alone.status.code(), Some(1), "it is of --watch: {}", said(&alone));
}
