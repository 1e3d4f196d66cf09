//! `lucihub runs samples`.

use super::command::{refused, runs, said, text};
use super::recorded::{RUN, recorded};

#[tokio::test]
async fn the_first_ones_are_shown_and_how_many_there_are() {
    let dir = recorded(1_000).await;
    let output = runs(dir.path(), &["samples", RUN, "--channel", "1"]).output().unwrap();
    assert!(said(&output).contains("20 of 1,000 sample indices; more with --limit"), "{}", said(&output));
    let shown = text(output);
    assert_eq!(shown.lines().count(), 21);
    assert_eq!(shown.lines().next().unwrap(), "INDEX  TIME / s                 channel_1");
    assert_eq!(shown.lines().nth(3).unwrap(), "    2  -0.0018                  inf");
    assert_eq!(shown.lines().nth(8).unwrap(), "    7  -0.0013                  -7.0");

    let near = ["samples", RUN, "--channel", "x", "--from", "438", "--to", "442"];
    let output = runs(dir.path(), &near).output().unwrap();
    assert_eq!(said(&output), "");
    let shown = text(output);
    let values: Vec<&str> = shown.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    assert_eq!(values, ["x", "missing", "missing", "0.5263671875", "0.51171875"]);
}

#[tokio::test]
async fn other_forms_are_those_of_an_export() {
    let dir = recorded(1_000).await;
    let form = |form: &str| {
        let args = ["samples", RUN, "--channel", "2", "--from", "10", "--limit", "2", "--output", form];
        text(runs(dir.path(), &args).output().unwrap())
    };
    assert!(
        form("csv").ends_with("\n10,-0.001,1e-8,false\n11,-0.0009,1.1000000000000001e-8,false\n"),
        "{}",
        form("csv")
    );
    assert_eq!(form("jsonl").lines().count(), 2);
    let document: serde_json::Value = serde_json::from_str(&form("json")).unwrap();
    assert_eq!(document["measurements"], serde_json::json!([[1e-8, 1.100_000_000_000_000_1e-8]]));
    let unknown = runs(dir.path(), &["samples", RUN, "--channel", "4"]).output().unwrap();
    assert!(refused(&unknown).contains("no channel 4"));
}
