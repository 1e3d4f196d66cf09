//! Hostile input: refused before any write, or back as it was.

use lucihub_models_core::hot::{Outcome, TookOver};
use lucihub_models_core::{
    Channel, DeviceId, DeviceType, InputType, JobType, JsonText, Overload, Relation, RelationKind, RunHead, RunId,
    RunState, StateChange, Timestamp,
};

use super::stage::{Stage, taken};
use crate::harness::HotHarness;
use crate::models::{lines_body, state_body};

/// Texts that quoting, key building, line splitting or C strings trip over.
const TEXTS: [&str; 12] = [
    "",
    "\0",
    "a\nb\r",
    "\u{2028}\u{2029}\u{85}",
    "\"'`\\",
    "{a}:{b}",
    "lh:{0}*?[x]",
    "%_%s%n",
    "'; DROP TABLE runs; --",
    "\u{1f9ea}\u{200d}\u{10ffff}\u{feff}",
    "return redis.call('FLUSHALL')",
    "NaN",
];

/// A head with hostile texts in every field, unknown words, and fields of newer components.
fn hostile_head(stage: &Stage<'_>, text: &str) -> RunHead {
    let id = stage.head(0).id;
    let newer = format!(
        r#"{{"id":"{id}","type":"run","created_at":"0001-01-01T00:00:00Z","states":[{{"state":"queued","at":"9999-12-31T23:59:59.999999Z","by":{{"x":[1,null]}}}}],"newer":{{"deep":[[-0.0,1e300,"é"]]}}}}"#
    );
    let mut head: RunHead = serde_json::from_str(&newer).unwrap();
    head.job_type = JobType::from(text);
    head.device = Some("A-Z.0_9:a".repeat(14).parse::<DeviceId>().unwrap());
    head.device_type = Some(DeviceType::from(text));
    head.input_type = Some(InputType::from(text));
    head.owner = Some(text.to_owned());
    head.labels = [("x".to_owned() + text, text.to_owned())].into_iter().collect();
    head.input = Some(JsonText::from_stored("{ \"a\\u0000\\u2028\":\t[1e-7, -0.0, 123456789012345678901234567890] }"));
    head.error = Some(text.to_owned());
    head.channels = vec![Channel::named(text).on(text, text).in_unit(text)];
    head.priority = Some(i32::MIN);
    head.related_to = vec![Relation::new(RelationKind::from(text), head.id)];
    head.parameter_schema = Some(text.to_owned());
    head
}

/// Heads come back whole.
pub async fn heads_come_back_whole(h: &dyn HotHarness) {
    let stage = Stage::new(h, "heads_come_back_whole");
    for text in TEXTS {
        let head = hostile_head(&stage, text);
        stage.store.open(&head).await.unwrap();
        let kept = stage.get(head.id).await;
        assert_eq!(*kept.head, head, "{text:?}");
        assert_eq!(kept.head.input.as_ref().unwrap().as_str(), head.input.as_ref().unwrap().as_str());
    }
}

/// Any UUID is the id of a run, also those that no generator makes.
pub async fn any_uuid_is_a_run(h: &dyn HotHarness) {
    let stage = Stage::new(h, "any_uuid_is_a_run");
    // Mixed with the harness's seed, so that suites on one server do not meet.
    let seed = u128::from(h.seed()) << 64;
    for id in [seed, u128::MAX ^ seed, 1 | seed] {
        let mut head = stage.head(0);
        head.id = RunId::from_uuid(uuid::Uuid::from_u128(id));
        stage.store.open(&head).await.unwrap();
        let mut writer = stage.take(head.id).await;
        writer.apply(lines_body([head.id.to_string()])).await;
        assert_eq!(stage.store.lines(head.id, 0..9).await.unwrap().unwrap().lines[0].text, head.id.to_string());
    }
}

/// Worker names, reasons, states and elements are text like any other.
pub async fn texts_of_batches_come_back(h: &dyn HotHarness) {
    let stage = Stage::new(h, "texts_of_batches_come_back");
    for text in TEXTS {
        let run = stage.open(1).await;
        let mut request = stage.request(run);
        request.worker = text.to_owned();
        let first = taken(stage.store.take_over(&request).await.unwrap());
        let other = stage.store.take_over(&stage.request(run)).await.unwrap();
        assert!(matches!(&other, TookOver::Held { by, .. } if by == text), "{other:?}");

        let mut body = state_body([RunState::Other(format!("x{text}"))]);
        body.states.push(StateChange::new(RunState::Failed, Timestamp::MIN).because(text));
        body.overloads.push(Overload::new(text, Timestamp::MAX));
        let batch = lucihub_models_core::Batch::new(run, first.mark, 1, body.clone());
        assert_eq!(stage.store.append(&batch).await.unwrap().outcome, Outcome::Applied);
        let head = stage.get(run).await.head;
        assert_eq!(head.states[1..], body.states);
        assert_eq!((&head.overloads, head.worker.as_deref()), (&body.overloads, Some(text)));
    }
}

/// Reasons of people are text like any other.
pub async fn reasons_come_back(h: &dyn HotHarness) {
    let stage = Stage::new(h, "reasons_come_back");
    for text in TEXTS {
        let run = stage.open(0).await;
        stage.store.cancel(run, Some(text)).await.unwrap();
        assert_eq!(stage.get(run).await.head.states[1].reason.as_deref(), Some(text));
    }
}

/// A thousand runs with one line each stay apart.
pub async fn many_small_runs(h: &dyn HotHarness) {
    let stage = Stage::new(h, "many_small_runs");
    let mut runs = Vec::new();
    for n in 0..1_000 {
        let mut writer = stage.writer(0).await;
        writer.apply(lines_body([n.to_string()])).await;
        runs.push(writer.run);
    }
    for (n, run) in runs.into_iter().enumerate() {
        assert_eq!(stage.store.lines(run, 0..9).await.unwrap().unwrap().lines[0].text, n.to_string());
    }
}
