//! `lucihub runs plot` as people call it.

use std::path::Path;
use std::process::{Command, Output};

use lucihub_models_core::{
    Channel, JobType, Overload, Phase, PhaseChange, RunHead, RunId, RunState, TimeBase, Timestamp,
};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, Store, Urls};

const RUN: &str = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e";
const SAMPLES: u32 = 1_000;
const GAP: std::ops::Range<u32> = 400..440;
const SPIKE: u32 = 777;

/// A decaying turn: x and y of a spiral, as a 14-bit ADC would read it, and one
/// sample far out on the third channel.
fn value(channel: u32, n: u32) -> f64 {
    let t = f64::from(n) / 100.0;
    let exact = match channel {
        0 => 0.9 * (-t / 8.0).exp() * (3.0 * t).cos(),
        1 => 0.9 * (-t / 8.0).exp() * (3.0 * t).sin(),
        _ => f64::from(u8::from(n == SPIKE)),
    };
    (exact * 8_192.0).round() / 8_192.0
}

fn head(names: [&str; 3], base: Option<TimeBase>) -> RunHead {
    let mut head = RunHead::queued(RUN.parse().unwrap(), JobType::Run, Timestamp::EPOCH);
    head.channels = names.iter().map(|name| Channel::named(*name)).collect();
    head.channels[2].unit = Some("°C".to_owned());
    head.channels.push(Channel::named("never"));
    head.time_base = base;
    head
}

/// Makes a database with one archived run of three channels that lost a chunk,
/// and a fourth on which nothing came.
async fn record(dir: &Path, head: RunHead) {
    let url = format!("sqlite:{}", dir.join("lucihub.sqlite").display());
    let store = Store::open(&Urls::new("memory:", url)).await.unwrap();
    store.create(&head).await.unwrap();
    let recorder = store.record(head.id, "worker").await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    let at = Timestamp::EPOCH;
    for (phase, ns) in [(Phase::Ic, 0), (Phase::Op, 2_000_000), (Phase::OpEnd, 102_000_000)] {
        recorder.phase(PhaseChange::new(phase, at).at_device_ns(ns)).await.unwrap();
    }
    for channel in 0..3 {
        for range in [0..GAP.start, GAP.end..SAMPLES] {
            let first = u64::from(range.start);
            let values: Vec<f64> = range.map(|n| value(channel, n)).collect();
            recorder.samples(channel, first, &values).await.unwrap();
        }
    }
    recorder.overload(Overload::new("04-E9/0/M0/3", at).at_sample(700)).await.unwrap();
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    let report = Keeper::new(store, KeeperOptions::default()).walk().await.unwrap();
    assert_eq!(report.archived, 1);
}

async fn recorded() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), head(["x", "y", "spike"], Some(TimeBase::from_rate(10_000.0)))).await;
    dir
}

#[tokio::test]
async fn a_channel_goes_by_its_name_too() {
    let dir = recorded().await;
    let by_name = drawn(dir.path(), &["--channel", "spike,y"]);
    assert_eq!(by_name, drawn(dir.path(), &["--channel", "2,1"]));
}

fn plot(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lucihub"))
        .args(["runs", "plot", RUN, "--dir"])
        .arg(dir)
        .args(args)
        .env_remove("DATABASE_URL")
        .env_remove("REDIS_URL")
        .output()
        .unwrap()
}

fn drawn(dir: &Path, args: &[&str]) -> String {
    let output = plot(dir, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Compares with the committed drawing. `LUCIHUB_BLESS=1` writes it anew: look at it then.
fn same_as(name: &str, drawn: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plots").join(name);
    if std::env::var_os("LUCIHUB_BLESS").is_some() {
        std::fs::write(&file, drawn).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap();
    assert!(wanted == drawn, "{name} was\n{wanted}\nand is\n{drawn}");
}

#[tokio::test]
async fn drawings_are_as_they_were_looked_at() {
    let dir = recorded().await;
    same_as("time.txt", &drawn(dir.path(), &["--channel", "0,1"]));
    same_as("gap.txt", &drawn(dir.path(), &["--channel", "0", "--from", "38ms", "--to", "480", "--height", "16"]));
    same_as("spike.txt", &drawn(dir.path(), &["--channel", "2", "--width", "50", "--height", "14"]));
    same_as("phase.txt", &drawn(dir.path(), &["--xy", "0,1"]));
}

#[tokio::test]
async fn times_and_samples_name_the_same_window() {
    let dir = recorded().await;
    let samples = drawn(dir.path(), &["--from", "250", "--to", "500"]);
    for (from, to) in [("25ms", "0.05s"), ("25000us", "50ms"), ("0.025s", "500")] {
        assert_eq!(drawn(dir.path(), &["--from", from, "--to", to]), samples, "{from} to {to}");
    }
}

#[tokio::test]
async fn svg_is_whole_sound_and_the_same_each_time() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), head(["<x & \"y\">", "a\u{1b}[31m\u{0}\n", "'z'"], Some(TimeBase::from_rate(1e4)))).await;
    let file = dir.path().join("run.svg");
    for args in [&["--channel", "0,1,2"][..], &[], &["--xy", "1,0"], &["--from", "405", "--to", "410"]] {
        std::fs::write(&file, "what was there before").unwrap();
        let mut made = Vec::new();
        for _ in 0..2 {
            let output = plot(dir.path(), &[args, &["--svg", file.to_str().unwrap()]].concat());
            assert!(output.status.success() && output.stdout.is_empty());
            assert!(String::from_utf8_lossy(&output.stderr).starts_with("written: "));
            made.push(std::fs::read_to_string(&file).unwrap());
        }
        assert_eq!(made[0], made[1], "{args:?}");
        assert_eq!(drawn(dir.path(), &[args, &["--svg", "-"]].concat()), made[0], "on standard output");
        sound(&made[0]);
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".lucihub-")), "{left:?}");
    let shown = drawn(dir.path(), &["--channel", "1"]);
    assert!(!shown.contains('\u{1b}') && shown.contains("a\\u{1b}[31m\\u{0}\\n"), "{shown}");

    let nowhere = dir.path().join("no/such/folder.svg");
    let refused = plot(dir.path(), &["--svg", nowhere.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("folder.svg: there is no such folder") && !said.contains(".lucihub-"), "{said}");
}

/// Well-formed as far as we use XML: one root, elements closed in order,
/// attributes quoted, nothing that would have to be escaped or may not stand there.
fn sound(svg: &str) {
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.chars().all(|c| !c.is_control() || c == '\n'), "a control character");
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>') && text.split('&').skip(1).all(|rest| rest.contains(';')), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "a number that is none");
}

#[tokio::test]
async fn what_cannot_be_drawn_is_said() {
    let dir = recorded().await;
    let there = "0 to 999, 0 s to 0.0999 s";
    for (args, why) in [
        (&["--channel", "4"][..], &["no channel 4", "it has 0 to 3"][..]),
        (&["--channel", "w"], &["no channel named \"w\""]),
        (&["--xy", "0,9"], &["no channel 9"]),
        (&["--channel", "3"], &["no samples were recorded on channel 3"]),
        (&["--xy", "0,3"], &["no samples"]),
        (&["--channel", "0,1,2,0,1,2,0,1,2"], &["9 channels", "at most 8"]),
        (&["--from", "1000"], &["nothing was recorded from sample 1000 on", there]),
        (&["--from", "1s"], &["from sample 10000 on", there]),
        (&["--from", "20", "--to", "1ms"], &["between sample 20 and sample 10", there]),
        (&["--from", "soon"], &["neither a sample nor a time"]),
        (&["--xy", "1"], &["not two channels"]),
        (&["--xy", "0,1", "--channel", "0"], &["cannot be used with"]),
        (&["--width", "10"], &["10 is not in 40..=400"]),
    ] {
        let output = plot(dir.path(), args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(output.stdout.is_empty());
        assert!(why.iter().all(|part| said.contains(part)), "{args:?}: {said}");
    }
}

#[tokio::test]
async fn a_run_without_a_time_base_counts_samples() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), head(["x", "y", "z"], None)).await;
    let shown = drawn(dir.path(), &["--channel", "0", "--to", "500"]);
    assert!(shown.contains("sample") && shown.contains("gap: samples 400 to 439 (device)"), "{shown}");
    assert!(!shown.contains("time / s") && !shown.contains("▾OP"), "{shown}");
    let refused = plot(dir.path(), &["--to", "1s"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no time base"));
}

#[tokio::test]
async fn a_run_without_channels_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("lucihub.sqlite").display());
    let store = Store::open(&Urls::new("memory:", url)).await.unwrap();
    let id: RunId = RUN.parse().unwrap();
    store.create(&RunHead::queued(id, JobType::Compile, Timestamp::EPOCH)).await.unwrap();
    let output = plot(dir.path(), &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no channels"));
}
