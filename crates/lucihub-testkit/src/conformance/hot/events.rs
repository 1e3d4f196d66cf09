//! Store events: each once, the last ones, and they live and go with their run.

use std::sync::Arc;
use std::time::Duration;

use lucihub_models_core::hot::Restored;
use lucihub_models_core::{BatchBody, Positions, RunId, RunState, StoreError, StoreEvent, StoreEventKind, Timestamp};

use super::stage::{Stage, assert_unchanged};
use crate::harness::HotHarness;
use crate::models::{state_body, store_event};

const DAY: Duration = Duration::from_secs(86_400);

fn events(numbers: std::ops::Range<u32>) -> Vec<StoreEvent> {
    numbers.map(store_event).collect()
}

impl Stage<'_> {
    async fn note(&self, run: RunId, events: &[StoreEvent]) -> bool {
        self.store.note(run, events).await.expect("note")
    }

    async fn noted(&self, run: RunId) -> Vec<StoreEvent> {
        self.store.events(run).await.expect("events").expect("the run is there")
    }
}

/// What was noted comes back in order of time, with words and fields that this version does not know.
pub async fn events_come_back_in_order(h: &dyn HotHarness) {
    let stage = Stage::new(h, "events_come_back_in_order");
    let (run, other) = (stage.open(1).await, stage.open(1).await);
    assert_eq!(stage.noted(run).await, []);
    assert!(stage.note(run, &[]).await);
    let newer = r#"{"id":"0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e","at":"9999-12-31T23:59:59.999999Z","kind":"mo\"ved","text":"","more":{"a":[1.5,null,"\u0000"]}}"#;
    let newer = StoreEvent::from_json(newer).expect("an event");
    let early = StoreEvent::new(store_event(900).id, Timestamp::MIN, StoreEventKind::TakenOver);
    // Two of one moment stand in the order of their ids.
    let twin = StoreEvent::new(store_event(901).id, store_event(3).at, StoreEventKind::Fenced).by("\u{1f9ee} %d {}");
    assert!(stage.note(run, &[newer.clone(), twin.clone(), store_event(4)]).await);
    assert!(stage.note(run, &[store_event(3), early.clone()]).await);
    assert_eq!(stage.noted(run).await, [early, store_event(3), twin, store_event(4), newer]);
    assert_eq!(stage.noted(other).await, []);
}

/// The same again changes nothing, and what is told otherwise under the same id stays as it was.
pub async fn events_noted_again_are_there_once(h: &dyn HotHarness) {
    let stage = Stage::new(h, "events_noted_again_are_there_once");
    let run = stage.open(1).await;
    for numbers in [0..3, 0..3, 1..5, 0..1] {
        assert!(stage.note(run, &events(numbers)).await);
    }
    let mut otherwise = store_event(2).text("otherwise");
    otherwise.at = store_event(100).at;
    assert!(stage.note(run, &[otherwise]).await);
    assert_eq!(stage.noted(run).await, events(0..5));
}

/// Of many, one at a time or together, the last ones by their time are kept, whatever order they come in.
pub async fn the_last_events_are_kept(h: &dyn HotHarness) {
    let stage = Stage::new(h, "the_last_events_are_kept");
    let (single, together) = (stage.open(1).await, stage.open(1).await);
    for number in (0..250).rev().step_by(2).chain((0..250).step_by(2)) {
        assert!(stage.note(single, &[store_event(number)]).await);
    }
    assert!(stage.note(together, &events(0..250)).await);
    assert!(stage.note(together, &events(0..100)).await, "those that left stay away");
    for run in [single, together] {
        assert_eq!(stage.noted(run).await, events(50..250));
    }
}

/// Of several that note at once, nothing is lost.
pub async fn events_of_many_are_all_there(h: &dyn HotHarness) {
    let stage = Stage::new(h, "events_of_many_are_all_there");
    let run = stage.open(1).await;
    let tasks: Vec<_> = (0..16_u32)
        .map(|n| {
            let store = Arc::clone(&stage.store);
            tokio::spawn(async move { store.note(run, &events(n * 8..n * 8 + 12)).await.expect("note") })
        })
        .collect();
    for task in tasks {
        assert!(task.await.expect("the task"));
    }
    assert_eq!(stage.noted(run).await, events(0..132));
}

/// A run that is not there takes none, and nothing of it is made; a deleted one neither, then and later.
pub async fn absent_runs_take_no_events(h: &dyn HotHarness) {
    let stage = Stage::new(h, "absent_runs_take_no_events");
    let (absent, deleted) = (stage.head(1), stage.head(1));
    assert!(!stage.note(absent.id, &events(0..3)).await);
    assert_eq!(stage.store.events(absent.id).await.expect("events"), None);
    stage.store.open(&absent).await.expect("open");
    assert_eq!(stage.noted(absent.id).await, [], "what was refused left nothing");

    stage.store.open(&deleted).await.expect("open");
    assert!(stage.note(deleted.id, &events(0..3)).await);
    stage.store.remove(deleted.id, true, DAY).await.expect("remove");
    assert!(!stage.note(deleted.id, &events(3..6)).await);
    assert_eq!(stage.store.events(deleted.id).await.expect("events"), None);
    assert!(stage.store.get(deleted.id).await.expect("get").is_none());
}

/// A sealed run takes them too. No event changes a run, and writers go on as if there were none.
pub async fn events_change_no_run(h: &dyn HotHarness) {
    let stage = Stage::new(h, "events_change_no_run");
    let mut writer = stage.writer(1).await;
    let before = stage.get(writer.run).await;
    assert!(stage.note(writer.run, &events(0..3)).await);
    assert_unchanged(&before, &stage.get(writer.run).await);
    writer.apply(BatchBody::default()).await;
    writer.apply(state_body([RunState::InProgress, RunState::Succeeded])).await;
    let sealed = stage.get(writer.run).await;
    assert!(stage.note(writer.run, &events(3..6)).await);
    assert_unchanged(&sealed, &stage.get(writer.run).await);
    assert_eq!(stage.noted(writer.run).await, events(0..6));
}

/// They are lost with their run, and a restored one begins without; they expire with it, the last one too.
pub async fn events_leave_with_their_run(h: &dyn HotHarness) {
    let stage = Stage::new(h, "events_leave_with_their_run");
    let mut writer = stage.writer(1).await;
    let run = writer.run;
    assert!(stage.note(run, &events(0..3)).await);
    let known = stage.get(run).await;
    if h.lose(run).await {
        assert!(!stage.note(run, &events(0..3)).await);
        let at = Positions { states: 1, ..Positions::default() };
        let restored = stage.store.restore(&writer.restore(&known, at.clone(), at)).await.expect("restore");
        assert_eq!(restored, Restored::Restored);
        assert_eq!(stage.noted(run).await, []);
        assert!(stage.note(run, &events(0..3)).await);
    }
    writer.apply(state_body([RunState::InProgress, RunState::Failed])).await;
    assert!(stage.store.expire(run, Duration::from_secs(60)).await.expect("expire"));
    assert!(stage.note(run, &events(3..4)).await);
    assert_eq!(stage.noted(run).await, events(0..4));
    h.advance(Duration::from_secs(61)).await;
    assert!(!stage.note(run, &events(4..5)).await);
    assert_eq!(stage.store.events(run).await.expect("events"), None);
}

/// Events of more than one line, or past the limit, are refused, and nothing of the call is written.
pub async fn events_are_checked_first(h: &dyn HotHarness) {
    let stage = Stage::new(h, "events_are_checked_first");
    let run = stage.open(1).await;
    let (mut broken, mut long) = (store_event(1), store_event(1));
    broken.text = Some("a\nb".to_owned());
    long.text = Some("x".repeat(100_000));
    for bad in [broken, long] {
        let refused = stage.store.note(run, &[store_event(0), bad]).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    }
    assert_eq!(stage.noted(run).await, []);
}
