//! The demo as people call it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lucihub_models_core::RunId;
use lucihub_store::{Store, Urls};
use serde_json::Value;

/// Few samples and no pacing: what the demo says of itself is tested, not its speed.
const QUICK: [&str; 5] = ["demo", "--fast", "--json", "--samples", "70000"];

fn lucihub(args: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lucihub"))
        .args(args)
        .arg("--dir")
        .arg(dir)
        .env_remove("DATABASE_URL")
        .env_remove("REDIS_URL")
        .env_remove("CARGO")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Runs the demo, and returns its one JSON object.
fn demo(dir: &Path, more: &[&str]) -> Value {
    let args: Vec<&str> = QUICK.iter().chain(more).copied().collect();
    let output = lucihub(&args, dir);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert_eq!(printed.lines().count(), 1, "exactly one object: {printed}");
    serde_json::from_str(printed).unwrap()
}

fn run_id(report: &Value) -> String {
    report["run_id"].as_str().unwrap().to_owned()
}

async fn input_of(dir: &Path, run: &str) -> String {
    let url = format!("sqlite:{}", dir.join("lucihub.sqlite").display());
    let store = Store::open(&Urls::new("memory:", url)).await.unwrap();
    let status = store.status(run.parse::<RunId>().unwrap()).await.unwrap();
    status.head.input.as_ref().unwrap().as_str().to_owned()
}

#[test]
fn one_object_with_the_promised_fields() {
    let dir = tempfile::tempdir().unwrap();
    let report = demo(dir.path(), &[]);
    let mut names: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let promised = [
        "archive_ms",
        "bytes_per_sample",
        "channels",
        "cold_bytes",
        "gaps",
        "hot_bytes",
        "log_lines",
        "read_ms",
        "record_ms",
        "run_id",
        "samples",
        "state",
        "verified",
    ];
    assert_eq!(names, promised);
    assert_eq!(report["channels"], 8);
    assert_eq!(report["samples"], 8 * (70_000 - 200));
    assert_eq!(report["gaps"], 8);
    assert_eq!(report["state"], "succeeded");
    assert_eq!(report["verified"], true);
    assert!(report["bytes_per_sample"].as_f64().unwrap() <= 0.5, "{report}");
    for picture in ["time", "phase"] {
        let svg = std::fs::read_to_string(dir.path().join(format!("{}-{picture}.svg", run_id(&report)))).unwrap();
        assert!(svg.contains("machine units") && svg.len() < 150_000, "{picture}: {} bytes", svg.len());
    }
}

#[test]
fn twice_gives_two_runs_and_all_of_it_can_be_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (run_id(&demo(dir.path(), &[])), run_id(&demo(dir.path(), &[])));
    let list = lucihub(&["runs", "list", "--state", "SUCCEEDED"], dir.path());
    let listed: Vec<&str> =
        text(&list.stdout).lines().skip(1).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(listed, [&second, &first], "newest first");

    let show = lucihub(&["runs", "show", &first], dir.path());
    let shown = text(&show.stdout);
    for part in
        ["succeeded", "lucidac-demo", "demo-worker", "phase", "OP_END", "69,800 samples, 1 gap", "digest", "final"]
    {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let json: Value = serde_json::from_slice(&lucihub(&["runs", "show", &first, "--json"], dir.path()).stdout).unwrap();
    assert_eq!(json["run"]["version"], "v2");
    assert_eq!(json["run"]["head"]["id"], first);
    assert_eq!(json["measured"][7], serde_json::json!({ "samples": 69_800, "gaps": 1 }));

    let logs = lucihub(&["runs", "logs", &second], dir.path());
    assert!(text(&logs.stdout).lines().count() > 5);
    assert!(text(&logs.stdout).contains("1 chunk never came"));
    let last = |n: usize| text(&logs.stdout).lines().rev().take(n).collect::<Vec<_>>();
    for n in ["0", "3", "5000"] {
        for follow in [&[][..], &["--follow"]] {
            let args = [&["runs", "logs", &second, "--tail", n], follow].concat();
            let tail = lucihub(&args, dir.path());
            let lines: Vec<_> = text(&tail.stdout).lines().rev().collect();
            assert_eq!(lines, last(n.parse().unwrap()), "{args:?}");
        }
    }

    let devices = lucihub(&["devices", "list"], dir.path());
    assert!(text(&devices.stdout).contains("lucidac-demo") && text(&devices.stdout).contains("simulator-demo"));
    assert!(lucihub(&["migrate", "check"], dir.path()).status.success());
}

#[test]
fn off_a_terminal_nothing_but_plain_text() {
    let dir = tempfile::tempdir().unwrap();
    let output = lucihub(&["demo", "--fast", "--samples", "20000"], dir.path());
    assert!(output.status.success());
    for stream in [&output.stdout, &output.stderr] {
        assert!(!stream.contains(&0x1b) && !stream.contains(&b'\r'), "{}", text(stream));
    }
    let said = text(&output.stdout);
    assert!(said.contains("runs show") && said.contains("runs plot"), "the next commands are named");
    assert!(said.contains("-time.svg") && said.contains("-phase.svg"), "the pictures are named");
    let drawing = said.split_once(": x1 over time\n").unwrap().1;
    assert!(drawing.contains('⡇') && drawing.contains("time / s") && drawing.contains("gap: samples"), "{drawing}");
}

#[tokio::test]
async fn a_circuit_comes_back_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let ours = dir.path().join("ours.json");
    let traps =
        "{\"ic\": -0.0,\t\"k\": 1e4, \"name\": \"\\u0000\\u2028 \u{2028}\", \"big\": 123456789012345678901}\r\n\n";
    std::fs::write(&ours, traps).unwrap();
    let mut files = vec![ours];
    // Real circuits, where they are at hand beside the repository.
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/circuits");
    files.extend(std::fs::read_dir(real).into_iter().flatten().flatten().map(|entry| entry.path()));
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        if bytes.is_empty() {
            refused(&file, "empty");
            continue;
        }
        let report = demo(dir.path(), &["--circuit", file.to_str().unwrap()]);
        assert_eq!(input_of(dir.path(), &run_id(&report)).await.as_bytes(), bytes, "{}", file.display());
    }
}

/// The demo refuses this file with these words, and makes nothing.
fn refused(file: &Path, why: &str) {
    let dir = tempfile::tempdir().unwrap();
    let target: PathBuf = dir.path().join("made");
    let output = lucihub(&["demo", "--fast", "--circuit", file.to_str().unwrap()], &target);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(why) && said.contains(file.file_name().unwrap().to_str().unwrap()), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(output.stdout.is_empty() && !target.exists(), "something was made");
}

#[test]
fn bad_circuits_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("empty.json", Vec::new(), "empty"),
        ("malformed.json", b"{\"a\": [1,}".to_vec(), "not strict JSON"),
        ("twice.json", b"{\"a\": 1, \"a\": 2}".to_vec(), "stands twice"),
        ("nan.json", b"{\"a\": NaN}".to_vec(), "not strict JSON"),
        ("large.json", format!("\"{}\"", "x".repeat(1024 * 1024)).into_bytes(), "the limit is 1048576 bytes"),
        ("bytes.json", vec![b'"', 0xff, b'"'], "not UTF-8"),
    ];
    for (name, content, why) in cases {
        let file = dir.path().join(name);
        std::fs::write(&file, content).unwrap();
        refused(&file, why);
    }
    refused(&dir.path().join("missing.json"), "cannot read");
}

#[test]
fn what_is_not_there_is_said_and_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    let output = lucihub(&["runs", "list"], &nowhere);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no database at") && !nowhere.exists());

    demo(dir.path(), &[]);
    let unknown = lucihub(&["runs", "show", "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e"], dir.path());
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("does not exist"));
    assert_eq!(lucihub(&["runs", "show", "not-an-id"], dir.path()).status.code(), Some(1));
    let none = lucihub(&["demo", "--samples", "0"], dir.path());
    assert!(text(&none.stderr).contains("use 1000 to 5000000") && none.status.code() == Some(1));
    assert_eq!(lucihub(&["runs", "list", "--limit", "1001"], dir.path()).status.code(), Some(1));
}

#[test]
fn a_second_process_follows_a_run_that_is_being_recorded() {
    let dir = tempfile::tempdir().unwrap();
    // Paced: 250,000 samples at 62,500 Hz are four seconds, so that checkpoints are seen on the way.
    let mut recording = Command::new(env!("CARGO_BIN_EXE_lucihub"))
        .args(["demo", "--json", "--samples", "250000", "--dir"])
        .arg(dir.path())
        .env_remove("REDIS_URL")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    let run = loop {
        let list = lucihub(&["runs", "list", "--json"], dir.path());
        let listed: Value = serde_json::from_slice(&list.stdout).unwrap_or_default();
        if let Some(id) = listed[0]["id"].as_str() {
            break id.to_owned();
        }
        assert!(begun.elapsed().as_secs() < 60, "the demo created no run");
    };
    let followed = lucihub(&["runs", "logs", &run, "--follow"], dir.path());
    assert!(followed.status.success() && recording.wait().unwrap().success());
    let all = lucihub(&["runs", "logs", &run], dir.path());
    assert_eq!(text(&followed.stdout), text(&all.stdout), "every line once, in order");
    assert!(text(&followed.stderr).contains("succeeded"));
}
