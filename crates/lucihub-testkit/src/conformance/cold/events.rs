//! Store events: each once, the last ones, before and after the archive, and gone with their run.

use lucihub_models_core::{StoreError, StoreEvent};

use super::Store;
use super::given::{archive, create, head, id};
use super::races::race;
use crate::models::store_event;

fn events(numbers: std::ops::Range<u32>) -> Vec<StoreEvent> {
    numbers.map(store_event).collect()
}

/// They come back in order, each once as it was first told, with what this version does not know, whatever was added when.
pub async fn events_come_back_in_order_and_once(store: Store) {
    create(&*store, &head(1)).await;
    create(&*store, &head(2)).await;
    let newer = r#"{"id":"0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e","at":"2026-01-05T08:00:00.500000Z","kind":"mo\"ved","text":"","more":{"a":[1.5,null,"\u0000"]}}"#;
    let newer = StoreEvent::from_json(newer).unwrap();
    assert!(store.add_events(id(1), &[]).await.unwrap());
    for numbers in [2..4, 0..3, 2..4] {
        assert!(store.add_events(id(1), &events(numbers)).await.unwrap());
    }
    assert!(store.add_events(id(1), &[newer.clone(), store_event(1).text("otherwise")]).await.unwrap());
    let all = [vec![store_event(0), newer], events(1..4)].concat();
    assert_eq!(store.events(id(1)).await.unwrap(), all);
    assert_eq!(store.events(id(2)).await.unwrap(), []);
}

/// Of many the last ones are kept.
pub async fn the_last_events_are_kept(store: Store) {
    create(&*store, &head(1)).await;
    for first in (0..250).rev().step_by(25) {
        assert!(store.add_events(id(1), &events(first - 24..first + 1)).await.unwrap());
    }
    assert_eq!(store.events(id(1)).await.unwrap(), events(50..250));
}

/// An archived run takes them too, and stays what it was; with the run they are gone, and a deleted one takes none.
pub async fn events_go_with_their_run_alone(store: Store) {
    create(&*store, &head(1)).await;
    assert!(store.add_events(id(1), &events(0..2)).await.unwrap());
    archive(&*store, &head(1)).await;
    let before = store.get(id(1)).await.unwrap();
    assert!(store.add_events(id(1), &events(2..3)).await.unwrap());
    assert_eq!(store.get(id(1)).await.unwrap(), before);
    assert_eq!(store.events(id(1)).await.unwrap(), events(0..3));
    assert!(store.release(id(1)).await.unwrap());
    assert!(store.add_events(id(1), &events(3..4)).await.unwrap());
    assert!(store.delete(id(1)).await.unwrap());
    assert!(!store.add_events(id(1), &events(0..3)).await.unwrap());
    create(&*store, &head(1)).await;
    assert_eq!(store.events(id(1)).await.unwrap(), []);
    assert!(!store.add_events(id(9), &events(0..3)).await.unwrap());
    assert_eq!(store.events(id(9)).await.unwrap(), []);
}

/// Of several that add at once, nothing is lost.
pub async fn events_of_many_are_all_there(store: Store) {
    create(&*store, &head(1)).await;
    race(|n| {
        let store = store.clone();
        let n = u32::try_from(n).unwrap();
        async move { assert!(store.add_events(id(1), &events(n * 8..n * 8 + 12)).await.unwrap()) }
    })
    .await;
    assert_eq!(store.events(id(1)).await.unwrap(), events(0..68));
}

/// Events past a limit are refused, and nothing of the call is written.
pub async fn events_are_checked_first(store: Store) {
    create(&*store, &head(1)).await;
    let (mut broken, mut long) = (store_event(1), store_event(1));
    broken.text = Some("a\nb".to_owned());
    long.text = Some("x".repeat(100_000));
    for bad in [broken, long] {
        let refused = store.add_events(id(1), &[store_event(0), bad]).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    }
    assert_eq!(store.events(id(1)).await.unwrap(), []);
}
