//! `lucihub migrate`: what it prints, what it refuses, and that a dry run runs nothing.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn lucihub(args: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
    command.arg("migrate").args(args).arg("--dir").arg(dir).env_remove("DATABASE_URL").stdin(Stdio::null());
    command.output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}: {}", output.status, said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_dry_run_prints_the_sql_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let sql = printed(&lucihub(&["up", "--dry-run"], dir.path()));
    for part in
        ["CREATE TABLE lucihub_migrations", "-- 2026-11-23-000000_first up, in a transaction", "CREATE TABLE runs"]
    {
        assert!(sql.contains(part), "{part} is not in {sql}");
    }
    assert!(!dir.path().join("lucihub.sqlite").exists());

    let applied = printed(&lucihub(&["up"], dir.path()));
    assert!(applied.starts_with("2026-11-23-000000_first\n"), "{applied}");
    let file = std::fs::read(dir.path().join("lucihub.sqlite")).unwrap();
    for args in [&["down", "--dry-run"][..], &["redo", "--dry-run"], &["down", "99", "--dry-run"]] {
        assert!(printed(&lucihub(args, dir.path())).contains("DROP TABLE"), "{args:?}");
    }
    assert_eq!(std::fs::read(dir.path().join("lucihub.sqlite")).unwrap(), file);
    let again = lucihub(&["up"], dir.path());
    assert_eq!((printed(&again), said(&again)), (String::new(), "there is nothing to do\n".to_owned()));
}

#[test]
fn undoing_wants_a_yes() {
    let dir = tempfile::tempdir().unwrap();
    let count = printed(&lucihub(&["up"], dir.path())).lines().count();
    for args in [&["down"][..], &["redo"]] {
        let output = lucihub(args, dir.path());
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("nothing was changed") && said(&output).contains("--yes"), "{}", said(&output));
    }
    printed(&lucihub(&["check"], dir.path()));
    assert_eq!(printed(&lucihub(&["redo", "--yes"], dir.path())).lines().count(), 2);
    printed(&lucihub(&["check"], dir.path()));

    assert_eq!(printed(&lucihub(&["down", "--yes"], dir.path())).lines().count(), 1);
    let status = printed(&lucihub(&["status"], dir.path()));
    assert_eq!(status.lines().count(), count + 1, "{status}");
    assert!(status.lines().last().unwrap().contains("pending"), "{status}");
    let check = lucihub(&["check"], dir.path());
    assert_eq!(check.status.code(), Some(4), "{}", said(&check));
    assert!(String::from_utf8(check.stdout.clone()).unwrap().contains("run `lucihub migrate up`"));
}

#[test]
fn every_verb_shows_how_it_is_called() {
    for verb in ["status", "up", "down", "redo", "check"] {
        let help =
            printed(&Command::new(env!("CARGO_BIN_EXE_lucihub")).args(["migrate", verb, "--help"]).output().unwrap());
        assert!(help.contains("Examples:") && help.contains(&format!("lucihub migrate {verb}")), "{help}");
    }
}

#[test]
fn no_password_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody listens there, and the second is no URL of ours.
    for (url, code) in [("postgres://u:s3cret@127.0.0.1:1/lab", 3), ("mysql://u:s3cret@h/lab", 1)] {
        for verb in ["status", "up", "check"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
            command.args(["migrate", verb]).env("DATABASE_URL", url).current_dir(dir.path());
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{}", said(&output));
            assert!(said(&output).lines().count() == 1 && !said(&output).contains("s3cret"), "{}", said(&output));
        }
    }
}
