//! `lucihub models status` on SQLite and a Redis server of its own.

use std::process::{Command, Output};

use lucihub_models_core::{JobType, WriteAs};
use lucihub_store::{Store, Urls};
use lucihub_testkit::servers::{RedisOptions, RedisServer};
use serde_json::Value;

fn lucihub(args: &[&str], version: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucihub"));
    command.args(args).env_remove("DATABASE_URL").env_remove("REDIS_URL").env_remove("LUCIHUB_WRITE_VERSION");
    if let Some(version) = version {
        command.env("LUCIHUB_WRITE_VERSION", version);
    }
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_in_use_are_counted_and_named() {
    let server = RedisServer::start(RedisOptions::new());
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let cold = format!("sqlite:{dir}/lucihub.sqlite");
    for program in ["api", "api", "importer"] {
        let writes = WriteAs::program(program).unwrap();
        let store = Store::open(&Urls::new(server.url(), cold.as_str()).with_writes(writes)).await.unwrap();
        store.create(&store.new_run(JobType::Run)).await.unwrap();
    }
    let args = ["models", "status", "--dir", dir, "--redis-url", &server.url()];
    let shown = lucihub(&args, None);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success());
    assert!(text.contains("WRITTEN BY") && text.contains("importer (lucihub "), "{text}");
    assert!(text.contains("hot storage: 3 runs"), "{text}");

    let json = lucihub(&[&args[..], &["--json"]].concat(), Some("v2"));
    let status: Value = serde_json::from_slice(&json.stdout).unwrap();
    let counts: Vec<_> =
        status["cold"].as_array().unwrap().iter().map(|used| (&used["version"], &used["runs"])).collect();
    assert_eq!(counts, [(&"v2".into(), &2.into()), (&"v2".into(), &1.into())]);
    assert_eq!(status["hot"], serde_json::json!({ "runs": 3, "newer": {} }));

    // Heads are of version 2 and later.
    for (version, says) in [("v1", "storages are written in v2"), ("v9", "known versions are")] {
        let refused = lucihub(&args, Some(version));
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(refused.status.code() == Some(1) && said.contains(says), "{version}: {said}");
    }
    assert!(lucihub(&args, Some("")).status.success(), "an empty variable names no version");
}
