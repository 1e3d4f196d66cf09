//! The main promises again over the adapters: embedded hot storage and SQLite.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use lucihub_cold::sqlite::{SqliteCold, SqliteOptions};
use lucihub_hot::embedded::{EmbeddedHot, EmbeddedOptions};
use lucihub_models_core::cold::ColdRuns;
use lucihub_models_core::hot::HotRuns;
use lucihub_models_core::{Digest, GapCause, Run, RunId, RunState, StoreError};
use lucihub_store::record::End;
use lucihub_store::{Event, Keeper, KeeperOptions, Select, Source, Store};
use lucihub_testkit::{FaultPlan, FaultyCold, FaultyHot, ManualClock, SeededIds};

use crate::lab::{begin_small, content, digest_of, eager, end_small, record_some, small, values};

struct House {
    store: Store,
    clock: Arc<ManualClock>,
    hot: Arc<EmbeddedHot>,
    cold: Arc<SqliteCold>,
    ids: Arc<SeededIds>,
    dir: tempfile::TempDir,
}

async fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let hot = Arc::new(EmbeddedHot::new(EmbeddedOptions::default(), clock.clone()));
    let options = SqliteOptions::file(dir.path().join("runs.sqlite"));
    let cold = Arc::new(SqliteCold::open(options, clock.clone()).await.unwrap());
    let ids = Arc::new(SeededIds::new(1));
    let store = Store::builder(hot.clone(), cold.clone()).clock(clock.clone()).ids(ids.clone()).build();
    House { store, clock, hot, cold, ids, dir }
}

impl House {
    fn faulty(&self, plan: &FaultPlan) -> Store {
        let hot = Arc::new(FaultyHot::new(self.hot.clone(), plan.clone()));
        let cold = Arc::new(FaultyCold::new(self.cold.clone(), plan.clone()));
        Store::builder(hot, cold).clock(self.clock.clone()).ids(self.ids.clone()).build()
    }

    async fn walk(&self, options: KeeperOptions) {
        crate::lab::clean_walk(&Keeper::new(self.store.clone(), options)).await;
    }

    async fn archived(&self, run: RunId) -> (Run, Digest) {
        let status = self.store.status(run).await.unwrap();
        assert_eq!(status.source, Source::Archive);
        let whole = self.store.run(run).await.unwrap();
        let digest = digest_of(&whole);
        assert_eq!(status.archived.unwrap().digest, digest);
        (whole, digest)
    }
}

/// The same run over the testkit's reference stores.
async fn reference() -> (Run, Digest) {
    let lab = crate::lab::lab();
    let run = small(&lab.store, 2).await.id;
    end_small(&begin_small(&lab.store, run).await).await;
    lab.walk(KeeperOptions::default()).await;
    lab.archived(run).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_made_of_a_cell_is_seen_before_the_commit() {
    let house = house().await;
    let run = small(&house.store, 2).await.id;
    let recorder = begin_small(&house.store, run).await;
    let mut raw = SqliteConnection::establish(house.dir.path().join("runs.sqlite").to_str().unwrap()).unwrap();
    raw.batch_execute(
        "CREATE TRIGGER changes AFTER INSERT ON run_samples WHEN NEW.channel = 1 BEGIN
             UPDATE run_samples SET payload = zeroblob(length(payload))
             WHERE run = NEW.run AND channel = NEW.channel AND cell = NEW.cell;
         END",
    )
    .unwrap();
    end_small(&recorder).await;
    let report = Keeper::new(house.store.clone(), KeeperOptions::default()).walk().await.unwrap();
    assert!(matches!(&report.errors[..], [(_, StoreError::Corrupt { .. })]), "{report:?}");
    let status = house.store.status(run).await.unwrap();
    assert_eq!((status.source, status.archived), (Source::Live, None), "hot storage still has all of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_has_the_same_digest_over_every_adapter_and_every_way_to_it() {
    let expected = reference().await;
    for (first, second) in [(None, KeeperOptions::default()), (Some(eager()), eager())] {
        let house = house().await;
        let run = small(&house.store, 2).await.id;
        let recorder = begin_small(&house.store, run).await;
        let trimmed = first.is_some();
        if let Some(options) = first {
            house.walk(options).await;
        }
        end_small(&recorder).await;
        let live = house.store.run(run).await.unwrap();
        let base = house.hot.get(run).await.unwrap().unwrap().base;
        assert_eq!(base.sample(0) > 0, trimmed, "{base:?}");
        house.walk(second).await;
        assert_eq!(house.archived(run).await, expected);
        assert_eq!(live, expected.0);
        house.clock.advance(Duration::from_secs(3_601));
        assert!(house.hot.get(run).await.unwrap().is_none());
        assert_eq!(house.store.run(run).await.unwrap(), expected.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_may_be_killed_at_every_operation_of_the_archive() {
    let expected = reference().await;
    let counted = FaultPlan::none();
    ended_and_walked(&counted).await;
    assert!(counted.operations() > 10);
    for n in 1..=counted.operations() {
        for plan in [FaultPlan::none().down(n..u64::MAX), FaultPlan::none().lose_nth(n)] {
            let (house, run) = ended_and_walked(&plan).await;
            assert!(plan.injected() > 0);
            assert_eq!(house.store.run(run).await.unwrap(), expected.0, "killed at {n}");
            house.walk(KeeperOptions::default()).await;
            assert_eq!(house.archived(run).await, expected, "killed at {n}");
            assert!(house.cold.pending(None, 10).await.unwrap().is_empty());
        }
    }
}

/// A run that has ended, after a walk of a keeper that the plan may kill.
async fn ended_and_walked(plan: &FaultPlan) -> (House, RunId) {
    let house = house().await;
    let run = small(&house.store, 2).await.id;
    end_small(&begin_small(&house.store, run).await).await;
    let _killed = Keeper::new(house.faulty(plan), KeeperOptions::default()).walk().await;
    (house, run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keepers_with_other_settings_make_one_copy_while_it_is_recorded() {
    let expected = reference().await;
    let house = house().await;
    let run = small(&house.store, 2).await.id;
    let keepers: Vec<_> = (0..4_u64)
        .map(|n| {
            let options = KeeperOptions::default()
                .with_checkpoint(Duration::from_secs(3_600), [0, 5_000][usize::from(n % 2 == 0)])
                .with_transaction_bytes([1, 1 << 20][usize::from(n < 2)]);
            let (keeper, cold) = (Keeper::new(house.store.clone(), options), house.cold.clone());
            tokio::spawn(async move {
                while !cold.pending(None, 1).await.unwrap().is_empty() {
                    let report = keeper.walk().await.unwrap();
                    assert!(report.errors.is_empty(), "{report:?}");
                }
            })
        })
        .collect();
    let recorder = begin_small(&house.store, run).await;
    let mut follower = house.store.follow(run, Select::default());
    end_small(&recorder).await;
    for keeper in keepers {
        tokio::time::timeout(Duration::from_secs(60), keeper).await.expect("it comes to an end").unwrap();
    }
    assert_eq!(house.archived(run).await, expected);
    let mut samples = 0;
    while let Some(event) = follower.next().await.unwrap() {
        if let Event::Samples { series, .. } = event {
            samples += series.end - series.first;
        }
    }
    assert_eq!(samples, 8_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_run_is_put_back_by_its_writer_or_rescued_by_the_keeper() {
    for writer_lives in [true, false] {
        let house = house().await;
        let run = small(&house.store, 2).await.id;
        let recorder = begin_small(&house.store, run).await;
        house.walk(eager()).await;
        record_some(&recorder, 2, 1_900..2_000, 50).await;
        recorder.flush().await.unwrap();
        let before = house.store.run(run).await.unwrap();
        if writer_lives {
            assert!(house.hot.forget(run));
            record_some(&recorder, 2, 2_000..2_500, 50).await;
            recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
            house.walk(eager()).await;
            let (whole, _) = house.archived(run).await;
            assert_eq!(whole.series[0].values, values(run, 0, 0..2_500));
            assert_eq!(whole.logs[..21], before.logs);
            continue;
        }
        drop(recorder);
        assert!(house.hot.forget(run));
        house.walk(eager().with_lost_patience(Duration::ZERO)).await;
        house.walk(eager()).await;
        let (whole, _) = house.archived(run).await;
        let gap = whole.series[0].gaps.last().unwrap();
        assert_eq!((gap.first, gap.end, &gap.cause), (1_900, 4_000, &GapCause::Store));
        assert_eq!(whole.head.state(), &RunState::Failed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_workers_run_is_failed_archived_and_deleted_without_a_trace() {
    let house = house().await;
    let run = small(&house.store, 2).await.id;
    drop(begin_small(&house.store, run).await);
    let before = house.store.run(run).await.unwrap();
    house.clock.advance(Duration::from_secs(61));
    house.walk(eager()).await;
    let (whole, _) = house.archived(run).await;
    assert_eq!(content(&whole), content(&before));
    assert!(whole.head.error.as_deref().unwrap().starts_with("worker stopped answering"));
    assert!(house.store.delete(run, false).await.unwrap());
    assert!(matches!(house.store.status(run).await, Err(StoreError::NotFound { .. })));
    assert!(house.hot.get(run).await.unwrap().is_none());
}
