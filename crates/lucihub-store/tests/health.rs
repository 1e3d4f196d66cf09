//! How both storages are, in one call that always answers.

use lucihub_store::{Store, Urls};
use lucihub_testkit::FaultPlan;

use crate::lab::{Lab, end_small, full_lab, lab, small};

#[tokio::test]
async fn a_store_is_ready_while_both_storages_answer() {
    let lab = lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&crate::lab::begin_small(&lab.store, run).await).await;
    let health = lab.store.health().await;
    assert!(health.ready && health.why_not.is_empty(), "{health:?}");
    let (hot, cold) = (health.hot.unwrap(), health.cold.unwrap());
    assert!(hot.reachable && hot.used_bytes > Some(0) && hot.seconds < 2.0, "{hot:?}");
    assert!(cold.reachable && cold.pending == Some(1) && cold.engine.is_some(), "{cold:?}");
    assert_eq!(cold.oldest_ended, None, "the mirror has not seen its end");

    let (hot_plan, cold_plan) = (FaultPlan::none(), FaultPlan::none());
    let store = lab.split(&hot_plan, &cold_plan);
    for (hot_away, cold_away) in [(true, false), (false, true), (true, true), (false, false)] {
        for (plan, away) in [(&hot_plan, hot_away), (&cold_plan, cold_away)] {
            if away {
                plan.go_down();
            } else {
                plan.mend();
            }
        }
        let health = store.health().await;
        assert_eq!(health.ready, !hot_away && !cold_away, "{health:?}");
        assert_eq!(health.why_not.len(), usize::from(hot_away) + usize::from(cold_away), "{health:?}");
        assert!(health.why_not.iter().all(|why| why.contains("unavailable")), "{health:?}");
        assert_eq!(health.hot.map(|hot| hot.reachable), Some(!hot_away));
        assert_eq!(health.cold.map(|cold| cold.reachable), Some(!cold_away));
    }
}

/// A run with one line.
async fn say_hello(lab: &Lab) {
    let run = small(&lab.store, 2).await.id;
    let recorder = lab.store.record(run, "worker").await.unwrap();
    recorder.log("hello").await.unwrap();
    recorder.flush().await.unwrap();
}

#[tokio::test]
async fn a_full_hot_storage_is_reachable_and_not_ready() {
    let roomy = lab();
    say_hello(&roomy).await;
    let used = roomy.store.health().await.hot.unwrap().used_bytes.unwrap();
    // Exactly as much room as that takes.
    let lab = full_lab(Some(used));
    assert!(lab.store.health().await.ready);
    say_hello(&lab).await;
    let health = lab.store.health().await;
    assert!(!health.ready && health.hot.unwrap().reachable);
    assert!(health.why_not.len() == 1 && health.why_not[0].contains("is full"), "{:?}", health.why_not);
}

#[cfg(all(feature = "memory", feature = "sqlite"))]
#[tokio::test]
async fn a_storage_that_was_left_out_stands_in_the_way_of_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cold = format!("sqlite:{}", dir.path().join("runs.sqlite").display());
    let reader = Store::open(&Urls::cold_only(cold)).await.unwrap().health().await;
    assert!(reader.ready && reader.hot.is_none(), "{reader:?}");
    let schema = reader.cold.unwrap().schema;
    assert!(schema.is_some_and(|schema| schema.len() == 14 && schema.starts_with("20")));
    let worker = Store::open(&Urls::hot_only("memory:")).await.unwrap().health().await;
    assert!(worker.ready && worker.cold.is_none(), "{worker:?}");
}
