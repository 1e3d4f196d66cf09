//! `lucihub sweep`, `lucihub gc` and `lucihub verify` on SQLite and a Redis server of their own.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use lucihub_models_core::{JobType, RunId, RunState};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, Store, Urls};
use lucihub_testkit::servers::{RedisOptions, RedisServer};
use serde_json::Value;
use tempfile::TempDir;

/// A lab with a server, a database file, and a run that was recorded and archived.
struct Lab {
    server: RedisServer,
    folder: TempDir,
    store: Store,
    run: RunId,
}

async fn lab() -> Lab {
    let server = RedisServer::start(RedisOptions::new());
    let folder = tempfile::tempdir().unwrap();
    let cold = format!("sqlite:{}", folder.path().join("lucihub.sqlite").display());
    let store = Store::open(&Urls::new(server.url(), cold)).await.unwrap();
    let mut head = store.new_run(JobType::Run);
    head.channels = vec![lucihub_models_core::Channel::named("x")];
    store.create(&head).await.unwrap();
    let recorder = store.record(head.id, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    let values: Vec<f64> = (0..3_000_u32).map(|n| f64::from(n).sin()).collect();
    recorder.samples(0, 0, &values).await.unwrap();
    recorder.log("begun").await.unwrap();
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    let lab = Lab { server, folder, store, run: head.id };
    lab.walk().await;
    lab
}

impl Lab {
    async fn walk(&self) {
        let report = Keeper::new(self.store.clone(), KeeperOptions::default()).walk().await.unwrap();
        assert!(report.errors.is_empty(), "{report:?}");
    }

    async fn queued(&self) -> RunId {
        let head = self.store.new_run(JobType::Run);
        self.store.create(&head).await.unwrap();
        head.id
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("lucihub.sqlite")
    }

    fn sql(&self, sql: &str) {
        let mut raw = SqliteConnection::establish(self.file().to_str().unwrap()).unwrap();
        diesel::sql_query("PRAGMA foreign_keys = ON").execute(&mut raw).unwrap();
        assert_eq!(diesel::sql_query(sql).execute(&mut raw).unwrap(), 1, "{sql}");
    }

    fn lucihub(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
        command.args(args).arg("--dir").arg(self.folder.path()).env("REDIS_URL", self.server.url());
        for name in ["DATABASE_URL", "LUCIHUB_REDIS_CA_FILE", "LUCIHUB_KEY_PREFIX", "CARGO"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// What a command prints that ends with this code.
    fn prints(&self, args: &[&str], code: i32) -> String {
        let output = self.lucihub(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout).to_owned()
    }

    /// The one JSON object of a command that ends with this code.
    fn json(&self, args: &[&str], code: i32) -> Value {
        let printed = self.prints(args, code);
        assert_eq!(printed.lines().count(), 1, "{printed}");
        serde_json::from_str(&printed).unwrap()
    }

    /// Why a command was refused.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.lucihub(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        text(&output.stderr).to_owned()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_is_found_and_removed_after_a_yes() {
    let lab = lab().await;
    assert!(lab.prints(&["sweep"], 0).ends_with("nothing is out of place\n"));
    let run = lab.queued().await;
    lab.sql(&format!("DELETE FROM runs WHERE id = x'{}'", run.as_uuid().simple()));
    let args = ["sweep", "--settled-for", "0s", "--json"];
    let found = lab.json(&args, 0);
    assert_eq!(
        names(&found),
        [
            "hot_max_bytes",
            "hot_runs",
            "hot_used_bytes",
            "leftovers",
            "lost",
            "open_runs",
            "orphans",
            "queued",
            "runs",
            "unreadable"
        ]
    );
    assert_eq!((&found["hot_runs"], &found["orphans"]["found"]), (&2.into(), &1.into()), "{found}");
    let named = &found["runs"][0];
    assert_eq!(names(named), ["error", "held_by", "kind", "run", "settled", "since", "state"]);
    assert_eq!((&named["kind"], &named["run"]), (&"orphan".into(), &run.to_string().into()));
    assert_eq!(lab.json(&["sweep", "--json"], 0)["orphans"]["found"], 0, "it has not settled for an hour");

    let dry = lab.json(&["sweep", "--settled-for", "0s", "--remove", "all", "--dry-run", "--json"], 0);
    assert_eq!((&dry["orphans"]["found"], &dry["orphans"]["settled"]), (&1.into(), &0.into()), "{dry}");
    let refused = lab.refused(&["sweep", "--settled-for", "0s", "--remove", "all"]);
    assert!(refused.contains("nothing was changed") && refused.contains("--yes"), "{refused}");
    assert!(lab.store.hot().get(run).await.unwrap().is_some());
    let swept = lab.json(&["sweep", "--settled-for", "0s", "--remove", "orphans", "--yes", "--json"], 0);
    assert_eq!(swept["orphans"]["settled"], 1, "{swept}");
    assert!(lab.store.hot().get(run).await.unwrap().is_none());
    assert_eq!(lab.json(&args, 0)["orphans"]["found"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_row_is_restored() {
    let lab = lab().await;
    lab.sql(&format!("DELETE FROM runs WHERE id = x'{}'", lab.run.as_uuid().simple()));
    let swept = lab.json(&["sweep", "--settled-for", "0s", "--restore", "--json"], 0);
    assert_eq!((&swept["orphans"]["found"], &swept["orphans"]["settled"]), (&1.into(), &1.into()), "{swept}");
    lab.walk().await;
    assert!(lab.store.status(lab.run).await.unwrap().archived.is_some());
    assert!(lab.prints(&["verify", &lab.run.to_string()], 0).starts_with("1 run, 2 cells read back: 0 damaged"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_queued_for_too_long_is_cancelled() {
    let lab = lab().await;
    let run = lab.queued().await;
    assert_eq!(lab.json(&["sweep", "--json"], 0)["queued"]["found"], 0);
    let found = lab.prints(&["sweep", "--queued-for", "0s"], 0);
    assert!(found.contains("1 queued for too long\n") && found.contains(&run.to_string()), "{found}");
    let swept = lab.prints(&["sweep", "--queued-for", "0s", "--remove", "queued", "--yes"], 0);
    assert!(swept.contains("1 queued for too long, 1 cancelled") && swept.contains("done"), "{swept}");
    lab.walk().await;
    let status = lab.store.status(run).await.unwrap();
    assert!(status.archived.is_some() && *status.head.state() == RunState::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn gc_counts_first_and_deletes_after_a_yes() {
    let lab = lab().await;
    let open = lab.queued().await;
    assert!(lab.prints(&["gc"], 0).starts_with("no --keep rule, so nothing is deleted\nhot storage uses "));
    let counted = lab.json(&["gc", "--keep", "succeeded=0s", "--keep", "failed=1d", "--dry-run", "--json"], 0);
    assert_eq!(names(&counted), ["hot_max_bytes", "hot_used_bytes", "rules"]);
    let rule = &counted["rules"][0];
    assert_eq!(names(rule), ["before", "deleted", "errors", "failed", "found", "keep_seconds", "state"]);
    assert_eq!((&rule["state"], &rule["found"], &rule["deleted"]), (&"succeeded".into(), &1.into(), &0.into()));
    assert!(lab.prints(&["gc", "--keep", "succeeded=90d", "--yes"], 0).starts_with("succeeded: 0 archived before "));

    let refused = lab.refused(&["gc", "--keep", "succeeded=0s"]);
    assert!(refused.contains("nothing was changed") && refused.contains("--yes"), "{refused}");
    assert!(lab.store.status(lab.run).await.is_ok());
    for bad in ["queued=1d", "succeeded=1", "succeeded", "in_progress=2h"] {
        assert!(lab.refused(&["gc", "--keep", bad]).contains("--keep"), "{bad}");
    }
    let deleted = lab.json(&["gc", "--keep", "succeeded=0s", "--yes", "--json"], 0);
    assert_eq!((&deleted["rules"][0]["deleted"], &deleted["rules"][0]["failed"]), (&1.into(), &0.into()));
    assert!(lab.store.status(lab.run).await.is_err() && lab.store.status(open).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_named_and_repaired() {
    let lab = lab().await;
    let id = lab.run.to_string();
    assert!(lab.prints(&["verify"], 0).starts_with("1 run, 2 cells read back: 0 damaged"));
    lab.sql(
        "UPDATE run_samples SET payload = CAST(substr(payload, 1, 100) || \
         CASE WHEN substr(payload, 101, 1) = x'00' THEN x'01' ELSE x'00' END || substr(payload, 102) AS blob) \
         WHERE cell = 0",
    );

    let printed = lab.prints(&["verify", &id], 1);
    assert!(printed.contains("1 of 1 line and 0 of 3,000 samples are readable"), "{printed}");
    assert!(printed.contains("samples of channel 0, cell 0, 0 to 3000: "), "{printed}");
    let found = lab.json(&["verify", "--all", "--json"], 1);
    assert_eq!(
        names(&found),
        ["cells", "damage", "lines", "readable_lines", "readable_samples", "run", "samples", "whole"]
    );
    let damage = &found["damage"][0];
    assert_eq!(names(damage), ["cell", "channel", "error", "from", "name", "part", "repaired", "to"]);
    assert_eq!((&found["whole"], &damage["part"], &damage["to"]), (&false.into(), &"samples".into(), &3_000.into()));

    let repaired = lab.json(&["verify", "--repair", "--json"], 0);
    assert_eq!((&repaired["whole"], &repaired["damage"][0]["repaired"]), (&true.into(), &true.into()), "{repaired}");
    assert_eq!(lab.json(&["verify", &id, "--json"], 0)["damage"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_run_is_not_verified() {
    let lab = lab().await;
    let open = lab.queued().await;
    assert!(lab.prints(&["verify", "--all"], 0).starts_with("1 run, "), "open ones are left out");
    lab.prints(&["verify", &open.to_string()], 4);
    // Its age is what is asked for: more than a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(lab.prints(&["verify", "--since", "1s"], 0).starts_with("0 runs, "));
}

#[test]
fn every_verb_shows_how_it_is_called_and_wants_its_server() {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["sweep", "gc", "verify"] {
        let help = Command::new(env!("CARGO_BIN_EXE_lucihub")).args([verb, "--help"]).output().unwrap();
        let help = text(&help.stdout);
        assert!(help.contains("Examples:") && help.contains(&format!("lucihub {verb} ")), "{help}");
    }
    for args in [&["sweep"][..], &["verify", "--repair"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
        command.args(args).arg("--dir").arg(folder.path()).env_remove("REDIS_URL").env_remove("DATABASE_URL");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("needs a Redis server"), "{}", text(&output.stderr));
    }
}
