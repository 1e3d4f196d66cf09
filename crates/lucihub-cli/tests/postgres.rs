//! The command on PostgreSQL.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use lucihub_testkit::servers::{PostgresOptions, PostgresServer};
use serde_json::Value;

fn lucihub(args: &[&str], folder: &Path, url: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
    for name in ["REDIS_URL", "LUCIHUB_REDIS_CA_FILE", "LUCIHUB_KEY_PREFIX", "CARGO"] {
        command.env_remove(name);
    }
    command.args(args).current_dir(folder).env("DATABASE_URL", url).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_demo_goes_where_the_next_commands_look() {
    let server = PostgresServer::start(PostgresOptions::new());
    let url = server.admin_url(&server.fresh_database(None));
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| lucihub(args, folder.path(), &url);

    let early = run(&["demo", "--fast", "--samples", "2000"]);
    assert_eq!(early.status.code(), Some(1));
    assert!(text(&early.stderr).contains("migrate up"), "{}", text(&early.stderr));
    assert!(!folder.path().join("lucihub-demo").exists(), "nothing is made where nothing is recorded");
    assert!(run(&["migrate", "up"]).status.success());

    let demo = run(&["demo", "--fast", "--samples", "2000"]);
    let said = text(&demo.stdout);
    assert!(demo.status.success(), "{}", text(&demo.stderr));
    assert!(said.contains("It lies in PostgreSQL at 127.0.0.1:") && said.contains("\n  lucihub runs list\n"), "{said}");
    assert!(!said.contains('@'), "neither user nor password: {said}");
    let list = run(&["runs", "list", "--json", "--label", "system=two Lorenz systems a hair apart", "--total"]);
    let listed: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert!(said.contains(listed[0]["id"].as_str().unwrap()), "{said}");
    assert_eq!(text(&list.stderr), "1 in all\n");
    assert!(run(&["runs", "list", "--related-to", "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e"]).status.success());

    let flag = Command::new(env!("CARGO_BIN_EXE_lucihub"))
        .args(["demo", "--fast", "--samples", "2000", "--database-url", &url])
        .env_remove("DATABASE_URL")
        .env_remove("REDIS_URL")
        .env_remove("CARGO")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = text(&flag.stdout);
    assert!(flag.status.success() && said.contains("\n  DATABASE_URL=... lucihub runs list\n"), "{said}");

    // It has no tombstones to leave: what still sends would make a deleted run rise again.
    let keep = ["gc", "--keep", "succeeded=0s"];
    let refused = run(&[&keep[..], &["--yes"]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("needs a Redis server"), "{}", text(&refused.stderr));
    let counted = run(&[&keep[..], &["--dry-run"]].concat());
    assert!(text(&counted.stdout).starts_with("succeeded: 2 archived before"), "{}", text(&counted.stdout));
}

#[test]
fn two_databases_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["runs", "list", "--dir", "a", "--database-url", "postgres://user:s3cret@host/lab"];
    let refused = lucihub(&args, folder.path(), "sqlite:other");
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("--dir and --database-url") && !said.contains("s3cret"), "{said}");
    // The variable is for all commands: the flag is for this one.
    let given = lucihub(&["runs", "list", "--dir", "a"], folder.path(), "sqlite:other");
    assert!(text(&given.stderr).contains("no database at a/lucihub.sqlite"), "{}", text(&given.stderr));
}
