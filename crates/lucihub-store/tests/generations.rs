//! Programs of two generations on one Redis and one PostgreSQL: while they are upgraded one after the other.
//!
//! The newer one is played by what it would leave in the storages: words and fields that this library does not know, and
//! heads of a version past its newest.

use std::time::Duration;

use lucihub_models_core::{
    HeadDocument, JobType, ModelError, PageRequest, RunFilter, RunHead, RunId, RunState, StoreError, Version, WriteAs,
};
use lucihub_store::record::End;
use lucihub_store::{Keeper, KeeperOptions, Source, Store, Urls};
use lucihub_testkit::servers::{PostgresOptions, PostgresServer, RedisOptions, RedisServer};

use crate::lab::{begin_small, clean_walk, end_small, record_some, small_head};

struct Servers {
    redis: RedisServer,
    postgres: PostgresServer,
    database: String,
}

impl Servers {
    async fn start() -> Self {
        let (redis, postgres) =
            (RedisServer::start(RedisOptions::new()), PostgresServer::start(PostgresOptions::new()));
        let database = postgres.fresh_database(None);
        lucihub_cold::migrate::up(&postgres.admin_url(&database)).await.unwrap();
        Self { redis, postgres, database }
    }

    /// A store as a program of this name opens it.
    async fn open(&self, program: &str) -> Store {
        let writes = WriteAs::program(program).unwrap();
        let urls = Urls::new(self.redis.url(), self.postgres.admin_url(&self.database)).with_writes(writes);
        Store::open(&urls).await.unwrap()
    }

    /// Makes a run one of a version past the newest: in both storages, as a newer program would have written it.
    fn make_newer(&self, run: RunId) {
        let sql = format!(
            "UPDATE lucihub.runs SET model_version = 'v3', written_by = 'api (lucihub 9.0.0)', \
             head = CAST(replace(CAST(head AS text), '\"version\":\"v2\"', '\"version\":\"v3\"') AS json) WHERE id = '{run}'"
        );
        self.postgres.sql(&self.database, &sql);
        self.redis.cli(&["HSET", &format!("lh:{{{run}}}:run"), "version", "v3"]);
    }
}

fn keeper(store: &Store) -> Keeper {
    Keeper::new(store.clone(), KeeperOptions::default().with_checkpoint(Duration::ZERO, 1).with_grace(Duration::ZERO))
}

async fn create(store: &Store, mut head: RunHead) -> RunId {
    head.id = store.new_run(JobType::Run).id;
    store.create(&head).await.unwrap();
    head.id
}

fn is_newer<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    match answer {
        Err(StoreError::Model(ModelError::NewerVersion { found, newest })) => {
            assert_eq!((&*found, &*newest), ("v3", HeadDocument::VERSION));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_run_is_left_alone_and_named_and_others_go_on() {
    let servers = Servers::start().await;
    let store = servers.open("api").await;
    let newer = create(&store, small_head(2)).await;
    servers.make_newer(newer);

    // Another program: the first one may have kept the head in mind.
    let store = servers.open("worker").await;
    is_newer(store.status(newer).await);
    is_newer(store.hot().get(newer).await);
    let refused = store.record(newer, "worker-3").await.unwrap_err();
    assert!(refused.to_string().contains("v3"), "{refused}");
    let held = servers.redis.cli(&["HEXISTS", &format!("lh:{{{newer}}}:run"), "mark"]);
    assert_eq!(held.trim(), "0", "a worker that cannot read a run does not take it");

    // The run of this generation beside it goes its whole way, and the list shows both.
    let run = create(&store, small_head(2)).await;
    let recorder = begin_small(&store, run).await;
    let keeper = keeper(&store);
    let report = keeper.walk().await.unwrap();
    assert_eq!(report.errors.iter().map(|(run, _)| *run).collect::<Vec<_>>(), [newer], "the keeper names it");
    end_small(&recorder).await;
    keeper.walk().await.unwrap();
    assert_eq!(store.status(run).await.unwrap().source, Source::Archive);
    let page = store.list(&RunFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.runs.iter().map(|listed| listed.id).collect::<Vec<_>>(), [run, newer]);

    let found = store.models().await.unwrap();
    let cold: Vec<_> = found.cold.iter().map(|used| (&*used.version, used.written_by.as_deref(), used.runs)).collect();
    let worker = WriteAs::program("worker").unwrap();
    assert_eq!(cold, [("v2", Some(worker.name()), 1), ("v3", Some("api (lucihub 9.0.0)"), 1)]);
    assert_eq!(found.newer, [("v3".to_owned(), 1)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_program_adds_passes_through_an_older_one_unharmed() {
    let servers = Servers::start().await;
    let (newer, older) = (servers.open("newer").await, servers.open("older").await);
    // Fields, a type and a state of which this library has never heard.
    let mut head = small_head(2);
    head.job_type = "calibrate".into();
    let text = HeadDocument::write(&head).unwrap();
    let text = text.replacen("\"head\":{", "\"head\":{\"cryostat\":{\"kelvin\":4.25},", 1);
    let text = text.replacen("\"state\":\"queued\"", "\"state\":\"queued\",\"by\":\"scheduler\"", 1);
    let run = create(&newer, HeadDocument::read(&text).unwrap()).await;

    // An older worker, an older keeper.
    let recorder = older.record(run, "worker-3").await.unwrap();
    recorder.state(RunState::from("warming_up")).await.unwrap();
    recorder.state(RunState::InProgress).await.unwrap();
    record_some(&recorder, 2, 0..2_000, 500).await;
    recorder.finish(RunState::Succeeded, End::default()).await.unwrap();
    clean_walk(&keeper(&older)).await;

    let status = newer.status(run).await.unwrap();
    assert_eq!(status.source, Source::Archive);
    let written = HeadDocument::write(&status.head).unwrap();
    for kept in ["\"cryostat\":{\"kelvin\":4.25}", "\"by\":\"scheduler\"", "\"calibrate\"", "\"warming_up\""] {
        assert!(written.contains(kept), "{kept} in {written}");
    }
    let filter = RunFilter { job_types: Some(vec!["calibrate".into()]), ..RunFilter::default() };
    assert_eq!(newer.list(&filter, &PageRequest::default()).await.unwrap().runs.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_are_written_in_the_version_that_is_asked_for() {
    let servers = Servers::start().await;
    let writes = WriteAs::program("api").unwrap().in_version(Version::V2).unwrap();
    let urls = Urls::new(servers.redis.url(), servers.postgres.admin_url(&servers.database)).with_writes(writes);
    let store = Store::open(&urls).await.unwrap();
    let run = create(&store, small_head(1)).await;
    let stored = servers.postgres.sql(&servers.database, "SELECT model_version, head ->> 'version' FROM lucihub.runs");
    assert_eq!(stored.trim(), "v2|v2");
    assert_eq!(servers.redis.cli(&["HGET", &format!("lh:{{{run}}}:run"), "version"]).trim(), "v2");
    let refused = WriteAs::default().in_version(Version::V1).unwrap_err().to_string();
    assert!(refused.contains("v1") && refused.contains("v2"), "{refused}");
}
