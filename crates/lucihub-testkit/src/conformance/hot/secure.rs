//! Secure: what a store says it has, it has.

use lucihub_models_core::StoreError;
use lucihub_models_core::hot::{Durability, Secured};

use super::stage::Stage;
use crate::harness::HotHarness;
use crate::models::lines_body;

/// All up to the last batch is there; the one after it, and another writer's, are missing.
pub async fn what_is_applied_is_secured(h: &dyn HotHarness) {
    let stage = Stage::new(h, "what_is_applied_is_secured");
    let mut writer = stage.writer(1).await;
    for n in 0..3 {
        writer.apply(lines_body([format!("line {n}")])).await;
    }
    let ask = |mark, seq| stage.store.secure(writer.run, mark, seq, Durability::Applied);
    for (seq, expected) in [(0, Secured::Secured), (1, Secured::Secured), (3, Secured::Secured), (4, Secured::Missing)]
    {
        assert_eq!(ask(writer.mark, seq).await.unwrap(), expected, "batch {seq}");
    }
    let mut other = writer.mark;
    other.epoch += 1;
    assert_eq!(ask(other, 1).await.unwrap(), Secured::Missing);
    stage.outlive_leases().await;
    let next = stage.take(writer.run).await;
    assert_eq!(ask(writer.mark, 3).await.unwrap(), Secured::Missing, "the run is another writer's");
    assert_eq!(ask(next.mark, 0).await.unwrap(), Secured::Secured);
}

/// A run that the store has not, lost, or deleted is missing.
pub async fn an_absent_run_is_missing(h: &dyn HotHarness) {
    let stage = Stage::new(h, "an_absent_run_is_missing");
    let mut writer = stage.writer(1).await;
    writer.apply(lines_body(["one"])).await;
    stage.store.remove(writer.run, true, super::stage::LEASE).await.unwrap();
    let answer = stage.store.secure(writer.run, writer.mark, 1, Durability::Applied).await.unwrap();
    assert_eq!(answer, Secured::Missing);
    let mut writer = stage.writer(1).await;
    writer.apply(lines_body(["one"])).await;
    if stage.harness.lose(writer.run).await {
        let answer = stage.store.secure(writer.run, writer.mark, 1, Durability::Applied).await.unwrap();
        assert_eq!(answer, Secured::Missing);
    }
}

/// A level is given, or refused for what the store is; it is never silently a lower one.
pub async fn no_level_is_given_that_is_not_there(h: &dyn HotHarness) {
    let stage = Stage::new(h, "no_level_is_given_that_is_not_there");
    let mut writer = stage.writer(1).await;
    writer.apply(lines_body(["one"])).await;
    // More replicas than any store of a test has.
    let refused = stage.store.secure(writer.run, writer.mark, 1, Durability::Replicated(100)).await;
    assert!(
        matches!(refused, Err(StoreError::Precondition { .. } | StoreError::Unavailable { .. })),
        "a hundred replicas: {refused:?}"
    );
    writer.apply(lines_body(["two"])).await;
}
