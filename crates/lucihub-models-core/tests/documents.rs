//! Documents: what goes through JSON comes back bit for bit, or is refused with a typed error.

use lucihub_models_core::{AnyDevice, AnyRun, HeadDocument, ModelError, Run, RunModel, RunState, Version, v1};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::given::{cases, heads, run_ids, runs, texts, times};

/// Heads are compared by their parts, since NaN is unequal to itself in a final value.
fn bits(run: &Run) -> (Run, Vec<(String, u64)>) {
    let mut run = run.clone();
    let finals = std::mem::take(&mut run.head.final_values);
    (run, finals.into_iter().map(|value| (value.element, value.value.to_bits())).collect())
}

/// A value as a newer component may add it: no integer is wider than 64 bits.
fn additions() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has finite numbers", |v| v.is_finite()).prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((texts(), inner), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_run_survives_json_bit_for_bit(run in runs()) {
        let text = AnyRun::from(run.clone()).to_json().unwrap();
        let back = AnyRun::from_json(&text).unwrap().into_latest();
        prop_assert_eq!(bits(&back), bits(&run));
        prop_assert_eq!(AnyRun::from(back).to_json().unwrap(), text);
    }

    #[test]
    fn a_head_survives_json(head in heads()) {
        let text = HeadDocument::write(&head).unwrap();
        let back = HeadDocument::read(&text).unwrap();
        prop_assert_eq!(HeadDocument::write(&back).unwrap(), text);
        prop_assert_eq!(back.input, head.input);
        prop_assert_eq!(back.states, head.states);
    }

    #[test]
    fn fields_and_words_of_newer_components_survive(
        run in run_ids(), name in "newer_[a-z]{1,8}", value in additions(), word in "[a-z]{1,12}-newer",
        word_of_device in "[A-Z]{1,12}-NEWER",
    ) {
        let with = |mut object: Value| {
            object[&name] = value.clone();
            object
        };
        let at = "2026-11-23T17:30:00.250000Z";
        let document = json!({ "version": "v2", "run": {
            "head": with(json!({
                "id": run.to_string(),
                "type": word.clone(),
                "created_at": at,
                "states": [with(json!({ "state": word.clone(), "at": at }))],
                "channels": [with(json!({ "name": "x" }))],
                "phases": [with(json!({ "phase": word.clone(), "at": at }))],
                "overloads": [with(json!({ "element": "e", "at": at }))],
                "final_values": [with(json!({ "element": "e", "value": -0.0 }))],
                "related_to": [with(json!({ "kind": word.clone(), "run": run.to_string() }))],
                "grid": { "samples": 65_536, "lines": 1_024 },
            })),
            "logs": [with(json!({ "text": "t" }))],
            "series": [{ "first": 0, "end": 2, "gaps": [{ "first": 0, "end": 1, "cause": word }], "values": [0.5] }],
        }});
        let read = AnyRun::from_json(&document.to_string()).unwrap();
        prop_assert!(!read.clone().into_latest().head.state().is_terminal(), "an unknown state has not ended");
        let back: Value = serde_json::from_str(&read.to_json().unwrap()).unwrap();
        prop_assert_eq!(back, document.clone());

        let head = json!({ "version": "v2", "head": document["run"]["head"] });
        let read = HeadDocument::read(&head.to_string()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&HeadDocument::write(&read).unwrap()).unwrap(), head);

        let device = json!({ "version": "v2", "device": with(json!({ "id": "lucidac-1", "type": word_of_device })) });
        let read = AnyDevice::from_json(&device.to_string()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&read.to_json().unwrap()).unwrap(), device);
    }

    #[test]
    fn a_head_says_a_version_that_heads_have(version in "v[01]|head|", head in heads()) {
        let text = HeadDocument::write(&head).unwrap().replacen("\"v2\"", &format!("{version:?}"), 1);
        let error = HeadDocument::read(&text).unwrap_err();
        prop_assert!(matches!(&error, ModelError::Malformed { version: found, .. } if *found == version), "{:?}", error);
        prop_assert!(error.to_string().contains("known versions are v2"), "{}", error);
    }

    #[test]
    fn newer_versions_are_named(more in 1_u32.., rest in texts()) {
        let known = u32::try_from(Version::ALL.len()).unwrap();
        let version = format!("v{}", known.saturating_add(more));
        let text = json!({ "version": version, "run": rest, "device": rest, "head": rest }).to_string();
        let newer = |versions: &[Version]| ModelError::NewerVersion {
            found: version.clone(),
            newest: versions.last().unwrap().to_string(),
        };
        prop_assert_eq!(AnyRun::from_json(&text).unwrap_err(), newer(AnyRun::VERSIONS));
        prop_assert_eq!(AnyDevice::from_json(&text).unwrap_err(), newer(AnyDevice::VERSIONS));
        prop_assert_eq!(HeadDocument::read(&text).unwrap_err(), newer(HeadDocument::VERSIONS));
    }

    #[test]
    fn garbage_is_refused_without_a_panic(text in texts(), version in "v?[0-9a-z]{0,3}") {
        prop_assert!(AnyRun::from_json(&text).is_err());
        let document = json!({ "version": version, "run": text, "head": text }).to_string();
        prop_assert!(AnyRun::from_json(&document).is_err());
        prop_assert!(HeadDocument::read(&document).is_err());
    }

    #[test]
    fn version_one_becomes_version_two(
        id in run_ids(),
        states in vec((times(), texts()), 0..4),
        logs in vec(texts(), 0..4),
        measurements in vec(vec(-1e300_f64..1e300, 0..9), 0..4),
        more in 0_u32..3,
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
            measurements,
            device_id: "lucidac-1".parse().unwrap(),
            input_type: v1::InputType::Circuit,
            input: lucihub_models_core::JsonText::from_stored("{\"ic\": -0.0}"),
            output: None,
        };
        let text = AnyRun::V1(old.clone()).to_json().unwrap();
        let new = AnyRun::from_json(&text).unwrap().into_latest();
        let both: [&dyn RunModel; 2] = [&old, &new];
        prop_assert!(both.iter().all(|run| run.id() == id && run.channel_count() == old.channels as usize));
        prop_assert_eq!((both[0].job_type(), both[0].device()), (both[1].job_type(), both[1].device()));
        prop_assert_eq!((both[0].input(), both[0].output()), (both[1].input(), both[1].output()));
        prop_assert_eq!((both[0].state(), both[0].line_count()), (both[1].state(), both[1].line_count()));
        for line in 0..=old.logs.len() {
            prop_assert_eq!(both[0].line(line), both[1].line(line));
        }
        for channel in 0..=old.channels as usize {
            for index in 0..10 {
                let [a, b] = both.map(|run| run.sample(channel, index).map(f64::to_bits));
                prop_assert_eq!(a, b);
            }
        }
        let times: Vec<_> = new.head.states.iter().map(|change| change.at).collect();
        prop_assert_eq!(times, states.iter().map(|(at, _)| *at).collect::<Vec<_>>());
        prop_assert!(new.series.iter().all(lucihub_models_core::Series::is_consistent));
    }

    #[test]
    fn wide_integers_are_refused_but_in_input_and_output(run in run_ids(), digits in "[1-9][0-9]{20,40}") {
        let at = "2026-11-23T17:30:00Z";
        let document = |head: &str, run_part: &str| format!(
            r#"{{"version":"v2","run":{{"head":{{"id":"{run}","type":"run","created_at":"{at}","states":[]{head}}}{run_part}}}}}"#
        );
        for (head, part) in [
            (format!(r#","newer":{digits}"#), String::new()),
            (format!(r#","newer":{{"a":[-{digits}]}}"#), String::new()),
            (String::new(), format!(r#","logs":[{{"text":"t","newer":{digits}}}]"#)),
        ] {
            let answer = AnyRun::from_json(&document(&head, &part));
            prop_assert!(matches!(answer, Err(ModelError::Malformed { .. })), "{:?}", answer);
        }
        let kept = document(&format!(r#","input":{digits},"output":{{"a": {digits}}}"#), "");
        let back = AnyRun::from_json(&kept).unwrap().to_json().unwrap();
        let output = format!(r#"{{"a": {digits}}}"#);
        prop_assert!(back.contains(&output), "{}", back);
        let text = document(r#","newer":"99999999999999999999999""#, "");
        prop_assert!(AnyRun::from_json(&text).is_ok(), "digits in a string are no integer");
    }
}
