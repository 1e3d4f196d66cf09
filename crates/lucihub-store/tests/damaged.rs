//! Runs that go on while cold storage has a row of theirs that cannot be read, and hot storage no longer all of it.

use std::time::Duration;

use diesel::RunQueryDsl;
use lucihub_models_core::cold::ColdRun;
use lucihub_models_core::hot::HotRun;
use lucihub_models_core::{Positions, RunState, StoreError};
use lucihub_store::record::End;
use lucihub_store::{Keeper, Recorder};

use crate::lab::{eager, record_some};
use crate::verify::{Broken, begun};

/// Damages a row after hot storage let go of what comes before a position, and records on.
async fn stopped(below: Positions, table: &str, cell: &str) -> (Broken, Recorder) {
    let (mut given, recorder) = begun().await;
    given.store.hot().trim(given.run, &below).await.unwrap();
    let keep = format!("CREATE TABLE kept AS SELECT payload FROM {table} WHERE {cell}");
    diesel::sql_query(keep).execute(&mut given.raw).unwrap();
    given.flip(table, "payload", cell);
    record_some(&recorder, 2, 1_900..2_200, 100).await;
    recorder.flush().await.unwrap();
    (given, recorder)
}

/// The rest of the run, once.
async fn end(given: &Broken, recorder: &Recorder) {
    if given.store.hot().get(given.run).await.unwrap().unwrap().seal.is_none() {
        record_some(recorder, 2, 2_200..4_000, 150).await;
        recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    }
}

/// A walk that names what is damaged. What it left of the run in cold and in hot storage.
async fn walk_over_damage(given: &Broken, keeper: &Keeper) -> (ColdRun, HotRun) {
    let walked = keeper.walk().await.unwrap();
    assert!(matches!(&walked.errors[..], [(_, StoreError::Corrupt { .. })]), "{walked:?}");
    assert_eq!(walked.archived, 0);
    let cold = given.store.cold().get(given.run).await.unwrap().unwrap();
    assert!(cold.head.states.last().is_none_or(|last| !last.state.is_terminal()), "no end comes before its samples");
    (cold, given.store.hot().get(given.run).await.unwrap().unwrap())
}

/// The other channels, the log, and hot storage's room do not wait for the one that is damaged; and what hot storage still
/// has of the cell is kept for whoever mends it.
#[tokio::test]
async fn a_growing_cell_that_cannot_be_read_keeps_its_own_channel_alone() {
    let below = Positions { samples: vec![1_100, 1_100], ..Positions::default() };
    let cell = "channel = 1 AND cell = 1";
    let (mut given, recorder) = stopped(below, "run_samples", cell).await;
    let keeper = Keeper::new(given.store.clone(), eager());
    let mut open = None;
    for sealed in [false, false, true, true] {
        if sealed {
            end(&given, &recorder).await;
        }
        let (cold, hot) = walk_over_damage(&given, &keeper).await;
        assert_eq!((cold.positions.lines, cold.positions.samples), (hot.next.lines, vec![hot.next.sample(0), 1_900]));
        // Of a run that has ended nothing leaves before all of it was read back.
        let at = open.get_or_insert(hot.next);
        assert_eq!((hot.base.lines, hot.base.samples), (at.lines, vec![at.sample(0), 1_100]));
    }
    given.sql(&format!("UPDATE run_samples SET payload = (SELECT payload FROM kept) WHERE {cell}"));
    crate::lab::clean_walk(&keeper).await;
    assert!(given.whole().await);
}

#[tokio::test]
async fn a_growing_log_cell_that_cannot_be_read_keeps_the_log_alone() {
    let below = Positions { lines: 19, samples: vec![0, 0], ..Positions::default() };
    let (mut given, recorder) = stopped(below, "run_logs", "cell = 1").await;
    let keeper = Keeper::new(given.store.clone(), eager());
    let (cold, hot) = walk_over_damage(&given, &keeper).await;
    assert_eq!((cold.positions.lines, cold.positions.samples), (19, hot.next.samples.clone()));
    assert_eq!((hot.base.lines, hot.base.samples), (19, hot.next.samples));
    given.sql("UPDATE run_logs SET payload = (SELECT payload FROM kept) WHERE cell = 1");
    end(&given, &recorder).await;
    crate::lab::clean_walk(&keeper).await;
    assert!(given.whole().await);
}

/// What hot storage has of it stays there; what it has nothing of is no reason to keep what came after it.
#[tokio::test]
async fn a_complete_cell_that_nobody_has_whole_stays_in_hot_storage_as_far_as_that_has_it() {
    // Hot storage has the last of it, or none.
    for base in [1_000, 1_100] {
        let below = Positions { samples: vec![base, base], ..Positions::default() };
        let (mut given, recorder) = stopped(below, "run_samples", "channel = 1 AND cell = 0").await;
        // A keeper that did not see it whole.
        let keeper = Keeper::new(given.store.clone(), eager());
        let mut open = None;
        for sealed in [false, false, true, true] {
            if sealed {
                end(&given, &recorder).await;
            }
            let walked = keeper.walk().await.unwrap();
            assert!(matches!(&walked.errors[..], [(_, StoreError::Corrupt { .. })]), "{walked:?}");
            assert_eq!(walked.archived, 0);
            let hot = given.store.hot().get(given.run).await.unwrap().unwrap();
            let at = open.get_or_insert(hot.next);
            let kept = if base < 1_024 { base } else { at.sample(1) };
            assert_eq!((hot.base.lines, hot.base.samples), (at.lines, vec![at.sample(0), kept]));
        }
        given.sql("UPDATE run_samples SET payload = (SELECT payload FROM kept) WHERE channel = 1 AND cell = 0");
        crate::lab::clean_walk(&keeper).await;
        assert!(given.whole().await);
    }
}

#[tokio::test]
async fn a_dead_worker_is_noticed_though_its_run_is_damaged() {
    let below = Positions { samples: vec![1_100, 1_100], ..Positions::default() };
    let (given, recorder) = stopped(below, "run_samples", "channel = 1 AND cell = 1").await;
    drop(recorder);
    let patience = Duration::from_secs(10);
    let mut options = eager();
    options.patience = patience;
    let keeper = Keeper::new(given.store.clone(), options);
    given.clock.advance(Duration::from_secs(100));
    for failed in [0, 1] {
        let walked = keeper.walk().await.unwrap();
        assert_eq!((walked.failed, walked.errors.len()), (failed, 1), "{walked:?}");
        given.clock.advance(patience);
    }
}
