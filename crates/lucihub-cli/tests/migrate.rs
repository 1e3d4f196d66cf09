//! `lucihub migrate`: what it prints, what it refuses, and that a dry run runs nothing.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use diesel::Connection;
use diesel::connection::SimpleConnection;

fn lucihub(args: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
    command.arg("migrate").args(args).arg("--dir").arg(dir).env_remove("DATABASE_URL").stdin(Stdio::null());
    command.output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}: {}", output.status, said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// How messages name the database of a folder.
fn shown(dir: &Path) -> String {
    format!("SQLite file {}", dir.join("lucihub.sqlite").display())
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
    assert!(applied.starts_with("applied 2026-11-23-000000_first\n"), "{applied}");
    let file = std::fs::read(dir.path().join("lucihub.sqlite")).unwrap();
    for args in [&["down", "--dry-run"][..], &["redo", "--dry-run"], &["down", "99", "--dry-run"]] {
        assert!(printed(&lucihub(args, dir.path())).contains("DROP "), "{args:?}");
    }
    assert_eq!(std::fs::read(dir.path().join("lucihub.sqlite")).unwrap(), file);
    let again = lucihub(&["up"], dir.path());
    assert_eq!((printed(&again), said(&again)), (String::new(), format!("{}: nothing to do\n", shown(dir.path()))));
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
    let redone = lucihub(&["redo", "--yes"], dir.path());
    let lines: Vec<_> = printed(&redone).lines().map(str::to_owned).collect();
    let [undone, applied] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(undone.strip_prefix("undone "), applied.strip_prefix("applied "));
    assert_eq!(said(&redone), format!("{}: 1 migration undone and applied again\n", shown(dir.path())));
    printed(&lucihub(&["check"], dir.path()));

    let down = lucihub(&["down", "--yes"], dir.path());
    assert!(printed(&down).starts_with("undone ") && printed(&down).lines().count() == 1, "{}", printed(&down));
    assert_eq!(said(&down), format!("{}: 1 migration undone\n", shown(dir.path())));
    let status = printed(&lucihub(&["status"], dir.path()));
    assert_eq!(status.lines().count(), count + 1, "{status}");
    assert!(status.lines().last().unwrap().contains("pending"), "{status}");
    let check = lucihub(&["check"], dir.path());
    assert_eq!(check.status.code(), Some(4), "{}", said(&check));
    assert!(String::from_utf8(check.stdout.clone()).unwrap().contains("run `lucihub migrate up`"));
    assert!(said(&check).contains("1 problem of the schema"), "{}", said(&check));
    let redo = lucihub(&["redo", "--yes"], dir.path());
    assert_eq!(redo.status.code(), Some(1));
    assert!(said(&redo).contains("1 migration is pending; run `lucihub migrate up` first"), "{}", said(&redo));
}

#[test]
fn programs_read_json() {
    let dir = tempfile::tempdir().unwrap();
    printed(&lucihub(&["up"], dir.path()));
    let read = |args: &[&str]| -> serde_json::Value {
        let output = lucihub(args, dir.path());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&output)))
    };
    let status = read(&["status", "--json"]);
    assert_eq!(status["database"], shown(dir.path()));
    let migrations = status["migrations"].as_array().unwrap();
    let first = &migrations[0];
    assert_eq!((&first["name"], &first["state"]), (&"2026-11-23-000000_first".into(), &"applied".into()));
    assert!(first["applied_at"].is_string() && first["oldest_generation"].is_null(), "{first}");
    let check = read(&["check", "--json"]);
    assert_eq!(check, serde_json::json!({ "database": shown(dir.path()), "ok": true, "problems": [] }));

    printed(&lucihub(&["down", "--yes"], dir.path()));
    let status = read(&["status", "--json"]);
    assert_eq!(status["migrations"].as_array().unwrap().last().unwrap()["state"], "pending");
    let check = read(&["check", "--json"]);
    let problem = &check["problems"][0];
    assert_eq!((&check["ok"], &problem["kind"]), (&false.into(), &"pending".into()));
    assert!(
        problem["refuses_opening"] == true && problem["text"].as_str().unwrap().contains("is pending"),
        "{problem}"
    );
    assert_eq!(lucihub(&["check", "--json"], dir.path()).status.code(), Some(4));
}

/// Nothing fails for it, and nobody else looks.
#[test]
fn up_warns_of_a_text_that_changed() {
    let dir = tempfile::tempdir().unwrap();
    printed(&lucihub(&["up"], dir.path()));
    let file = dir.path().join("lucihub.sqlite").display().to_string();
    let mut raw = diesel::SqliteConnection::establish(&file).unwrap();
    raw.batch_execute("UPDATE lucihub_migrations SET digest = 'other' WHERE name = '2026-11-23-000000_first'").unwrap();
    let up = lucihub(&["up"], dir.path());
    assert_eq!(printed(&up), "");
    let told = said(&up);
    assert!(told.contains("warning: migration 2026-11-23-000000_first was applied with another text"), "{told}");
    assert!(told.contains("use the version that applied it"), "{told}");
}

#[test]
fn every_verb_shows_how_it_is_called() {
    for verb in ["status", "up", "down", "redo", "check"] {
        let help =
            printed(&Command::new(env!("CARGO_BIN_EXE_lucihub")).args(["migrate", verb, "--help"]).output().unwrap());
        assert!(help.contains("postgres://USER:PASSWORD@HOST/DATABASE"), "{help}");
        assert!(help.contains("Examples:") && help.contains(&format!("lucihub migrate {verb}")), "{help}");
    }
}

#[test]
fn no_password_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody listens there, and the second is no URL of ours.
    for (url, code) in [
        ("postgres://u:s3cret@127.0.0.1:1/lab", 3),
        ("POSTGRES://u:s3cret@127.0.0.1:1/lab", 3),
        ("mysql://u:s3cret@h/lab", 1),
    ] {
        for verb in ["status", "up", "check"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
            command.args(["migrate", verb]).env("DATABASE_URL", url).current_dir(dir.path());
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{}", said(&output));
            assert!(said(&output).lines().count() == 1 && !said(&output).contains("s3cret"), "{}", said(&output));
        }
    }
}
