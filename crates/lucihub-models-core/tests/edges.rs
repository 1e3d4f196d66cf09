//! Edges of documents and batches, each once a fault that the property tests found.

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
fn null_is_a_document() {
    let mut head = head();
    head.input = Some(JsonText::parse("input", "null", &Limits::default()).unwrap());
    let back = HeadDocument::read(&HeadDocument::write(&head).unwrap()).unwrap();
    assert_eq!(back.input, head.input);
}

#[test]
fn wide_integers_in_heads_are_refused() {
    let text = HeadDocument::write(&head()).unwrap().replacen("\"id\"", "\"newer\":18446744073709551616,\"id\"", 1);
    let answer = HeadDocument::read(&text);
    assert!(matches!(answer, Err(ModelError::Malformed { .. })), "{answer:?}");
}

#[test]
fn unknown_fields_survive_in_every_open_part() {
    let document = json!({ "version": "v2", "run": {
        "head": {
            "id": RUN, "type": "run", "created_at": "2026-11-23T17:30:00.250000Z", "states": [],
            "related_to": [{ "kind": "repeats", "run": RUN, "newer": 1 }],
            "grid": { "samples": 65_536, "lines": 1_024 },
        },
        "logs": [],
        "series": [],
        "newer": 1,
    }});
    let back = AnyRun::from_json(&document.to_string()).unwrap().to_json().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), document);
}

#[test]
fn coordinates_are_closed() {
    let with = |part: &str, value: Value| {
        let mut head = json!({
            "id": RUN, "type": "run", "created_at": "2026-11-23T17:30:00.250000Z", "states": [],
        });
        head[part] = value;
        AnyRun::from_json(&json!({ "version": "v2", "run": { "head": head } }).to_string())
    };
    assert!(with("time_base", json!({ "rate_hz": 1.0 })).is_ok());
    assert!(with("time_base", json!({ "rate_hz": 1.0, "newer": 1 })).is_err());
    assert!(with("grid", json!({ "samples": 1_024, "lines": 16, "newer": 1 })).is_err());
}

#[test]
fn the_order_within_a_batch_says_nothing() {
    let mut head = head();
    head.channels = vec![Channel::default()];
    let block = |first| SampleBlock { channel: 0, first, values: vec![0.0; 5].into() };
    let body = BatchBody { blocks: vec![block(5), block(0)], ..BatchBody::default() };
    let plan = Plan::new(&body, &head, &Positions::default(), &Limits::default()).unwrap();
    let firsts: Vec<u64> = plan.pieces[0].1.iter().map(lucihub_models_core::Piece::first).collect();
    assert_eq!(firsts, [0, 5]);
}

#[test]
fn every_later_version_is_newer() {
    let answer = AnyRun::from_json(r#"{"version":"v4294967296","run":{}}"#);
    assert!(matches!(answer, Err(ModelError::NewerVersion { .. })), "{answer:?}");
}
