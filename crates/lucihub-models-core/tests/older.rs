//! Older versions: nothing that a version had is lost by writing it, and what it has no place for is named.

use lucihub_models_core::{
    AnyDevice, AnyRun, Device, DeviceType, Gap, GapCause, HeadDocument, JsonText, ModelError, Run, RunHead, RunId,
    RunModel, RunState, Series, Timestamp, Version, v1,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::given::{cases, run_ids, runs, texts, times};

fn id() -> RunId {
    "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e".parse().unwrap()
}

/// A run that version 1 can hold.
fn plain() -> Run {
    let mut head = RunHead::queued(id(), v1::JobType::Run, Timestamp::EPOCH);
    head.device = Some("lucidac-1".parse().unwrap());
    head.input_type = Some(v1::InputType::Circuit);
    head.input = Some(JsonText::from_stored("{\"ic\":-0.0}"));
    Run { head, logs: Vec::new(), series: Vec::new(), extra: lucihub_models_core::Extra::default() }
}

fn refused(run: Run) -> String {
    match AnyRun::downgrade(run, Version::V1) {
        Err(error @ ModelError::NotRepresentable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Whatever a pointer names, and whatever stands above it that is empty then.
fn without(mut document: Value, pointers: &[String]) -> Value {
    // From the end, so that places in lists keep their numbers.
    for pointer in pointers.iter().rev() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} is in the document")) {
            Value::Object(fields) => {
                let name = name.replace("~1", "/").replace("~0", "~");
                assert!(fields.remove(&name).is_some(), "{pointer} is in the document");
            }
            other => panic!("{pointer} stands in {other}"),
        }
    }
    document
}

#[test]
fn every_part_that_version_one_has_no_place_for_is_named() {
    let at = "2026-11-23T17:30:00.000000Z";
    let text = json!({ "version": "v2", "run": {
        "head": {
            "id": id().to_string(), "type": "run", "created_at": "2026-11-23T17:29:59.000000Z",
            "states": [{ "state": "queued", "at": at }, { "state": "failed", "at": at, "reason": "r", "newer": 1 }],
            "device": "lucidac-1", "device_type": "LUCIDAC", "owner": "o", "labels": { "a/b": "c" },
            "input_type": "circuit", "input": { "ic": -0.0 }, "output": null, "error": "e",
            "channels": [{ "name": "x", "unit": "V" }, {}],
            "time_base": { "rate_hz": 10_000.0, "origin_s": 0.0 }, "op_time_ns": 1, "ic_time_ns": 2, "k0": 3, "priority": 4,
            "phases": [{ "phase": "OP", "at": at }], "overloads": [{ "element": "e", "at": at }],
            "final_values": [{ "element": "e", "value": 0.5 }], "related_to": [{ "kind": "repeats", "run": id().to_string() }],
            "worker": "w", "firmware": "f", "entity_digest": "d", "parameter_schema": "s",
            "grid": { "samples": 4_096, "lines": 1_024 }, "newer": true,
        },
        "logs": [{ "text": "plain" }, { "text": "t", "at": at, "level": "l", "source": "s", "cut_from": 9 }],
        "series": [{ "first": 0, "end": 2, "values": [0.5, -0.0] }, { "first": 0, "end": 0, "values": [] }],
        "newer": [],
    }});
    let run = AnyRun::from_json(&text.to_string()).unwrap().into_latest();
    let (old, left_out) = AnyRun::downgrade(run, Version::V1).unwrap();
    let mut names: Vec<_> = left_out.iter().map(|part| part.pointer().to_owned()).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "/run/head/channels/0/name",
            "/run/head/channels/0/unit",
            "/run/head/created_at",
            "/run/head/device_type",
            "/run/head/entity_digest",
            "/run/head/error",
            "/run/head/final_values",
            "/run/head/firmware",
            "/run/head/grid/samples",
            "/run/head/ic_time_ns",
            "/run/head/k0",
            "/run/head/labels",
            "/run/head/newer",
            "/run/head/op_time_ns",
            "/run/head/overloads",
            "/run/head/owner",
            "/run/head/parameter_schema",
            "/run/head/phases",
            "/run/head/priority",
            "/run/head/related_to",
            "/run/head/states/1/newer",
            "/run/head/states/1/reason",
            "/run/head/time_base",
            "/run/head/worker",
            "/run/logs/1/at",
            "/run/logs/1/cut_from",
            "/run/logs/1/level",
            "/run/logs/1/source",
            "/run/newer",
        ]
    );
    let written: Value = serde_json::from_str(&old.to_json().unwrap()).unwrap();
    let expected = json!({ "version": "v1", "run": {
        "id": id().to_string(), "type": "run",
        "states": [{ "timestamp": at, "status": "queued" }, { "timestamp": at, "status": "failed" }],
        "logs": ["plain", "t"], "channels": 2, "measurements": [[0.5, -0.0], []],
        "device_id": "lucidac-1", "input_type": "circuit", "input": { "ic": -0.0 }, "output": null,
    }});
    assert_eq!(written.to_string(), expected.to_string());
}

#[test]
fn what_version_one_would_misread_is_refused_by_name() {
    for (field, clear) in [
        ("/run/head/device:", (|head| head.device = None) as fn(&mut RunHead)),
        ("/run/head/input_type:", |head| head.input_type = None),
        ("/run/head/input:", |head| head.input = None),
    ] {
        let mut run = plain();
        clear(&mut run.head);
        let error = refused(run);
        assert!(error.contains(field) && error.ends_with("write version 2"), "{error}");
    }
    let mut gap = Series::starting_at(0);
    gap.push_gap(Gap::new(0..3, GapCause::Device));
    let mut infinite = Series::starting_at(0);
    infinite.push_values(&[1.0, f64::INFINITY]);
    let kept = {
        let mut series = Series::starting_at(0);
        series.push_values(&[5e-324, -0.0]);
        series
    };
    for (series, why) in [
        (gap, "/run/series/1: samples 0 to 3 are missing"),
        (infinite, "/run/series/1: sample 1 is inf"),
        (Series::starting_at(7), "/run/series/1: begins at sample 7"),
    ] {
        let error = refused(Run { series: vec![kept.clone(), series], ..plain() });
        assert!(error.contains(why), "{error}");
    }
    let channels = |count: usize| {
        let mut run = plain();
        run.head.channels = vec![lucihub_models_core::Channel::default(); count];
        run
    };
    assert!(AnyRun::downgrade(channels(1 << 16), Version::V1).is_ok());
    let error = refused(channels((1 << 16) + 1));
    assert!(error.contains("/run/head/channels: 65537 of them"), "{error}");
}

#[test]
fn a_device_names_what_it_lacks_and_what_is_left_out() {
    let mut device = Device::new("lucidac-1".parse().unwrap(), DeviceType::Lucidac);
    device.input_type = Some(v1::InputType::Circuit);
    let error = AnyDevice::downgrade(device.clone(), Version::V1).unwrap_err().to_string();
    assert!(error.contains("/device/parameter_schema"), "{error}");
    device.parameter_schema = Some(JsonText::from_stored("true"));
    device.firmware = Some("1.2".to_owned());
    let (old, left_out) = AnyDevice::downgrade(device.clone(), Version::V1).unwrap();
    assert_eq!(left_out.iter().map(lucihub_models_core::LeftOut::pointer).collect::<Vec<_>>(), ["/device/firmware"]);
    assert_eq!(AnyDevice::from_json(&old.to_json().unwrap()).unwrap(), old);
    let newest = *AnyDevice::VERSIONS.last().unwrap();
    assert_eq!(AnyDevice::downgrade(device.clone(), newest).unwrap(), (AnyDevice::from(device), Vec::new()));
}

#[test]
fn heads_are_of_version_two_or_refused() {
    let head = plain().head;
    let newest = HeadDocument::downgrade(&head, Version::V2).unwrap();
    assert_eq!(newest, (HeadDocument::write(&head).unwrap(), Vec::new()));
    let error = HeadDocument::downgrade(&head, Version::V1).unwrap_err().to_string();
    assert!(error.contains("version 1 has no heads; write the whole run"), "{error}");
}

#[test]
fn versions_are_read_by_their_tags() {
    for version in Version::ALL {
        assert_eq!(version.to_string().parse::<Version>().unwrap(), *version);
    }
    let error = "v9".parse::<Version>().unwrap_err().to_string();
    assert!(error.contains("\"v9\" is not known; known versions are v1, v2"), "{error}");
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn version_one_comes_back_from_version_two_whole(
        id in run_ids(),
        states in vec((times(), texts()), 0..4),
        logs in vec(texts(), 0..4),
        measurements in vec(vec(-1e300_f64..1e300, 0..9), 0..4),
        more in 0_u32..3,
        output in any::<bool>(),
    ) {
        let old = v1::Run {
            id,
            job_type: v1::JobType::Verify,
            states: states
                .iter()
                .map(|(timestamp, word)| v1::StateChange { timestamp: *timestamp, status: RunState::from(&**word) })
                .collect(),
            logs,
            channels: u32::try_from(measurements.len()).unwrap() + more,
            // A list for each channel, as version 2 has it.
            measurements: measurements.into_iter().chain(vec![Vec::new(); more as usize]).collect(),
            device_id: "lucidac-1".parse().unwrap(),
            input_type: v1::InputType::Circuit,
            input: JsonText::from_stored("{\"ic\": -0.0}"),
            output: output.then(|| JsonText::from_stored("null")),
        };
        let (back, left_out) = AnyRun::downgrade(AnyRun::V1(old.clone()).into_latest(), Version::V1).unwrap();
        prop_assert_eq!(left_out, []);
        prop_assert_eq!(back, AnyRun::V1(old));
    }

    #[test]
    fn whatever_is_left_out_is_named_and_the_rest_is_kept(run in runs(), given in any::<bool>()) {
        let mut run = run;
        run.head.device = given.then(|| "lucidac-1".parse().unwrap());
        run.head.input_type = Some(v1::InputType::Circuit);
        run.head.input.get_or_insert(JsonText::from_stored("{}"));
        let whole = run.series.iter().all(|series| {
            series.first == 0 && series.gaps.is_empty() && series.values.iter().all(|value| value.is_finite())
        });
        let answer = AnyRun::downgrade(run.clone(), Version::V1);
        prop_assert_eq!(answer.is_ok(), given && whole, "{:?}", answer);
        // Whole ones are rare: the same without samples is taken.
        run.head.device = Some("lucidac-1".parse().unwrap());
        run.series = vec![Series::default(); run.head.channels.len()];
        let (old, left_out) = AnyRun::downgrade(run.clone(), Version::V1).unwrap();
        let AnyRun::V1(v1) = &old else { panic!("version 1 was asked for") };
        prop_assert_eq!(v1.state(), run.state());
        prop_assert_eq!((v1.id(), v1.device(), v1.input(), v1.output()), (run.id(), run.device(), run.input(), run.output()));
        prop_assert!(v1.logs.iter().eq(run.logs.iter().map(|line| &line.text)));
        let names: Vec<_> = left_out.iter().map(|part| part.pointer().to_owned()).collect();
        let document = |run: Run| serde_json::to_value(AnyRun::from(run)).unwrap();
        // Names and values that version 2 must have are filled in; beside those, what is named is all that is missing.
        let demanded = |name: &String| name.ends_with("/created_at") || name.contains("/grid/");
        let (filled, gone): (Vec<_>, Vec<_>) = names.into_iter().partition(demanded);
        let mut kept = without(document(run), &gone);
        let back = document(old.into_latest());
        for name in filled {
            *kept.pointer_mut(&name).unwrap() = back.pointer(&name).unwrap().clone();
        }
        prop_assert_eq!(kept.to_string(), back.to_string());
    }
}
