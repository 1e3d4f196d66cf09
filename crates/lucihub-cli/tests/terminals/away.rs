//! A server that goes away while a run is live.

use lucihub_testkit::servers::{RedisOptions, RedisServer};
use serde_json::Value;

use crate::terminals::process::{Running, lucihub, printed, said};

#[test]
fn readers_go_on_with_cold_storage_and_say_so() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let ask = |args: &[&str]| lucihub(args, dir.path(), &server.url()).output().unwrap();
    let mut demo = Running::start(lucihub(&["demo", "--no-keeper"], dir.path(), &server.url()));
    let run = demo.hears("run ");
    // Killed, as is the server: nobody archives it.
    drop(demo);
    server.kill();

    let shown = ask(&["runs", "show", &run, "--json"]);
    let json: Value = serde_json::from_str(printed(&shown)).unwrap();
    assert_eq!((&json["source"], &json["archived_at"]), (&"stale".into(), &Value::Null));
    assert!(said(&shown).contains(&server.url()) && said(&shown).contains("this is what cold storage has"));
    assert!(printed(&ask(&["runs", "show", &run])).contains("stale, the last checkpoint"));
    let why = |ends: &str| {
        let why = ask(&["runs", "why", &run]);
        let said = printed(&why);
        assert!(said.lines().count() == 1 && said.trim_end().ends_with(ends), "{said}");
    };
    why(": hot storage cannot be reached, so this is the last checkpoint");
    let unasked = lucihub(&["runs", "show", &run], dir.path(), "").output().unwrap();
    assert!(printed(&unasked).contains("no REDIS_URL is set"), "{}", printed(&unasked));
    let list = ask(&["runs", "list"]);
    assert!(printed(&list).contains(&run) && said(&list).is_empty(), "lists need no hot storage");
    let devices = ask(&["devices", "list"]);
    let is_unknown = |line: &str| line.trim_end().ends_with('?');
    assert!(
        printed(&devices).lines().skip(1).all(is_unknown) && said(&devices).contains("unavailable"),
        "{}",
        said(&devices)
    );

    let followed = ask(&["runs", "logs", "-f", &run]);
    assert_eq!(followed.status.code(), Some(3), "{}", said(&followed));
    assert_eq!(said(&followed).lines().count(), 1, "{}", said(&followed));

    server.restart();
    let shown = ask(&["runs", "show", &run, "--json"]);
    let json: Value = serde_json::from_str(printed(&shown)).unwrap();
    assert_eq!(json["source"], "checkpoint", "the server has lost it: {}", said(&shown));
    why(": hot storage does not have it yet, a keeper brings it there");
}
