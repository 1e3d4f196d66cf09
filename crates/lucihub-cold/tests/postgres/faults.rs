//! Restarts, lost answers and frozen servers: nothing twice, nothing acknowledged lost, every wait bounded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lucihub_cold::{PostgresCold, PostgresOptions};
use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdRuns, ColdSamples, ColdUsage, Created};
use lucihub_models_core::{RunHead, RunId, SampleCell, Series, StoreError};
use lucihub_testkit::servers::{PostgresOptions as Config, PostgresServer, Proxy};
use lucihub_testkit::{ManualClock, models};

use crate::postgres::lab::{Database, WRITER, open, shared, template};

fn owned(seed: u64) -> RunHead {
    let mut head = models::run_head(seed);
    head.owner = Some("ada".into());
    head.device_type = None;
    head
}

fn cell(n: u64) -> Checkpoint {
    let mut series = Series::starting_at(0);
    series.push_values(&vec![0.5; usize::try_from(n).unwrap()]);
    Checkpoint { lines: Vec::new(), samples: vec![SampleCell { channel: 0, cell: 0, series }], ..Checkpoint::default() }
}

/// The server goes down at once again and again while eight tasks write. What was acknowledged is there, what was
/// `Unavailable` is not, and a run is counted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn immediate_restarts_lose_and_double_nothing() {
    let server = Arc::new(PostgresServer::start(Config::new()));
    let database = Database::of(&server.databases(), Some(&template(&server.databases())));
    let options = PostgresOptions::url(&database.url(WRITER)).unwrap().with_wait(Duration::from_secs(20));
    let cold = PostgresCold::open(options, Arc::new(ManualClock::new())).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..8_u64)
        .map(|writer| {
            let (cold, stop, done) = (cold.clone(), stop.clone(), done.clone());
            tokio::spawn(async move {
                let mut ledger: BTreeMap<RunId, Result<(), StoreError>> = BTreeMap::new();
                let mut failed = 0;
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let head = owned(writer * 1_000_000 + n);
                    let created = cold.create(&head).await.map(|created| assert_eq!(created, Created::Created));
                    failed += u32::from(created.is_err());
                    done.fetch_add(u64::from(created.is_ok()), Ordering::Relaxed);
                    if created.is_ok() && cold.checkpoint(head.id, &cell(n % 50 + 1)).await.is_ok() {
                        let stored = cold.sample_cells(head.id, 0, 0..1).await;
                        assert!(stored.is_err() || stored.unwrap().len() == 1);
                    }
                    ledger.insert(head.id, created);
                }
                (ledger, failed)
            })
        })
        .collect();
    for round in 1..=6 {
        // In the midst of work, however busy the machine is.
        let begun = Instant::now();
        while done.load(Ordering::Relaxed) < 25 * round {
            assert!(begun.elapsed() < Duration::from_secs(60), "they go on after a restart");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if round < 6 {
            let server = server.clone();
            tokio::task::spawn_blocking(move || server.restart_immediate()).await.unwrap();
        }
    }
    stop.store(true, Ordering::Relaxed);
    let (mut created, mut unknown, mut failed) = (0, 0, 0);
    for writer in writers {
        let (ledger, failures) = writer.await.unwrap();
        failed += failures;
        for (run, outcome) in ledger {
            let there = cold.get(run).await.unwrap().is_some();
            match outcome {
                Ok(()) => assert!(there, "acknowledged and lost: {run}"),
                Err(StoreError::Unavailable { why, .. }) => assert!(!there, "said not to be written: {run}: {why}"),
                Err(StoreError::Unknown { .. }) => unknown += 1,
                Err(other) => panic!("{other}"),
            }
            created += u64::from(there);
        }
    }
    assert!(created >= 150 && failed > 0, "{created} created, {failed} failed");
    assert_eq!(unknown, 0, "the outcome of every COMMIT could be told");
    let counted: u64 = cold.usage("ada").await.unwrap().iter().map(|usage| usage.last_day).sum();
    assert_eq!(counted, created, "counted in the transaction that creates");
}

/// The answer to COMMIT never comes: the outcome is asked for, and told.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_commit_is_read_back() {
    let database = Database::own();
    let proxy = Proxy::start(shared().port(), 11);
    let cold = open(&format!("{}?sslmode=disable", proxy.through(&database.url(WRITER)))).await.unwrap();
    for n in 0..20 {
        let head = owned(n);
        proxy.cut_after_request(b"COMMIT");
        assert_eq!(cold.create(&head).await.unwrap(), Created::Created, "it was committed");
        assert_eq!(proxy.pending_requests(), 0, "an answer was lost");
        assert_eq!(cold.create(&head).await.unwrap(), Created::Existing);
        proxy.cut_after_request(b"COMMIT");
        assert!(cold.checkpoint(head.id, &cell(n + 1)).await.unwrap());
        proxy.cut_after_request(b"COMMIT");
        assert!(cold.delete(head.id).await.unwrap());
        assert_eq!(cold.get(head.id).await.unwrap(), None);
    }
    assert_eq!(proxy.cuts(), 60);
    let counted: u64 = cold.usage("ada").await.unwrap().iter().map(|usage| usage.last_day).sum();
    assert_eq!(counted, 20);
}

/// Connections are cut at random bytes in both directions. Each operation is whole or not there, and said so.
#[tokio::test(flavor = "multi_thread")]
async fn cuts_at_any_byte_leave_no_half() {
    let database = Database::own();
    let proxy = Proxy::start(shared().port(), 12);
    let cold = open(&format!("{}?sslmode=disable", proxy.through(&database.url(WRITER)))).await.unwrap();
    let straight = open(&database.url(WRITER)).await.unwrap();
    proxy.cut_every(500..9_000);
    let (mut written, mut refused) = (0, 0);
    for n in 0..300 {
        let head = owned(n);
        match cold.create(&head).await {
            Ok(_) => {
                written += 1;
                assert_eq!(straight.get(head.id).await.unwrap().unwrap().head, head);
            }
            Err(StoreError::Unavailable { .. }) => {
                refused += 1;
                assert_eq!(straight.get(head.id).await.unwrap(), None, "said not to be written");
            }
            Err(StoreError::Unknown { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert!(written > 50 && refused > 5, "{written} written, {refused} refused, {} cuts", proxy.cuts());
}

/// A server that is frozen: every call ends in its time, and all goes on when it thaws.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_holds_nobody_for_long() {
    let server = PostgresServer::start(Config::new());
    let database = Database::of(&server.databases(), Some(&template(&server.databases())));
    let options = PostgresOptions::url(&database.url(WRITER))
        .unwrap()
        .with_connections(2)
        .with_wait(Duration::from_secs(1))
        .with_statement_timeout(Duration::from_secs(1));
    let cold = PostgresCold::open(options, Arc::new(ManualClock::new())).await.unwrap();
    cold.create(&owned(1)).await.unwrap();
    server.stop();
    let begun = Instant::now();
    let calls: Vec<_> = (0..20)
        .map(|n| {
            let cold = cold.clone();
            tokio::spawn(async move { cold.create(&owned(100 + n)).await })
        })
        .collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert!(error.is_transient(), "{error}");
    }
    let took = begun.elapsed();
    server.cont();
    // 1 s for a connection; then 6 s for an answer, on the pooled connection and on a new one, and once more for the outcome.
    assert!(took < Duration::from_secs(40), "{took:?}");
    tokio::time::timeout(Duration::from_secs(30), async {
        while cold.create(&owned(2)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("it goes on");
}

/// The server goes down in the midst of a COMMIT, before it has written anything of the transaction. Its number is given
/// again then, to the next one, which commits: that must not be taken for the outcome.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_given_again_tells_nothing() {
    let server = Arc::new(PostgresServer::start(Config::new()));
    let database = Database::of(&server.databases(), Some(&template(&server.databases())));
    // Nobody writes the log by the way; and a COMMIT of Bob's runs takes its time.
    database.sql("ALTER SYSTEM SET wal_writer_delay = '10s'");
    database.sql("SELECT pg_reload_conf()");
    database.sql(
        "CREATE FUNCTION lucihub.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(20); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON lucihub.runs DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW WHEN (NEW.owner = 'bob') EXECUTE FUNCTION lucihub.slow();
         CREATE TABLE public.others (n int)",
    );
    let options = PostgresOptions::url(&database.url(WRITER)).unwrap();
    let cold = PostgresCold::open(options, Arc::new(ManualClock::new())).await.unwrap();
    cold.create(&owned(1)).await.unwrap();
    let mut head = owned(2);
    head.owner = Some("bob".into());
    let creating = tokio::spawn({
        let (cold, head) = (cold.clone(), head.clone());
        async move { cold.create(&head).await }
    });
    let committing = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let begun = Instant::now();
    while database.sql(committing).trim() != "1" {
        assert!(begun.elapsed() < Duration::from_secs(10), "it comes to its COMMIT");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::task::spawn_blocking({
        let server = server.clone();
        move || server.restart_immediate()
    })
    .await
    .unwrap();
    for _ in 0..10 {
        database.sql("INSERT INTO public.others VALUES (1)");
    }
    let answer = creating.await.unwrap();
    let there = cold.get(head.id).await.unwrap().is_some();
    assert!(!there, "nothing of it was written");
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
}
