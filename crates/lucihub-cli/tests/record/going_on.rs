//! Killed without a warning, and gone on from where the run is.

use lucihub_models_core::RunState;
use serde_json::json;

use crate::record::lab::{Lab, bits};

#[test]
fn after_a_kill_the_same_writer_goes_on_from_what_is_stored() {
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let values: Vec<f64> = (0..3_000_u32).map(|n| f64::from(n).sqrt()).collect();
    let mut worker = lab.record(run, &[]);
    let taken = worker.hears("taken");
    worker.says(r#"{"state":"inprogress"}"#);
    worker.measures(0, 0, &values[..1_000]);
    worker.measures(1, 0, &values[..700]);
    worker.says(r#"{"log":"first life"}"#);
    worker.says(r#"{"flush":true}"#);
    while worker.hears("applied")["samples"] != json!([1000, 700]) {}
    worker.signal("-KILL");
    drop(worker);

    let other = lab.record(run, &[]).has_ended_with(4).1;
    assert!(other.contains("is held by bench"), "{other}");
    let mut again = lab.record(run, &["--writer", taken["writer"].as_str().unwrap()]);
    let next = again.hears("taken")["next"].clone();
    assert_eq!(next, json!({"states": 2, "phases": 0, "lines": 1, "samples": [1000, 700]}));
    again.says(r#"{"state":"inprogress"}"#);
    // One channel from where it is, one with what is known already.
    again.measures(0, 1_000, &values[1_000..]);
    again.measures(1, 0, &values);
    again.says(r#"{"finish":"succeeded"}"#);
    again.ends_with(0);
    let stored = lab.archived(run);
    assert_eq!((stored.head.states.len(), stored.head.state()), (3, &RunState::Succeeded), "a state repeated is none");
    for series in &stored.series {
        assert_eq!((bits(&series.values), series.gaps.len()), (bits(&values), 0));
    }
}

#[test]
fn the_command_that_is_said_goes_on() {
    let lab = Lab::new();
    let run = lab.queue("lucidac-1");
    let mut worker = lab.record(run, &[]);
    worker.hears("taken");
    worker.says(r#"{"state":"inprogress"}"#);
    let (_, said) = worker.ends_with(1);
    let command = said.rsplit("go on with `lucihub ").next().unwrap().trim_end().trim_end_matches('`');
    let args: Vec<_> = command.split(' ').collect();
    let mut again = crate::record::lab::Worker::start(lab.lucihub(&args));
    assert_eq!(again.hears("taken")["next"]["states"], 2);
    again.says(r#"{"finish":"succeeded"}"#);
    assert_eq!(again.hears("ended"), json!({"state": "succeeded"}));
    again.ends_with(0);
}
