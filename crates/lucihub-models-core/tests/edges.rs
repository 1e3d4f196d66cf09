//! Edges of documents and batches, each once a fault that the property tests found.

use lucihub_models_core::{
    AnyDevice, AnyRun, BatchBody, Channel, FinalValue, Gap, GapCause, GapMark, HeadDocument, JobType, JsonText, Limits,
    ModelError, Phase, PhaseChange, Plan, Positions, Reject, RunDigest, RunHead, RunId, SampleBlock, TimeBase,
    Timestamp,
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

/// A document of a run with these fields in its head.
fn document(more: &str) -> String {
    let at = "2026-11-23T17:30:00Z";
    format!(
        r#"{{"version":"v2","run":{{"head":{{"id":"{RUN}","type":"run","created_at":"{at}","states":[],{more}"newer":1}}}}}}"#
    )
}

/// `JSON.stringify(1e20)` has no exponent.
#[test]
fn a_number_that_is_no_integer_may_have_all_its_digits() {
    let values = r#""final_values":[{"element":"e","value":100000000000000000000}],"#;
    let text = document(values)
        .replace("}}}", r#"},"series":[{"end":2,"values":[-10000000000000000000, 100000000000000000000]}]}}"#);
    let run = AnyRun::from_json(&text).unwrap().into_latest();
    assert_eq!(run.head.final_values, [FinalValue::new("e", 1e20)]);
    assert_eq!(run.series[0].values, [-1e19, 1e20]);
    let position = text.replace(r#""end":2"#, r#""end":100000000000000000000"#);
    assert!(matches!(AnyRun::from_json(&position), Err(ModelError::Malformed { .. })));
}

#[test]
fn an_unknown_field_may_be_called_head_and_none_changes_in_silence() {
    let device = r#"{"version":"v2","device":{"id":"a","type":"LUCIDAC","head":"left"}}"#;
    let back = AnyDevice::from_json(device).unwrap().to_json().unwrap();
    assert!(back.contains(r#""head":"left""#), "{back}");
    let back = AnyRun::from_json(&document(r#""head":"left","#)).unwrap().to_json().unwrap();
    assert!(back.contains(r#""head":"left""#), "{back}");
    // Of a run in the newest version, an input beside the head is an unknown field like any other.
    let beside = document("").replace(r#"{"head""#, r#"{"input":18446744073709551617,"head""#);
    assert!(matches!(AnyRun::from_json(&beside), Err(ModelError::Malformed { .. })));
}

#[test]
fn a_key_that_stands_twice_is_refused_wherever_it_is() {
    for twice in [r#""labels":{"a":"1","a":"2"},"#, r#""twice":1,"twice":2,"#, r#""input":{"a":[{"b":1,"b":2}]},"#] {
        let Err(ModelError::Malformed { why, .. }) = AnyRun::from_json(&document(twice)) else { panic!("{twice}") };
        assert!(why.contains("stands twice"), "{why}");
    }
}

#[test]
fn a_grid_that_is_none_is_refused_in_every_document() {
    for (samples, lines) in [(0, 0), (1_000, 1), (512, 1), (1 << 21, 1), (1_024, 0), (1_024, 2_049)] {
        let text = document(&format!(r#""grid":{{"samples":{samples},"lines":{lines}}},"#));
        let Err(ModelError::Malformed { why, .. }) = AnyRun::from_json(&text) else { panic!("{samples}, {lines}") };
        assert!(why.contains("grid"), "{why}");
    }
    assert!(AnyRun::from_json(&document(r#""grid":{"samples":1024,"lines":2048},"#)).is_ok());
}

#[test]
fn a_time_base_that_json_cannot_hold_is_not_written() {
    for base in [TimeBase::from_rate(f64::NAN), TimeBase { rate_hz: 1.0, origin_s: f64::INFINITY }] {
        let mut head = head();
        head.time_base = Some(base);
        let written = HeadDocument::write(&head);
        assert!(matches!(written, Err(ModelError::NotRepresentable { .. })), "{written:?}");
    }
}

#[test]
fn a_sample_far_from_the_start_is_found_by_its_time() {
    for (rate, index) in [(1e6, 16_406_464_252), (1e4, 11_474_373_282), (1e6, (1 << 40) - 1), (10.0, 3), (48_000.0, 7)]
    {
        let base = TimeBase::from_rate(rate);
        for index in index..index + 2_000 {
            assert_eq!(base.index(base.seconds(index)), index, "{rate} Hz");
        }
    }
}

/// Whatever a batch brings counts, so that its limit is one.
#[test]
fn all_texts_of_a_batch_count_and_have_a_limit() {
    let limits = Limits::default();
    let plan = |body: &BatchBody| {
        let mut head = head();
        head.channels = vec![Channel::default()];
        Plan::new(body, &head, &Positions::default(), &limits)
    };
    let gap = |bytes: usize| {
        let cause = GapCause::Other("x".repeat(bytes));
        BatchBody { gaps: vec![GapMark { channel: 0, gap: Gap::new(0..1, cause) }], ..BatchBody::default() }
    };
    assert!(plan(&gap(limits.word_bytes)).is_ok() && gap(200).size() >= 200);
    let refused = plan(&gap(limits.word_bytes + 1));
    assert!(matches!(&refused, Err(Reject::Invalid(why)) if why.to_string().contains("gap")), "{refused:?}");

    let phase = PhaseChange::new(Phase::Op, Timestamp::EPOCH).on("x".repeat(limits.text_bytes));
    let body = BatchBody { phases: vec![phase; 1_000], ..BatchBody::default() };
    assert!(body.size() > 1_000 * limits.text_bytes);
    assert!(matches!(plan(&body), Err(Reject::Invalid(_))), "4 MB are more than a batch may have");
}

/// A keeper has the head from hot storage, as a document; who verifies has it from the columns of cold storage.
#[test]
fn the_digest_of_a_head_survives_its_document() {
    let mut head = head();
    head.input = Some(JsonText::parse("input", " {\"ic\": -0.0 }\r\n", &Limits::default()).unwrap());
    head.time_base = Some(TimeBase::from_rate(1.0 / 3.0));
    head.priority = Some(-3);
    head.owner = Some(String::new());
    let back = HeadDocument::read(&HeadDocument::write(&head).unwrap()).unwrap();
    let digest = |head: &RunHead| RunDigest::begin(head).finish();
    assert_eq!(digest(&back), digest(&head));
    for change in [|head: &mut RunHead| head.owner = None, |head: &mut RunHead| head.priority = Some(3)] {
        let mut other = head.clone();
        change(&mut other);
        assert_ne!(digest(&other), digest(&head));
    }
}
