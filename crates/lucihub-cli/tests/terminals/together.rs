//! One recorder, one follower, one keeper: three processes on one run.

use lucihub_testkit::servers::{RedisOptions, RedisServer};
use serde_json::Value;

use crate::terminals::process::{Running, lucihub, printed, said, until};

#[test]
fn three_processes_work_on_one_run() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let command = |args: &[&str]| lucihub(args, dir.path(), &server.url());
    let ask = |args: &[&str]| command(args).output().unwrap();

    // Paced, 4 s long; it waits for the keeper below however long the rest takes.
    let mut demo = Running::start(command(&["demo", "--json", "--no-keeper", "--samples", "250000"]));
    let run = demo.hears("run ");
    let follower = Running::start(command(&["runs", "logs", "-f", &run]));

    // No keeper has it yet, so that it is live until one does.
    let shown = until("the worker has recorded something", || {
        let shown: Value = serde_json::from_str(printed(&ask(&["runs", "show", &run, "--json"]))).unwrap();
        (shown["positions"]["samples"][0].as_u64() > Some(0)).then_some(shown)
    });
    assert_eq!((&shown["source"], &shown["archived_at"]), (&"live".into(), &Value::Null));
    assert!(printed(&ask(&["runs", "show", &run])).contains("live, the present"));
    let devices: Value = serde_json::from_str(printed(&ask(&["devices", "list", "--json"]))).unwrap();
    assert_eq!((&devices[0]["id"], &devices[0]["active"]), (&"lucidac-demo".into(), &true.into()));
    assert!(printed(&ask(&["devices", "list"])).contains("ACTIVE"));

    let mut keeper = Running::start(command(&["archive", "--watch", "--json"]));
    keeper.hears("keeping the runs of ");
    let report: Value = serde_json::from_str(&demo.ends()).unwrap();
    assert_eq!((&report["verified"], &report["run_id"]), (&true.into(), &run.as_str().into()));

    let followed = follower.ends();
    let logs = ask(&["runs", "logs", &run]);
    assert_eq!(followed, printed(&logs), "every line once, in order");
    assert_eq!(followed.lines().count() as u64, report["log_lines"].as_u64().unwrap());

    keeper.terminate();
    let reports: Vec<Value> = keeper.ends().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sum = |field: &str| reports.iter().map(|report| report[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("archived"), sum("devices")), (1, 2), "{reports:?}");

    server.kill();
    let shown = ask(&["runs", "show", &run]);
    assert!(printed(&shown).contains("archive, final") && said(&shown).is_empty(), "{}", said(&shown));
    assert_eq!(printed(&ask(&["runs", "logs", "-f", &run])), followed);
    let why: Value = serde_json::from_str(printed(&ask(&["runs", "why", &run, "--json"]))).unwrap();
    let said = why["why"].as_str().unwrap();
    assert!(said.starts_with("succeeded at 2") && said.contains("; archived at 2") && !said.contains("lost"), "{said}");
    assert_eq!((&why["state"], &why["lost"]["lines"]), (&"succeeded".into(), &0.into()));
    let events = why["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["taken_over", "archived"], "the server is gone, and they are not: {events:?}");
    let table = ask(&["runs", "why", &run, "--events"]);
    let lines: Vec<_> = printed(&table).lines().collect();
    assert_eq!((lines.len(), lines[0]), (4, said), "{lines:?}");
    assert!(
        lines[1].starts_with(" TIME ") && lines[1].contains(" WHAT ") && lines[1].ends_with(" DETAILS"),
        "{lines:?}"
    );
    assert!(lines[2].contains(" taken_over ") && lines[3].contains(" archived "), "{lines:?}");
}

#[test]
fn a_demo_ends_whoever_archives_its_run() {
    let server = RedisServer::start(RedisOptions::new());
    let dir = tempfile::tempdir().unwrap();
    let mut keeper = Running::start(lucihub(&["archive", "--watch"], dir.path(), &server.url()));
    keeper.hears("made a new database, ");
    keeper.hears("keeping the runs of ");
    for _ in 0..3 {
        let demo = lucihub(&["demo", "--fast", "--samples", "20000"], dir.path(), &server.url()).output().unwrap();
        let report = printed(&demo);
        assert!(
            report.contains(&format!("more on {}; the run leaves hot storage in an hour", server.url())),
            "{report}"
        );
        assert!(said(&demo).contains("in a second terminal: lucihub runs logs -f "), "{}", said(&demo));
    }
    let other = tempfile::tempdir().unwrap();
    let mut by_flag = lucihub(&["demo", "--fast", "--samples", "1000"], other.path(), "");
    let flags = format!(" --redis-url {} --key-prefix lh:flag", server.url());
    let report = by_flag.args(flags.split_whitespace()).output().unwrap();
    assert!(
        said(&report).lines().any(|hint| hint.starts_with("in a second") && hint.ends_with(&flags)),
        "{}",
        said(&report)
    );
    assert_eq!(printed(&report).matches(&flags).count(), 5, "{}", printed(&report));
    keeper.terminate();
    assert_eq!(keeper.ends(), "");
    let once = lucihub(&["archive"], dir.path(), &server.url()).output().unwrap();
    assert_eq!(printed(&once), "2 devices entered\n", "no run waits");
}
