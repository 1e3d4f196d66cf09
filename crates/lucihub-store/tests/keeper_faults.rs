//! The keeper killed at every step: the next one goes on, and readers never notice.

use std::time::Duration;

use lucihub_models_core::cold::ColdEvents;
use lucihub_models_core::hot::HotRuns;
use lucihub_models_core::{GapCause, Run, RunId, RunState, StoreEventKind};
use lucihub_store::{Keeper, KeeperOptions, Recorder};
use lucihub_testkit::FaultPlan;

use crate::lab::{Lab, begin_small, content, digest_of, eager, end_small, lab, small};

/// A moment in a run's life at which a keeper comes by.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scene {
    /// It has ended, and cold storage has nothing of it.
    Sealed,
    /// It has ended; its first part is checkpointed and has left hot storage.
    Trimmed,
    /// Its worker is alive.
    Live,
    /// Hot storage was away when it was created.
    Unopened,
    /// Its worker is dead.
    Dead,
    /// Hot storage has lost it, and its worker does not come back.
    Lost,
}

const SCENES: [Scene; 6] = [Scene::Sealed, Scene::Trimmed, Scene::Live, Scene::Unopened, Scene::Dead, Scene::Lost];

/// Longer than a keeper's own lease, shorter than a worker's.
const KEEPER_LEASE: Duration = Duration::from_secs(11);

struct Stage {
    lab: Lab,
    run: RunId,
    recorder: Option<Recorder>,
    before: Option<Run>,
}

impl Stage {
    async fn set(scene: Scene) -> Self {
        let lab = lab();
        let mut stage = match scene {
            Scene::Unopened => {
                let plan = FaultPlan::none().fail_nth(2);
                let head = crate::lab::small_head(2);
                lab.faulty(&plan).create(&head).await.unwrap_err();
                Self { run: head.id, recorder: None, before: None, lab }
            }
            _ => {
                let run = small(&lab.store, 2).await.id;
                let recorder = begin_small(&lab.store, run).await;
                Self { run, recorder: Some(recorder), before: None, lab }
            }
        };
        let (lab, run) = (&stage.lab, stage.run);
        match (scene, &stage.recorder) {
            (Scene::Sealed, Some(recorder)) => end_small(recorder).await,
            (Scene::Trimmed, Some(recorder)) => {
                lab.walk(eager()).await;
                assert!(lab.hot.get(run).await.unwrap().unwrap().base.sample(0) > 0);
                end_small(recorder).await;
            }
            (Scene::Dead, _) => {
                stage.recorder = None;
                lab.clock.advance(Duration::from_secs(61));
            }
            (Scene::Lost, _) => {
                lab.walk(eager()).await;
                stage.recorder = None;
                // What the recorder's last renewal could still put back is not waited for.
                lab.hot.lose(run);
            }
            _ => {}
        }
        if scene != Scene::Unopened {
            stage.before = Some(stage.lab.store.run(run).await.unwrap());
        }
        stage
    }

    /// One walk of a keeper that is killed by the plan, or not.
    async fn walk(&self, scene: Scene, plan: &FaultPlan) {
        let keeper = Keeper::new(self.lab.faulty(plan), options(scene));
        // Its report is lost with it.
        let _killed = keeper.walk().await;
    }

    /// Between two keepers: all that was there is readable, the same.
    async fn check_readable(&self, scene: Scene, why: &str) {
        let now = match self.lab.store.run(self.run).await {
            Ok(now) => now,
            Err(error) => panic!("{scene:?}, {why}: {error}"),
        };
        let Some(before) = &self.before else { return };
        if scene != Scene::Lost {
            assert_eq!(content(&now), content(before), "{scene:?}, {why}");
            return;
        }
        // A rescue adds a gap behind what was there.
        assert_eq!(now.logs, before.logs, "{scene:?}, {why}");
        for (now, before) in now.series.iter().zip(&before.series) {
            assert_eq!(now.slice(0..before.end), *before, "{scene:?}, {why}");
        }
    }

    /// The rest of the run's life, with keepers that nobody kills.
    async fn end(self, scene: Scene, why: &str) -> Run {
        let Self { lab, run, recorder, .. } = self;
        lab.clock.advance(KEEPER_LEASE);
        lab.walk(options(scene)).await;
        match scene {
            Scene::Live => end_small(recorder.as_ref().unwrap()).await,
            Scene::Unopened => {
                let recorder = begin_small(&lab.store, run).await;
                end_small(&recorder).await;
            }
            _ => {}
        }
        lab.walk(options(scene)).await;
        let (whole, _) = lab.archived(run).await;
        assert!(lab.pending().await.is_empty(), "{scene:?}, {why}: released");
        lab.clock.advance(Duration::from_secs(3_601));
        assert!(lab.hot.get(run).await.unwrap().is_none(), "{scene:?}, {why}: hot storage let go of it");
        assert_eq!(lab.store.run(run).await.unwrap(), whole, "{scene:?}, {why}");
        // What was told of it outlives hot storage too, and the archive is told once, whoever finished it.
        let told: Vec<_> = lab.cold.events(run).await.unwrap().into_iter().map(|event| event.kind).collect();
        let count = |kind| told.iter().filter(|told| **told == kind).count();
        assert_eq!(count(StoreEventKind::TakenOver), 1, "{scene:?}, {why}: {told:?}");
        assert_eq!(count(StoreEventKind::Archived), 1, "{scene:?}, {why}: {told:?}");
        whole
    }
}

fn options(scene: Scene) -> KeeperOptions {
    match scene {
        Scene::Lost => eager().with_lost_patience(Duration::ZERO),
        _ => eager(),
    }
}

/// What must come out, whoever was killed on the way. The time of a keeper's own
/// state change is the one thing that may differ.
fn check_outcome(scene: Scene, clean: &Run, outcome: &Run, why: &str) {
    let (state, reason) = (outcome.head.state(), outcome.head.states.last().unwrap().reason.as_deref());
    assert_eq!(content(outcome), content(clean), "{scene:?}, {why}");
    assert_eq!(outcome.head.states.len(), 3, "{scene:?}, {why}: {:?}", outcome.head.states);
    assert_eq!(outcome.head.worker.as_deref(), Some("worker"), "{scene:?}, {why}");
    match scene {
        Scene::Dead => {
            assert_eq!(*state, RunState::Failed);
            assert!(reason.unwrap().contains("worker stopped answering"), "{why}: {reason:?}");
        }
        Scene::Lost => {
            assert_eq!(*state, RunState::Failed);
            let last = |run: &Run| run.series[0].gaps.last().cloned().unwrap();
            assert_eq!((last(outcome).first, last(outcome).end), (1_900, 4_000), "{why}");
            assert_eq!(last(outcome).cause, GapCause::Store, "{why}");
        }
        _ => assert_eq!(digest_of(outcome), digest_of(clean), "{scene:?}, {why}"),
    }
}

/// Walks once under every plan, and compares what comes out with a clean walk.
async fn under_plans(scene: Scene, plans: impl Fn(u64) -> Vec<(String, FaultPlan)>) {
    let stage = Stage::set(scene).await;
    let counted = FaultPlan::none();
    stage.walk(scene, &counted).await;
    let clean = stage.end(scene, "clean").await;
    assert!(counted.operations() >= 5, "{scene:?}: {:?}", counted.log());
    for (why, plan) in plans(counted.operations()) {
        let stage = Stage::set(scene).await;
        stage.walk(scene, &plan).await;
        assert!(plan.injected() > 0, "{scene:?}, {why}: nothing was injected");
        let why = format!("{why}, {:?}", plan.log().last());
        stage.check_readable(scene, &why).await;
        check_outcome(scene, &clean, &stage.end(scene, &why).await, &why);
    }
}

#[tokio::test]
async fn a_keeper_may_be_killed_before_any_operation() {
    for scene in SCENES {
        under_plans(scene, |count| {
            (1..=count).map(|n| (format!("from {n}"), FaultPlan::none().down(n..u64::MAX))).collect()
        })
        .await;
    }
}

#[tokio::test]
async fn any_one_operation_may_fail() {
    for scene in SCENES {
        under_plans(scene, |count| (1..=count).map(|n| (format!("fail {n}"), FaultPlan::none().fail_nth(n))).collect())
            .await;
    }
}

#[tokio::test]
async fn any_one_answer_may_be_lost() {
    for scene in SCENES {
        under_plans(scene, |count| (1..=count).map(|n| (format!("lose {n}"), FaultPlan::none().lose_nth(n))).collect())
            .await;
    }
}

#[tokio::test]
async fn storage_may_be_away_for_a_while() {
    for scene in SCENES {
        under_plans(scene, |count| {
            let spans = (1..=count).map(|n| (n, 2 + n % 4));
            spans.map(|(n, length)| (format!("down {n}+{length}"), FaultPlan::none().down(n..n + length))).collect()
        })
        .await;
    }
}

#[tokio::test]
async fn keepers_may_be_killed_one_after_another() {
    for scene in SCENES {
        let stage = Stage::set(scene).await;
        stage.walk(scene, &FaultPlan::none()).await;
        let clean = stage.end(scene, "clean").await;

        // Each keeper gets one operation further than the one before it.
        let stage = Stage::set(scene).await;
        for n in 1..60 {
            stage.walk(scene, &FaultPlan::none().down(n..u64::MAX)).await;
            stage.check_readable(scene, &format!("killed at {n}")).await;
        }
        check_outcome(scene, &clean, &stage.end(scene, "after many").await, "after many");
    }
}
