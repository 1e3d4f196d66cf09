//! Ends without a finish, and what is left then.

use lucihub_models_core::{Positions, RunState};
use serde_json::{Value, json};

use crate::record::lab::Lab;

fn lines(lab: &Lab, run: lucihub_models_core::RunId) -> Vec<String> {
    lab.run(run).logs.into_iter().map(|line| line.text).collect()
}

#[test]
fn a_refused_frame_ends_the_recording_and_leaves_the_run_open() {
    let lab = Lab::new();
    for (bad, says) in [
        (r#"{"log":"b","wat":1}"#, "unknown field `wat`"),
        (r#"{"state":"queued"}"#, "may not become queued"),
        (r#"{"samples":{"channel":2,"first":0,"values":[1]}}"#, "channel 2"),
    ] {
        let run = lab.queue("lucidac-1");
        let mut worker = lab.record(run, &[]);
        worker.says(r#"{"state":"inprogress"}"#);
        worker.says(r#"{"log":"a"}"#);
        worker.says(bad);
        worker.says(r#"{"log":"not taken"}"#);
        let error = worker.hears("error");
        assert_eq!((&error["frame"], &error["fatal"]), (&json!(3), &json!(true)));
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
        let (_, said) = worker.has_ended_with(1);
        let last = said.lines().last().unwrap();
        let begin = "lucihub: frame 3 was refused: ";
        assert!(last.starts_with(begin) && last.contains(&format!("run {run} is left open; go on with `")), "{last}");
        assert_eq!(lab.run(run).head.state(), &RunState::InProgress);
        assert_eq!(lines(&lab, run), ["a"], "what came before is stored, what came after is not");
    }
}

#[test]
fn an_end_of_input_leaves_the_run_open_or_fails_it() {
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let mut worker = lab.record(run, &[]);
    worker.hears("taken");
    worker.says(r#"{"state":"inprogress"}"#);
    worker.measures(0, 0, &[1.0; 100]);
    worker.sends(b"{\"samples\":{\"channel\":0,\"first\":100,\"bytes\":800}}\n0123456789");
    let (answers, said) = worker.ends_with(1);
    let last = answers.iter().rev().find_map(|answer| answer.get("applied")).unwrap();
    assert_eq!(last["samples"], json!([100, 0]));
    assert!(said.contains("standard input ended inside frame 3, which was not taken; run "), "{said}");
    assert!(answers.iter().any(|answer| answer["error"]["fatal"] == Value::Bool(true)), "{answers:?}");
    assert_eq!(lab.run(run).head.state(), &RunState::InProgress);

    let run = lab.queue("lucidac-1");
    let mut worker = lab.record(run, &["--fail-on-eof"]);
    worker.hears("taken");
    worker.says(r#"{"log":"a"}"#);
    let (answers, said) = worker.ends_with(1);
    assert_eq!(answers.last().unwrap(), &json!({"ended": {"state": "failed"}}));
    assert!(said.contains(&format!("standard input ended without a finish; run {run} was ended as failed")), "{said}");
    let head = lab.archived(run).head;
    assert_eq!(head.states.last().unwrap().reason.as_deref(), Some("standard input ended without a finish"));
}

#[test]
fn a_signal_stops_reading_and_keeps_what_was_read() {
    let lab = Lab::new();
    for signal in ["-TERM", "-INT"] {
        let run = lab.queue("lucidac-1");
        let mut worker = lab.record(run, &[]);
        worker.hears("taken");
        worker.says(r#"{"state":"inprogress"}"#);
        worker.says(r#"{"log":"a"}"#);
        worker.says(r#"{"flush":true}"#);
        while worker.hears("applied")["lines"] != 1 {}
        worker.signal(signal);
        let (answers, said) = worker.has_ended_with(2);
        assert_eq!(answers.last().unwrap()["error"]["message"], "stopped; the run is left open");
        assert!(
            said.contains(&format!("lucihub: stopped; run {run} is left open; go on with `lucihub record ")),
            "{said}"
        );
        assert_eq!(lab.run(run).head.state(), &RunState::InProgress);
    }
}

#[test]
fn a_worker_is_told_once_that_the_run_shall_end() {
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let mut worker = lab.record(run, &["--lease", "4"]);
    worker.hears("taken");
    worker.says(r#"{"state":"inprogress"}"#);
    while worker.hears("applied")["states"] != 2 {}
    lab.cancel(run);
    assert_eq!(worker.hears("cancel"), json!(true), "with the next renewal, though nothing is sent");
    worker.says(r#"{"log":"stopping"}"#);
    worker.says(r#"{"finish":"cancelled","reason":"asked for"}"#);
    let (answers, _) = worker.ends_with(0);
    assert!(answers.iter().all(|answer| answer.get("cancel").is_none()), "{answers:?}");
    assert_eq!(answers.last().unwrap(), &json!({"ended": {"state": "cancelled"}}));
    assert_eq!(lab.archived(run).head.state(), &RunState::Cancelled);
}

#[test]
fn a_run_that_somebody_else_has_or_ended_is_a_conflict() {
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let mut worker = lab.record(run, &["--lease", "1"]);
    worker.hears("taken");
    worker.signal("-STOP");
    let other = || lab.runtime.block_on(lab.store.record(run, "other"));
    let recorder = loop {
        if let Ok(recorder) = other() {
            break recorder;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    worker.signal("-CONT");
    let (answers, said) = worker.has_ended_with(4);
    assert!(said.contains("another worker has taken it over"), "{said}");
    assert_eq!(answers.last().unwrap()["error"]["fatal"], true, "{answers:?}");
    assert_eq!(recorder.next(), Positions { states: 1, ..Positions::default() });
    drop(recorder);

    let run = lab.queue("lucidac-1");
    let mut worker = lab.record(run, &[]);
    worker.hears("taken");
    lab.runtime.block_on(lab.store.delete(run, true)).unwrap();
    worker.says(r#"{"log":"a"}"#);
    let (_, said) = worker.has_ended_with(4);
    assert!(said.contains("it was deleted"), "{said}");
}

#[test]
fn a_server_that_stays_away_ends_the_wait_for_it() {
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let mut worker = lab.record(run, &["--patience", "3"]);
    worker.hears("taken");
    lab.server.kill();
    worker.says(r#"{"state":"inprogress"}"#);
    let (answers, said) = worker.has_ended_with(3);
    assert!(
        said.contains("the server was away for 3 s; what was taken after the last `applied` is lost; run "),
        "{said}"
    );
    assert!(answers.iter().all(|answer| answer.get("applied").is_none_or(|at| at["states"] == 1)), "{answers:?}");
}
