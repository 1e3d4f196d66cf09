//! Which run a worker gets, and when it gets none.

use std::time::Duration;

use lucihub_store::{Keeper, KeeperOptions};
use serde_json::json;

use crate::record::lab::{Lab, Worker};

#[test]
fn the_next_run_of_a_device_is_waited_for() {
    let lab = Lab::new();
    let args = ["record", "--device", "lucidac-1", "--worker", "bench"];
    for no_wait in ["--no-wait", "--once"] {
        let why = Worker::start(lab.with_database(&[&args[..], &[no_wait]].concat())).has_ended_with(124).1;
        assert!(why.starts_with("lucihub: no run is queued for device lucidac-1; without --no-wait"), "{why}");
    }

    let mut worker = Worker::start(lab.with_database(&args));
    lab.queue("lucidac-2");
    let (first, second) = (lab.queue("lucidac-1"), lab.queue("lucidac-1"));
    assert_eq!(worker.hears("taken")["run"], json!(first.to_string()));
    let mut other = Worker::start(lab.with_database(&args));
    assert_eq!(other.hears("taken")["run"], json!(second.to_string()), "not the one that is taken");
    for (mut worker, run) in [(worker, first), (other, second)] {
        worker.says(r#"{"finish":"failed","error":"no chip"}"#);
        worker.hears("ended");
        worker.has_ended_with(0);
        assert_eq!(lab.archived(run).head.error.as_deref(), Some("no chip"));
    }
    // A worker that is gone takes no run.
    let gone = Worker::start(lab.with_database(&args));
    let (_, why) = gone.ends_with(1);
    assert!(why.contains("standard input ended before a run was taken; none was taken"), "{why}");
    let mut waits = Worker::start(lab.with_database(&args));
    waits.is_said("waiting for a run on lucidac-1");
    waits.signal("-TERM");
    let (_, why) = waits.has_ended_with(2);
    assert!(why.ends_with("lucihub: stopped before a run was taken\n"), "{why}");
}

#[test]
fn a_run_is_named_by_how_its_id_begins_where_there_is_a_database() {
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let prefix = &run.to_string()[..13];
    let args = ["record", prefix, "--worker", "bench"];
    let mut worker = Worker::start(lab.with_database(&args));
    assert_eq!(worker.hears("taken")["run"], json!(run.to_string()));
    let without = Worker::start(lab.lucihub(&args)).has_ended_with(1).1;
    assert!(without.contains("no database at lucihub-demo/lucihub.sqlite"), "{without}");
}

#[test]
fn what_cannot_be_had_is_said_with_its_exit_code() {
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let mut holder = lab.record(run, &[]);
    holder.hears("taken");
    let held = lab.record(run, &[]).has_ended_with(4).1;
    assert!(held.contains(&format!("run {run} is held by bench until 2")), "{held}");
    holder.says(r#"{"finish":"cancelled"}"#);
    holder.hears("ended");
    let over = lab.record(run, &[]).has_ended_with(2).1;
    assert!(over.contains("has ended as cancelled"), "{over}");
    let keeper = Keeper::new(lab.store.clone(), KeeperOptions::default().with_grace(Duration::ZERO));
    lab.runtime.block_on(keeper.walk()).unwrap();
    let by_prefix = ["record", &run.to_string()[..20], "--worker", "bench"];
    let archived = Worker::start(lab.with_database(&by_prefix)).has_ended_with(2).1;
    assert_eq!(archived, over, "where only cold storage has it, too");

    let run = lab.queue("lucidac-1");
    lab.cancel(run);
    let cancelled = lab.record(run, &[]).has_ended_with(2).1;
    assert_eq!(cancelled, format!("lucihub: run {run} was cancelled\n"));

    let unknown = lab.record("0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap(), &[]).has_ended_with(1).1;
    assert!(unknown.contains("is not in hot storage; a keeper opens it if it exists"), "{unknown}");

    let args = ["record", "--device", "lucidac-1", "--worker", "bench"];
    let mut alone = lab.with_database(&args);
    alone.env("REDIS_URL", "");
    let alone = Worker::start(alone).has_ended_with(1).1;
    assert!(alone.contains("`lucihub record` needs a Redis server that processes share"), "{alone}");

    lab.server.kill();
    let away = lab.record(run, &["--patience", "2"]).has_ended_with(3).1;
    assert!(away.contains("is unavailable") && away.contains("waiting for it up to 2 s"), "{away}");
}

#[test]
fn help_has_examples_and_no_secret() {
    let lab = Lab::new();
    let mut command = lab.lucihub(&["record", "--help"]);
    let help = command.env("REDIS_URL", "redis://:s3cret@host").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success() && text.contains("--writer <WRITER>") && !text.contains("s3cret"), "{text}");
    assert!(text.contains("  lucihub record --device lucidac-1 --worker bench-3\n"), "{text}");
}
