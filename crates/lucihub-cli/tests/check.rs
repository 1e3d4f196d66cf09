//! `lucihub check` on files, on standard input, and on what is stored.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use lucihub_models_core::cold::{OperatorFields, SeenFields};
use lucihub_models_core::{JobType, JsonText, Timestamp};
use lucihub_store::{Store, Urls};
use serde_json::Value;

const GOOD: &str = include_str!("../assets/lorenz.json");

fn lucihub(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lucihub"))
        .args(args)
        .current_dir(folder)
        .env_remove("DATABASE_URL")
        .env_remove("REDIS_URL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who does not read its input may be gone before all of it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_file_is_valid_or_told_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.json"), GOOD).unwrap();
    std::fs::write(folder.path().join("bad.json"), GOOD.replacen("\"k\": 10000", "\"k\": 500", 1)).unwrap();

    let valid = lucihub(folder.path(), &["check", "good.json", "--schema", "lucidac"], "");
    assert_eq!((valid.status.code(), out(&valid).trim()), (Some(0), "valid, by lucihub/lucidac/1"));
    let valid = lucihub(folder.path(), &["check", "-", "--schema", "redac", "--json"], GOOD);
    assert_eq!(out(&valid).trim(), r#"{"schema":"lucihub/redac/1","valid":true}"#);

    let wrong = lucihub(folder.path(), &["check", "bad.json", "--schema", "lucidac"], "");
    assert_eq!(wrong.status.code(), Some(1));
    let told = out(&wrong);
    assert!(told.contains("/~10/~1M0/elements/0/k") && told.contains("500 is none of [100,10000]"), "{told}");
    assert!(err(&wrong).contains("bad.json is not valid: 1 violation"), "{}", err(&wrong));
    let wrong = lucihub(folder.path(), &["check", "bad.json", "--schema", "lucidac", "--json"], "");
    let answer: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!((&answer["valid"], &answer["violations"][0]["value"]), (&Value::from(false), &Value::from(500)));

    let empty = lucihub(folder.path(), &["check", "-", "--schema", "lucidac"], "");
    assert_eq!(empty.status.code(), Some(1));
    assert!(out(&empty).contains("strict-json"), "{}", out(&empty));
}

#[test]
fn what_cannot_be_checked_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schema.json"), r#"{"items": {"format": "uri"}}"#).unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["check", "-", "--schema", "none.json"], "cannot read none.json"),
        (&["check", "-", "--schema", "schema.json"], "/items/format"),
        (&["check", "-", "--schema", "lucidac", "--device", "lucidac-1"], "--stored"),
        (&["check", "-"], "--device"),
    ];
    for (args, says) in cases {
        let refused = lucihub(folder.path(), args, "{}");
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        assert!(err(&refused).contains(says), "{args:?}: {}", err(&refused));
    }
}

#[tokio::test]
async fn a_device_has_its_schema_and_its_runs_are_checked_against_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let cold = format!("sqlite:{}", folder.path().join("lucihub.sqlite").display());
    let store = Store::open(&Urls::new("memory:", cold)).await.unwrap();
    let device = "lucidac-1".parse().unwrap();
    let seen = SeenFields {
        id: "lucidac-1".parse().unwrap(),
        device_type: "LUCIDAC".into(),
        firmware: None,
        entity_digest: None,
        seen_at: Timestamp::EPOCH,
    };
    store.cold().put_seen(&seen).await.unwrap();
    let at = ["--dir", "."];
    let none = lucihub(folder.path(), &[&["check", "-", "--device", "lucidac-1"][..], &at].concat(), GOOD);
    assert!(err(&none).contains("has no parameter schema") && none.status.code() == Some(1), "{}", err(&none));
    let unknown = lucihub(folder.path(), &[&["check", "-", "--device", "nobody"][..], &at].concat(), GOOD);
    assert!(err(&unknown).contains("device nobody"), "{}", err(&unknown));

    let schema = JsonText::from_stored(r#"{"$id": "lab/1", "properties": {"k": {"maximum": 5}}}"#);
    let fields = OperatorFields { parameter_schema: Some(schema), ..OperatorFields::default() };
    store.configure_device(&device, &fields).await.unwrap();
    for k in [3, 4, 5] {
        let mut head = store.new_run(JobType::Run);
        (head.device, head.input) = (Some(device.clone()), Some(JsonText::from_stored(format!("{{\"k\": {k}}}"))));
        store.create(&head).await.unwrap();
    }
    let valid = lucihub(folder.path(), &[&["check", "--stored", "--device", "lucidac-1"][..], &at].concat(), "");
    assert_eq!(valid.status.code(), Some(0), "{}", err(&valid));
    assert_eq!(out(&valid).trim(), "3 runs checked by lab/1: 3 valid, 0 not; 0 runs have no input");

    std::fs::write(folder.path().join("new.json"), r#"{"$id": "lab/2", "properties": {"k": {"maximum": 3}}}"#).unwrap();
    let args = ["check", "--stored", "--device", "lucidac-1", "--schema", "new.json", "--json"];
    let broken = lucihub(folder.path(), &[&args[..], &at].concat(), "");
    assert_eq!(broken.status.code(), Some(1), "{}", err(&broken));
    let lines: Vec<Value> = out(&broken).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["violations"][0]["pointer"], "/k");
    assert_eq!((&lines[2]["valid"], &lines[2]["broken"]), (&Value::from(1), &Value::from(2)));
}
