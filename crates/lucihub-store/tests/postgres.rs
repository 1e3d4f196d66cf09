//! The main job over Redis and PostgreSQL, while the database restarts without a warning.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lucihub_models_core::{JobType, PageRequest, RunFilter, RunState};
use lucihub_store::{Keeper, KeeperOptions, Source, Store, Urls};
use lucihub_testkit::servers::{PostgresOptions, PostgresServer, RedisOptions, RedisServer};
use tokio::sync::oneshot;

use crate::lab::{begin_small, digest_of, end_small, small_head, values};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_goes_its_whole_way_while_the_database_restarts() {
    let redis = RedisServer::start(RedisOptions::new());
    let postgres = Arc::new(PostgresServer::start(PostgresOptions::new()));
    let url = postgres.admin_url(&postgres.fresh_database(None));
    lucihub_cold::migrate::up(&url).await.unwrap();
    let urls = Urls::new(redis.url(), url);
    let store = Store::open(&urls).await.unwrap();

    // Two keepers in stores of their own, as two processes have them.
    let mut keepers = Vec::new();
    for _ in 0..2 {
        let options = KeeperOptions::default().with_checkpoint(Duration::from_millis(50), 4_096);
        let keeper = Keeper::new(Store::open(&urls).await.unwrap(), options.with_walk(Duration::from_millis(100)));
        let (stop, stopped) = oneshot::channel::<()>();
        let kept = tokio::spawn(async move { keeper.watch(async { drop(stopped.await) }, drop).await });
        keepers.push((stop, kept));
    }
    let restart = || {
        let postgres = postgres.clone();
        tokio::task::spawn_blocking(move || postgres.restart_immediate())
    };
    for _ in 0..3 {
        let mut head = small_head(2);
        head.id = store.new_run(JobType::Run).id;
        store.create(&head).await.unwrap();
        let run = head.id;
        let recorder = begin_small(&store, run).await;
        restart().await.unwrap();
        end_small(&recorder).await;
        restart().await.unwrap();

        let begun = Instant::now();
        let archived = loop {
            match store.status(run).await {
                Ok(status) if status.archived.is_some() => break status.archived.unwrap(),
                // It is restarting, or a keeper is still at it.
                _ => assert!(begun.elapsed() < Duration::from_secs(60), "it is archived in time"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let whole = store.run(run).await.unwrap();
        assert_eq!(store.status(run).await.unwrap().source, Source::Archive);
        assert_eq!(archived.digest, digest_of(&whole));
        assert_eq!(whole.series[0].values, values(run, 0, 0..4_000));
        assert_eq!((whole.series[1].end, whole.series[1].gaps.len()), (4_000, 1));
        let page = store.list(&RunFilter::default().state(RunState::Succeeded), &PageRequest::default()).await.unwrap();
        assert!(page.runs.iter().any(|listed| listed.id == run));
    }
    for (stop, kept) in keepers {
        stop.send(()).unwrap();
        kept.await.unwrap();
    }
}
