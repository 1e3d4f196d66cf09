//! Faults that the property tests found. Each loses `#[ignore]` when its fault is gone.

use lucihub_models_core::{
    AnyRun, BatchBody, Channel, HeadDocument, JobType, JsonText, Limits, ModelError, Plan, Positions, RunHead, RunId,
    SampleBlock, Timestamp,
};
use serde_json::{Value, json};

const RUN: &str = "0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e";

fn head() -> RunHead {
    RunHead::queued(RunId::from_uuid(uuid::Uuid::from_u128(7)), JobType::Run, Timestamp::EPOCH)
}

#[test]
#[ignore = "an input or output of `null` is absent after a round trip"]
fn null_is_a_document() {
    let mut head = head();
    head.input = Some(JsonText::parse("input", "null", &Limits::default()).unwrap());
    let back = HeadDocument::read(&HeadDocument::write(&head).unwrap()).unwrap();
    assert_eq!(back.input, head.input);
}

#[test]
#[ignore = "white space around an input is lost inside a document"]
fn documents_keep_the_space_around_them() {
    let mut head = head();
    head.input = Some(JsonText::parse("input", " {}\n", &Limits::default()).unwrap());
    let back = HeadDocument::read(&HeadDocument::write(&head).unwrap()).unwrap();
    assert_eq!(back.input, head.input);
}

#[test]
#[ignore = "heads are read without the check for wide integers"]
fn wide_integers_in_heads_are_refused() {
    let text = HeadDocument::write(&head()).unwrap().replacen("\"id\"", "\"newer\":18446744073709551616,\"id\"", 1);
    let answer = HeadDocument::read(&text);
    assert!(matches!(answer, Err(ModelError::Malformed { .. })), "{answer:?}");
}

#[test]
#[ignore = "unknown fields of the run itself, series, gaps, time base, grid and relations are dropped"]
fn unknown_fields_survive_in_every_part() {
    let document = json!({ "version": "v2", "run": {
        "head": {
            "id": RUN, "type": "run", "created_at": "2026-11-23T17:30:00.250000Z", "states": [],
            "time_base": { "rate_hz": 1.0, "origin_s": 0.0, "newer": 1 },
            "related_to": [{ "kind": "repeats", "run": RUN, "newer": 1 }],
            "grid": { "samples": 65_536, "lines": 1_024, "newer": 1 },
        },
        "logs": [],
        "series": [{
            "first": 0, "end": 1, "values": [], "newer": 1,
            "gaps": [{ "first": 0, "end": 1, "cause": "device", "newer": 1 }],
        }],
        "newer": 1,
    }});
    let back = AnyRun::from_json(&document.to_string()).unwrap().to_json().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), document);
}

#[test]
#[ignore = "blocks out of order within a batch are sorted, where the batch promises order"]
fn blocks_out_of_order_are_refused() {
    let mut head = head();
    head.channels = vec![Channel::default()];
    let block = |first| SampleBlock { channel: 0, first, values: vec![0.0; 5].into() };
    let body = BatchBody { blocks: vec![block(5), block(0)], ..BatchBody::default() };
    assert!(Plan::new(&body, &head, &Positions::default(), &Limits::default()).is_err());
}

#[test]
#[ignore = "a version number past 32 bits is malformed, not newer"]
fn every_later_version_is_newer() {
    let answer = AnyRun::from_json(r#"{"version":"v4294967296","run":{}}"#);
    assert!(matches!(answer, Err(ModelError::NewerVersion { .. })), "{answer:?}");
}
