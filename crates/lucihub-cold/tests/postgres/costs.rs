//! What reading costs, by the server's own counters: no table is scanned, and a page reads the rows it shows.

use lucihub_models_core::cold::{ColdRuns, PendingRun};
use lucihub_models_core::{DeviceType, JobType, Order, PageCursor, PageRequest, RunFilter, RunId, RunState, Timestamp};

use crate::postgres::lab::{Database, WRITER, open};

const RUNS: u32 = 50_000;

/// A database of so many runs, one a second; every eleventh is not released, one in ten thousand failed.
fn filled() -> Database {
    let database = Database::new();
    database.sql(&format!(
        "INSERT INTO lucihub.runs (id, created_at, job_type, state, state_count, device, device_type, owner, channels,
             archived_at, released_at, digest, created_digest, labels, states, positions, head)
         SELECT lpad(to_hex(i), 32, '0')::uuid, to_timestamp(i), CASE i % 2 WHEN 1 THEN 'run' ELSE 'compile' END,
             CASE WHEN i % 10000 = 7 THEN 'failed' WHEN i % 11 = 0 THEN 'queued' ELSE 'succeeded' END, 1,
             'device-' || i % 7, CASE WHEN i % 3 = 0 THEN 'REDAC' ELSE 'LUCIDAC' END, 'owner-' || i % 37, 0,
             CASE WHEN i % 11 <> 0 THEN to_timestamp(i) END, CASE WHEN i % 11 <> 0 THEN to_timestamp(i) END,
             CASE WHEN i % 11 <> 0 THEN decode(repeat('00', 32), 'hex') END, decode(repeat('00', 32), 'hex'),
             '{{}}', '[]', '{{}}', '{{}}'
         FROM generate_series(0, {RUNS} - 1) AS i;
         INSERT INTO lucihub.run_tags (kind, name, value, created_at, run)
         SELECT 'label', 'series', 'series-' || (extract(epoch FROM created_at)::bigint % 1000), created_at, id
         FROM lucihub.runs;
         VACUUM ANALYZE"
    ));
    database
}

/// Scans of whole tables, and entries read from indexes of `runs` and `run_tags`.
fn counters(database: &Database) -> (i64, i64) {
    let number = |sql: &str| database.sql(sql).trim().parse().unwrap();
    let tables = "relname IN ('runs', 'run_tags') AND schemaname = 'lucihub'";
    (
        number(&format!("SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE {tables}")),
        number(&format!("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE {tables}")),
    )
}

fn at(second: u32) -> Timestamp {
    Timestamp::from_micros(i64::from(second) * 1_000_000).unwrap()
}

fn run(n: u32) -> RunId {
    RunId::from_uuid(uuid::Uuid::from_u128(n.into()))
}

/// What some calls cost. Their connections are closed, so that the server has counted them.
async fn cost<F: AsyncFn(&lucihub_cold::PostgresCold)>(database: &Database, calls: F) -> (i64, i64) {
    let before = counters(database);
    let cold = open(&database.url(WRITER)).await.unwrap();
    calls(&cold).await;
    drop(cold);
    let gone =
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'lucihub_writer' AND datname = current_database()";
    while database.sql(gone).trim() != "0" {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let after = counters(database);
    (after.0 - before.0, after.1 - before.1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_what_it_shows_wherever_it_lies() {
    const LIMIT: usize = 20;
    let database = filled();
    let filters = [
        (RunFilter::default(), 1),
        (RunFilter::default().owner("owner-3"), 1),
        (RunFilter::default().state(RunState::Failed), 1),
        (RunFilter::default().state(RunState::Failed).state(RunState::Queued), 2),
        (RunFilter::default().device("device-1".parse().unwrap()), 1),
        // Walks after the first end where the page would.
        (RunFilter::default().owner("owner-3").owner("owner-4").owner("owner-5"), 3),
        (RunFilter::default().job_type(JobType::Run), 1),
        (RunFilter::default().device_type(DeviceType::Redac), 1),
        (RunFilter::default().owner("owner-3").from(at(100)).to(at(40_000)), 1),
    ];
    // More often than a statement is planned anew, so that the generic plan is measured too.
    const TIMES: i64 = 6;
    for (filter, walks) in filters {
        let mut requests = Vec::new();
        for order in [Order::Newest, Order::Oldest] {
            for place in [None, Some(30_000), Some(25_000)] {
                let after = place.map(|n| PageCursor::new(&filter, order, at(n), run(n)));
                requests.push(PageRequest { order, after, limit: LIMIT, ..PageRequest::default() });
            }
        }
        let (scans, read) = cost(&database, async |cold| {
            for request in &requests {
                for _ in 0..TIMES {
                    cold.list(&filter, request).await.unwrap();
                }
            }
        })
        .await;
        let most = TIMES * walks * i64::try_from(requests.len() * (LIMIT + 1)).unwrap();
        assert!(scans == 0 && read <= most, "{filter:?}: {scans} scans, {read} entries, {most} are due");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_keepers_and_totals_scan_no_table() {
    let database = filled();
    let label = RunFilter::default().label("series", "series-7");
    let (scans, read) = cost(&database, async |cold| {
        let page = cold.list(&label, &PageRequest::newest(10).with_total()).await.unwrap();
        assert_eq!((page.runs.len(), page.total), (10, Some(50)));
        let both = label.clone().owner("owner-3").owner("owner-4");
        let page = cold.list(&both, &PageRequest::newest(10).with_total()).await.unwrap();
        assert_eq!(page.total, Some(page.runs.len() as u64));
    })
    .await;
    assert!(scans == 0 && read < 500, "{scans} scans, {read} entries");
    // What is passed over is passed over in the index of tags: forty entries of it, then the page's own and its rows.
    let (scans, read) = cost(&database, async |cold| {
        let page = cold.list(&label, &PageRequest::newest(5).skip(40)).await.unwrap();
        assert_eq!(page.runs.len(), 5);
    })
    .await;
    assert!(scans == 0 && read <= 40 + 6 + 6, "{scans} scans, {read} entries");
    let (scans, read) = cost(&database, async |cold| {
        let open =
            cold.pending(Some(PendingRun { id: run(20_000), created_at: at(20_000), states: 1 }), 30).await.unwrap();
        assert_eq!(open.len(), 30);
    })
    .await;
    assert!(scans == 0 && read <= 31, "{scans} scans, {read} entries");
    let (scans, read) = cost(&database, async |cold| {
        let one = RunFilter::default().owner("owner-3").state(RunState::Queued);
        let page = cold.list(&one, &PageRequest::newest(1).with_total()).await.unwrap();
        assert_eq!(
            page.total,
            Some((0..RUNS).filter(|n| n % 37 == 3 && n % 11 == 0 && n % 10_000 != 7).count() as u64)
        );
    })
    .await;
    assert!(scans == 0 && read < i64::from(RUNS / 37) * 2, "{scans} scans, {read} entries");
}
