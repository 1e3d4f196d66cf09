//! How the store says it is.

use lucihub_models_core::WriteAs;
use lucihub_models_core::cold::ColdHealth;

use super::Store;
use super::given::{after_states, archive, create, head};

/// The store counts what waits for a keeper, and says since when the first that has ended does.
pub async fn health_tells_what_waits(store: Store) {
    let before = store.health().await.unwrap();
    assert!(before.bytes != Some(0), "an empty store takes up something, or that is not known: {before:?}");
    assert!(!before.engine.is_empty() && before.pending == 0 && before.oldest_ended.is_none(), "{before:?}");
    let same =
        |now: &ColdHealth| (now.engine.clone(), now.schema.clone()) == (before.engine.clone(), before.schema.clone());
    for n in 1..=4 {
        create(&*store, &head(n)).await;
    }
    // One that runs, one that is archived, and one that has ended and is not.
    assert!(store.mirror(&after_states(&head(1), 2)).await.unwrap());
    archive(&*store, &head(2)).await;
    let now = store.health().await.unwrap();
    assert!(same(&now) && now.pending == 4 && now.oldest_ended.is_none(), "{now:?}");
    let mut ended = after_states(&head(3), 2);
    ended
        .states
        .push(lucihub_models_core::StateChange::new(lucihub_models_core::RunState::Failed, super::given::at(77)));
    assert!(store.mirror(&ended).await.unwrap());
    let now = store.health().await.unwrap();
    assert_eq!((now.pending, now.oldest_ended), (4, Some(super::given::at(77))));
    // Archived, its end waits no more; released and deleted runs are nobody's work.
    archive(&*store, &head(3)).await;
    assert!(store.release(head(2).id).await.unwrap());
    assert!(store.delete(head(4).id).await.unwrap());
    let now = store.health().await.unwrap();
    assert_eq!((now.pending, now.oldest_ended), (2, None));
}

/// The store knows in which version heads are, and which program wrote them last.
pub async fn versions_in_use_are_counted(store: Store) {
    assert_eq!(store.models().await.unwrap(), []);
    for n in 1..=3 {
        create(&*store, &head(n)).await;
    }
    let [before] = &store.models().await.unwrap()[..] else { panic!("one program wrote one version") };
    let writes = WriteAs::default();
    assert_eq!((&*before.version, before.written_by.as_deref()), (writes.version().as_str(), Some(writes.name())));
    assert_eq!(before.runs, 3);
    assert!(store.mirror(&after_states(&head(1), 2)).await.unwrap());
    assert!(store.delete(head(2).id).await.unwrap());
    let [after] = &store.models().await.unwrap()[..] else { panic!("it is one still") };
    assert_eq!(after.runs, 2);
    assert!(after.last.is_some() && after.last >= before.last, "{before:?} {after:?}");
}
