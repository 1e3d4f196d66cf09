//! Acting on runs and devices, with a server.

use lucihub_models_core::DeviceType;
use lucihub_models_core::hot::{DEVICE_LEASE, DeviceSeen};
use lucihub_store::{Store, Urls};
use lucihub_testkit::servers::{RedisOptions, RedisServer};
use serde_json::Value;

use crate::terminals::process::{lucihub, printed, said};

#[test]
fn runs_are_created_labelled_cancelled_and_deleted() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let ask = |args: &[&str]| lucihub(args, dir.path(), &server.url()).output().unwrap();
    printed(&ask(&["migrate", "up"]));
    printed(&ask(&["devices", "add", "lucidac-1", "--kind", "LUCIDAC", "--schema", "lucidac"]));

    let input = dir.path().join("input.json");
    std::fs::write(&input, "{\"no\": \"circuit\"}").unwrap();
    let input = input.to_str().unwrap();
    let refused = ask(&["runs", "create", "--device", "lucidac-1", "--input", input]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("input.json is not valid"), "{}", said(&refused));
    assert_eq!(printed(&ask(&["runs", "list", "-o", "ids"])), "", "nothing was created");

    let create = ["runs", "create", "--device", "lucidac-1", "--input", input, "--unchecked", "--channel", "x"];
    let create =
        [&create[..], &["--rate", "1e4", "--op-time", "100ms", "--label", "series=a", "--owner", "ada"]].concat();
    let id = printed(&ask(&create)).trim().to_owned();
    let again = ask(&[&create[..], &["--id", &id]].concat());
    assert_eq!(printed(&again).trim(), id);
    assert!(said(&again).contains("it was there already"));
    let other = ask(&["runs", "create", "--id", &id]);
    assert_eq!(other.status.code(), Some(4), "{}", said(&other));

    let shown: Value = serde_json::from_str(printed(&ask(&["runs", "show", &id, "--json"]))).unwrap();
    assert_eq!((&shown["source"], &shown["run"]["head"]["device_type"]), (&"live".into(), &"LUCIDAC".into()));
    assert_eq!(
        (&shown["run"]["head"]["op_time_ns"], &shown["run"]["head"]["time_base"]["rate_hz"]),
        (&100_000_000.into(), &1e4.into())
    );
    assert_eq!(printed(&ask(&["runs", "label", &id, "series-", "quality=good"])), "quality=good\n");

    let many = ask(&["runs", "create"]);
    let second = printed(&many).trim().to_owned();
    let common: String = id.chars().zip(second.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    let ambiguous = ask(&["runs", "show", common.trim_end_matches('-')]);
    assert_eq!(ambiguous.status.code(), Some(1));
    let words = said(&ambiguous);
    assert!(words.contains("begins several") && words.contains(&id) && words.contains("give more of it"), "{words}");

    let alone = lucihub(&["runs", "delete", &second, "--yes"], dir.path(), "").output().unwrap();
    assert_eq!(alone.status.code(), Some(1));
    assert!(said(&alone).contains("no server is named that knows whether a worker has it"), "{}", said(&alone));
    for (twice, words) in [(["--channel", "x"], "two channels"), (["--label", "a=1"], "a label is given twice")] {
        let refused = ask(&[&["runs", "create"][..], &twice, &twice].concat());
        assert_eq!(refused.status.code(), Some(1));
        assert!(said(&refused).contains(words), "{}", said(&refused));
    }

    let prefix = &id[..common.len() + 1];
    assert!(printed(&ask(&["runs", "cancel", prefix, "--reason", "wrong"])).contains(": cancelled"));
    assert!(printed(&ask(&["runs", "cancel", &id])).contains(": cancelled"), "once more is the same");
    let done: Value = serde_json::from_str(printed(&ask(&["demo", "--fast", "--json", "--samples", "1000"]))).unwrap();
    let done = done["run_id"].as_str().unwrap();
    let ended = ask(&["runs", "cancel", done]);
    assert_eq!(ended.status.code(), Some(4));
    assert!(printed_anyway(&ended).contains("as succeeded") && said(&ended).contains("had ended before"));
    printed(&ask(&["archive"]));
    assert!(printed(&ask(&["runs", "why", &id])).contains("wrong"));

    let unasked = ask(&["runs", "delete", &id]);
    assert_eq!(unasked.status.code(), Some(1));
    assert!(said(&unasked).contains("confirm with --yes"));
    assert!(printed(&ask(&["runs", "delete", &id, "--dry-run"])).contains("cancelled"));
    assert!(printed(&ask(&["runs", "delete", &id, &second, "--yes"])).contains(": deleted"));
    assert_eq!(printed(&ask(&["runs", "list", "-o", "ids"])).trim(), done);
}

/// What a command printed though it failed.
fn printed_anyway(output: &std::process::Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

#[test]
fn devices_are_entered_shown_and_withdrawn() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let ask = |args: &[&str]| lucihub(args, dir.path(), &server.url()).output().unwrap();
    printed(&ask(&["migrate", "up"]));
    printed(&ask(&["devices", "add", "sim", "--kind", "SIMULATOR", "--always-active", "--input-type", "circuit"]));
    assert_eq!(printed(&ask(&["devices", "active", "-o", "ids"])), "sim\n");
    let shown = ask(&["devices", "show", "sim"]);
    assert!(printed(&shown).contains("always, by operator"), "{}", printed(&shown));
    let listed: Vec<Value> = serde_json::from_str(printed(&ask(&["devices", "list", "--json"]))).unwrap();
    assert_eq!((&listed[0]["active"], &listed[0]["input_type"]), (&true.into(), &"circuit".into()));
    assert!(ask(&["devices", "schema", "sim"]).status.code() == Some(1), "it has none");
    printed(&ask(&["devices", "set", "sim", "--schema", "redac"]));
    let schema: Value = serde_json::from_str(printed(&ask(&["devices", "schema", "sim"]))).unwrap();
    assert_eq!(schema["$id"], "lucihub/redac/1");
    printed(&ask(&["devices", "withdraw", "sim"]));
    assert!(printed(&ask(&["devices", "withdraw", "sim"])).contains("was not active"));
    assert_eq!(printed(&ask(&["devices", "active", "-o", "ids"])), "");
}

#[test]
fn a_device_that_a_scanner_sees_is_not_entered_over_it() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let ask = |args: &[&str]| lucihub(args, dir.path(), &server.url()).output().unwrap();
    printed(&ask(&["migrate", "up"]));
    let seen = DeviceSeen {
        id: "lucidac-1".parse().unwrap(),
        device_type: DeviceType::Lucidac,
        firmware: None,
        entity: None,
        scanner: "scanner-1".to_owned(),
        always_active: false,
    };
    let announced = async {
        let urls = Urls::new(server.url(), format!("sqlite:{}", dir.path().join("lucihub.sqlite").display()));
        Store::open(&urls).await.unwrap().announce(&seen, DEVICE_LEASE).await.unwrap()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(announced);
    let refused = ask(&["devices", "add", "lucidac-1", "--kind", "SIMULATOR", "--always-active"]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(said(&refused).contains("scanner-1"), "{}", said(&refused));
    let registry = lucihub(&["devices", "list", "-o", "ids"], dir.path(), "").output().unwrap();
    assert_eq!(printed(&registry), "", "nothing was written");
}

#[test]
fn status_says_what_does_not_do_its_work() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let status =
        |more: &[&str]| lucihub(&[&["status", "--over", "0s"], more].concat(), dir.path(), &server.url()).output();
    printed(&lucihub(&["migrate", "up"], dir.path(), "").output().unwrap());
    let good: Value = serde_json::from_str(printed(&status(&["--json"]).unwrap())).unwrap();
    assert_eq!((&good["ready"], &good["active_devices"]), (&true.into(), &0.into()));
    assert!(good["hot"]["engine"].as_str().unwrap().starts_with("Redis 7."), "{good}");
    assert!(good["cold"]["bytes"].as_u64().unwrap() > 0);
    assert!(printed(&status(&[]).unwrap()).contains("no run waits for a keeper"));

    server.kill();
    let bad = status(&["--json"]).unwrap();
    assert_eq!(bad.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!((&told["ready"], &told["hot"], &told["cold"]["reachable"]), (&false.into(), &Value::Null, &true.into()));
    assert!(told["why_not"][0].as_str().unwrap().contains("unavailable"), "{told}");
    assert!(said(&bad).contains("a storage cannot do its work, above"));
}
