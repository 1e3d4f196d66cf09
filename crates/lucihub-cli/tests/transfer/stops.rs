//! Ctrl-C leaves nothing behind.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::command::{files, runs, said};
use super::recorded::{RUN, recorded};

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

fn until(what: &str, mut ask: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !ask() {
        assert!(begun.elapsed() < Duration::from_secs(90), "not within 90 s: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[tokio::test]
async fn an_export_that_is_stopped_leaves_no_file() {
    // Long enough to be met while it is written, in a build without optimisation and in one with.
    let dir = recorded(600_000).await;
    let file = dir.path().join("run.jsonl");
    let args = ["export", RUN, "--out", file.to_str().unwrap()];
    let child = runs(dir.path(), &args).stderr(Stdio::piped()).spawn().unwrap();
    until("it writes beside the file", || files(dir.path()).iter().any(|name| name.starts_with(".lucihub-")));
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("run.jsonl was not written"), "{}", said(&output));
    assert_eq!(files(dir.path()), [""; 0]);
}

#[test]
fn an_import_that_is_stopped_leaves_no_run() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("long.csv");
    let mut long = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    writeln!(long, "x").unwrap();
    (0..2_000_000).for_each(|n| writeln!(long, "{n}").unwrap());
    long.into_inner().unwrap();
    let child = runs(dir.path(), &["import", file.to_str().unwrap()])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let list = || runs(dir.path(), &["list", "--output", "ids"]).output().unwrap();
    until("the run is there", || list().stdout.len() > 30);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(output.stdout.is_empty() && said(&output).contains("nothing was imported"), "{}", said(&output));
    let left = list();
    assert!(left.status.success() && left.stdout.is_empty(), "{left:?}");
}
