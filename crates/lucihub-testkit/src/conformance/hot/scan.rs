//! Walking all runs: each one is found, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use lucihub_models_core::hot::HotStore;
use lucihub_models_core::{RunId, StoreError};

use super::stage::Stage;
use crate::harness::HotHarness;

/// All that a scan in parts of this size finds. It has an end, however small they are.
async fn scanned(store: &dyn HotStore, about: usize) -> BTreeSet<RunId> {
    let (mut found, mut after) = (BTreeSet::new(), None);
    for _ in 0..100_000 {
        let part = store.scan(after.as_deref(), about).await.expect("scan");
        found.extend(part.runs);
        match part.next {
            Some(next) => after = Some(next),
            None => return found,
        }
    }
    panic!("a scan does not end");
}

/// Every run is found, queued or held, whatever the size of the parts; also one that was opened before the last part.
pub async fn every_run_is_in_some_part(h: &dyn HotHarness) {
    let stage = Stage::new(h, "every_run_is_in_some_part");
    let mut runs = BTreeSet::new();
    for _ in 0..150 {
        runs.insert(stage.open(1).await);
    }
    runs.insert(stage.writer(3).await.run);
    for about in [0, 1, 10, 100_000] {
        let found = scanned(&*stage.store, about).await;
        assert!(found.is_superset(&runs), "in parts of {about}: {} are missing", runs.difference(&found).count());
    }
}

/// Deleted runs, expired ones and the store's other things are not found.
pub async fn runs_that_left_are_in_no_part(h: &dyn HotHarness) {
    let stage = Stage::new(h, "runs_that_left_are_in_no_part");
    let (stays, leaves, never) = (stage.open(1).await, stage.open(2).await, stage.head(1).id);
    for run in [leaves, never] {
        stage.store.remove(run, true, Duration::from_secs(60)).await.expect("remove");
    }
    let found = scanned(&*stage.store, 10).await;
    assert!(found.contains(&stays) && !found.contains(&leaves) && !found.contains(&never));
    for run in found {
        // What other cases left may be sealed; a run it must be.
        let there = stage.store.get(run).await.expect("get");
        assert!(there.is_none_or(|there| there.head.id == run));
    }
}

/// Only a place that a part gave is one.
pub async fn a_place_of_no_part_is_refused(h: &dyn HotHarness) {
    let stage = Stage::new(h, "a_place_of_no_part_is_refused");
    for place in ["", "nowhere", "x y", "-1"] {
        let refused = stage.store.scan(Some(place), 10).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{place:?}: {refused:?}");
    }
}
