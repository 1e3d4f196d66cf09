//! Wake-ups: every change wakes, sooner or later.

use std::time::Duration;

use futures_util::StreamExt;
use lucihub_models_core::hot::{RunWakes, Wakes};
use lucihub_models_core::{Grid, RunId, RunState};

use super::stage::Stage;
use crate::harness::HotHarness;
use crate::models::{lines_body, samples_body, state_body};

/// How long a wake-up may take before it counts as missing. Real time: a
/// wake-up that works never waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

async fn woken(wakes: &mut RunWakes, by: &str) {
    let wake = tokio::time::timeout(PATIENCE, wakes.next()).await;
    assert_eq!(wake.ok(), Some(Some(())), "not woken by {by}");
}

async fn called(wakes: &mut Wakes, run: RunId, by: &str) {
    let mine = async { while wakes.next().await.expect("the store is open") != run {} };
    assert!(tokio::time::timeout(PATIENCE, mine).await.is_ok(), "keepers were not woken by {by}");
}

/// Each kind of change wakes a follower that was there before it. The follower
/// is made anew for each, since earlier changes may wake twice.
pub async fn every_change_wakes_followers(h: &dyn HotHarness) {
    let stage = Stage::new(h, "every_change_wakes_followers");
    let run = stage.open(1).await;
    let store = &stage.store;

    let mut wakes = store.watch(run);
    let mut writer = stage.take(run).await;
    woken(&mut wakes, "a take-over").await;

    let mut wakes = store.watch(run);
    writer.apply(lines_body(["one"])).await;
    woken(&mut wakes, "a batch").await;

    let mut wakes = store.watch(run);
    store.cancel(run, None).await.unwrap();
    woken(&mut wakes, "a cancel").await;

    let mut wakes = store.watch(run);
    writer.apply(state_body([RunState::Cancelled])).await;
    woken(&mut wakes, "a seal").await;

    let mut wakes = store.watch(run);
    store.remove(run, true, Duration::from_secs(60)).await.unwrap();
    woken(&mut wakes, "a removal").await;
}

/// A follower may wait before its run is there, and every follower is woken.
pub async fn all_followers_are_woken(h: &dyn HotHarness) {
    let stage = Stage::new(h, "all_followers_are_woken");
    let mut writer = stage.writer(1).await;
    let mut followers: Vec<RunWakes> = (0..20).map(|_| stage.store.watch(writer.run)).collect();
    writer.apply(lines_body(["one"])).await;
    for (n, wakes) in followers.iter_mut().enumerate() {
        woken(wakes, &format!("the batch, follower {n}")).await;
    }
    drop(followers);
    writer.apply(lines_body(["two"])).await;
}

/// A follower that sleeps through many changes is woken at least once, and costs the writer nothing.
pub async fn a_slow_follower_is_woken(h: &dyn HotHarness) {
    let stage = Stage::new(h, "a_slow_follower_is_woken");
    let mut writer = stage.writer(1).await;
    let mut wakes = stage.store.watch(writer.run);
    for n in 0..3_000 {
        writer.apply(lines_body([format!("line {n}")])).await;
    }
    woken(&mut wakes, "three thousand batches").await;
}

/// Keepers are woken when a run is opened, changes its state, is sealed, or has a complete cell more.
pub async fn keepers_are_woken(h: &dyn HotHarness) {
    let stage = Stage::new(h, "keepers_are_woken");
    let mut wakes = stage.store.wakes();
    let run = stage.open(1).await;
    called(&mut wakes, run, "an opened run").await;

    let mut writer = stage.take(run).await;
    let mut wakes = stage.store.wakes();
    writer.apply(state_body([RunState::InProgress])).await;
    called(&mut wakes, run, "a state").await;

    let grid = Grid::default();
    let (most, whole) = (u64::from(grid.samples) - 10, u64::from(grid.samples));
    writer.apply(samples_body(run, [(0, 0..most)])).await;
    let mut wakes = stage.store.wakes();
    writer.apply(samples_body(run, [(0, most..whole)])).await;
    called(&mut wakes, run, "a cell of samples").await;
    let mut wakes = stage.store.wakes();
    writer.apply(lines_body((0..grid.lines).map(|line| format!("line {line}")))).await;
    called(&mut wakes, run, "a cell of lines").await;

    let mut wakes = stage.store.wakes();
    writer.apply(state_body([RunState::Succeeded])).await;
    called(&mut wakes, run, "a seal").await;

    let queued = stage.open(1).await;
    let mut wakes = stage.store.wakes();
    stage.store.cancel(queued, None).await.unwrap();
    called(&mut wakes, queued, "a cancelled run").await;
}

/// The store says how full it is.
pub async fn health_counts_bytes(h: &dyn HotHarness) {
    let stage = Stage::new(h, "health_counts_bytes");
    let health = stage.store.health().await.unwrap();
    assert!(!health.engine.is_empty());
    assert!((0.0..=1.0).contains(&health.fill()), "{health:?}");
    let Some(small) = h.small(1 << 20).await else { return };
    let stage = stage.on(small);
    let before = stage.store.health().await.unwrap();
    assert!(before.max_bytes.is_some());
    let mut writer = stage.writer(1).await;
    writer.apply(samples_body(writer.run, [(0, 0..20_000)])).await;
    let after = stage.store.health().await.unwrap();
    assert!(after.used_bytes > before.used_bytes && after.fill() > before.fill(), "{before:?} {after:?}");
}
