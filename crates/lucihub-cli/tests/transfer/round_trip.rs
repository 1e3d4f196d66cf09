//! export -> import -> export gives the same bytes.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use lucihub_models_core::{RunHead, TimeBase};
use lucihub_store::{Store, Urls};

use super::command::{printed, runs, text};
use super::recorded::{BASE, NAMES, RUN, head, record_as, recorded, sample};

/// Imports text, and gives the id of the run.
pub(crate) fn import(dir: &Path, args: &[&str], file: &[u8]) -> Output {
    let mut command = runs(dir, &[&["import", "-"], args].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that refuses its arguments reads nothing.
    drop(child.stdin.take().unwrap().write_all(file));
    child.wait_with_output().unwrap()
}

fn export_of(dir: &Path, run: &str, args: &[&str]) -> Vec<u8> {
    printed(runs(dir, &[&["export", run], args].concat()).output().unwrap())
}

#[tokio::test]
async fn csv_and_json_lines_come_back_byte_for_byte() {
    // Past one cell.
    let dir = recorded(66_000).await;
    let elsewhere = tempfile::tempdir().unwrap();
    for format in ["csv", "jsonl"] {
        for channels in [&[][..], &["--channels", "3,2,1"]] {
            let first = export_of(dir.path(), RUN, &[&["--format", format], channels].concat());
            let run = text(import(elsewhere.path(), &["--format", format], &first));
            let second = export_of(elsewhere.path(), run.trim(), &["--format", format]);
            assert!(first == second, "{format} {channels:?}");
        }
    }
}

#[tokio::test]
async fn a_part_of_a_run_keeps_its_indices_and_times() {
    let dir = recorded(2_000).await;
    let part = ["--format", "csv", "--from", "395", "--to", "1000"];
    let first = export_of(dir.path(), RUN, &part);
    let run = text(import(dir.path(), &["--format", "csv"], &first));
    assert!(first == export_of(dir.path(), run.trim(), &part));
    let before = export_of(dir.path(), run.trim(), &["--format", "csv", "--channels", "0", "--to", "2"]);
    assert!(String::from_utf8(before).unwrap().ends_with("0,-0.002,NaN,true\n1,-0.0019,NaN,true\n"));
}

#[tokio::test]
async fn every_time_base_comes_back() {
    let third = TimeBase { rate_hz: 1.0 / 3e-5, origin_s: 1.0 / 3.0 };
    for base in [Some(third), Some(TimeBase::from_rate(500_000.0)), None] {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut head: RunHead = head();
        head.time_base = base;
        record_as(dir.path(), head, 3_000).await;
        let first = export_of(dir.path(), RUN, &["--format", "csv"]);
        let run = text(import(elsewhere.path(), &["--format", "csv"], &first));
        assert!(first == export_of(elsewhere.path(), run.trim(), &["--format", "csv"]), "{base:?}");
    }
}

#[tokio::test]
async fn what_is_imported_is_a_finished_run_in_the_archive() {
    let dir = recorded(1_000).await;
    let file = export_of(dir.path(), RUN, &["--format", "jsonl"]);
    let about = ["--format", "jsonl", "--owner", "ada", "--label", "a=b", "--device", "lucidac-1", "--type", "verify"];
    let run = text(import(dir.path(), &about, &file)).trim().parse().unwrap();
    let url = format!("sqlite:{}", dir.path().join("lucihub.sqlite").display());
    let store = Store::open(&Urls::cold_only(url)).await.unwrap();
    let status = store.status(run).await.unwrap();
    let head = &status.head;
    assert!(status.archived.is_some());
    assert_eq!((head.state().as_str(), head.job_type.as_str()), ("succeeded", "verify"));
    assert_eq!((head.owner.as_deref(), head.labels["a"].as_str()), (Some("ada"), "b"));
    assert_eq!((head.device.as_ref().unwrap().as_str(), head.time_base), ("lucidac-1", Some(BASE)));
    assert_eq!(head.channels.iter().map(|channel| channel.name.as_deref().unwrap()).collect::<Vec<_>>(), NAMES);
    for channel in 0..4 {
        let series = store.window(run, channel, 0..u64::MAX).await.unwrap();
        assert!(series.gaps.iter().all(|gap| gap.cause.as_str() == "import"));
        let number = usize::try_from(channel).unwrap();
        // Text knows one NaN only.
        let one = |value: Option<f64>| value.map(|v| if v.is_nan() { f64::NAN } else { v }.to_bits());
        let differs = (0..1_000).find(|n| one(series.get(*n)) != one(sample(number, *n, 1_000)));
        assert_eq!(differs, None, "channel {channel}");
    }
}
