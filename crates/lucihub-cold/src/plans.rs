//! Every query walks an index: asserted on SQLite's plans, over 100,000 runs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use lucihub_models_core::cold::PendingRun;
use lucihub_models_core::{
    DeviceType, JobType, Order, PageCursor, PageRequest, RunFilter, RunId, RunState, StoreError, Timestamp,
};

use crate::conn::Conn;
use crate::search::{self, Search};

/// What these searches do not need.
const LONG: Duration = Duration::from_hours(1);

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// A database of 100,000 runs, one a second; every eleventh is not released.
fn filled() -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    crate::migrate::tests::fill(&mut Conn::Sqlite(&mut conn));
    conn.batch_execute(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 100000)
         INSERT INTO runs (id, created_at, job_type, state, state_count, device, device_type, owner, channels,
                           archived_at, released_at, digest, created_digest, labels, states, positions, head)
         SELECT unhex(printf('%032x', i)), i * 1000000, iif(i % 2, 'run', 'compile'), iif(i % 11, 'succeeded', 'queued'), 1,
                'device-' || (i % 7), iif(i % 3, 'LUCIDAC', 'REDAC'), 'owner-' || (i % 37), 0,
                iif(i % 11, i, NULL), iif(i % 11, i, NULL), iif(i % 11, zeroblob(32), NULL), zeroblob(32), '{}', '[]', '{}', '{}'
         FROM n",
    )
    .unwrap();
    conn
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000).unwrap()
}

fn run(n: u32) -> RunId {
    RunId::from_uuid(uuid::Uuid::from_u128(n.into()))
}

/// The statements that some work runs.
fn statements(conn: &mut SqliteConnection, work: impl FnOnce(&mut Conn<'_>)) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            sink.lock().unwrap().push(query.to_string());
        }
    });
    work(&mut Conn::Sqlite(conn));
    conn.set_instrumentation(None::<fn(InstrumentationEvent<'_>)>);
    let found = seen.lock().unwrap();
    found.iter().map(|text| text.split(" -- binds").next().unwrap().to_owned()).collect()
}

/// Asserts that a statement is one search along an index.
fn assert_walks(conn: &mut SqliteConnection, statement: &str, index: &str) {
    assert!(!statement.contains("LIMIT ?"), "it is planned anew each time: {statement}");
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn).unwrap();
    let plan: Vec<&str> = steps.iter().map(|step| step.detail.as_str()).collect();
    let [step] = plan[..] else { panic!("{plan:?} of {statement}") };
    let walks = |start: &str| step == format!("{start} {index}") || step.starts_with(&format!("{start} {index} ("));
    // Without a place to begin at, walking the whole index in order is what a
    // first page is: it stops at its limit.
    let first_page = !statement.contains("(`created_at`, `id`)");
    let searched = walks("SEARCH runs USING INDEX") || walks("SEARCH runs USING COVERING INDEX");
    let scanned = walks("SCAN runs USING INDEX") || walks("SCAN runs USING COVERING INDEX");
    assert!(searched || (first_page && scanned), "{step} of {statement}");
    if !first_page {
        assert!(step.contains("(created_at,id)"), "begins at its place: {step}");
    }
}

fn filters() -> Vec<(RunFilter, &'static str)> {
    let none = RunFilter::default;
    let states = Some(vec![RunState::Queued, RunState::Failed]);
    let owners = Some(vec!["owner-3".to_owned()]);
    let devices = Some(vec!["device-1".parse().unwrap(), "device-2".parse().unwrap()]);
    let job_types = Some(vec![JobType::Run]);
    let device_types = Some(vec![DeviceType::Lucidac]);
    let many: Vec<String> = (0..100).map(|n| format!("owner-{n}")).collect();
    vec![
        (none(), "runs_by_creation"),
        (RunFilter { owners: owners.clone(), ..none() }, "runs_by_owner"),
        (RunFilter { devices: devices.clone(), ..none() }, "runs_by_device"),
        (RunFilter { states: states.clone(), ..none() }, "runs_by_state"),
        (RunFilter { job_types: job_types.clone(), ..none() }, "runs_by_job_type"),
        (RunFilter { device_types: device_types.clone(), ..none() }, "runs_by_device_type"),
        (RunFilter { owners: owners.clone(), states: states.clone(), ..none() }, "runs_by_owner"),
        (RunFilter { states: states.clone(), job_types: job_types.clone(), ..none() }, "runs_by_state"),
        (RunFilter { owners: Some(many.clone()), job_types: job_types.clone(), ..none() }, "runs_by_job_type"),
        (RunFilter { owners: Some(many), ..none() }, "runs_by_owner"),
        (none().from(at(5)).to(at(99_995)), "runs_by_creation"),
        (RunFilter { owners: owners.clone(), ..none() }.from(at(5)), "runs_by_owner"),
        (RunFilter { states: states.clone(), ..none() }.to(at(99_995)), "runs_by_state"),
        (RunFilter { owners, devices, states, job_types, device_types, ..none() }, "runs_by_device"),
    ]
}

#[test]
fn every_page_walks_an_index_from_its_place() {
    let mut conn = filled();
    let places = [None, Some(99_990), Some(50_000), Some(10)];
    for (filter, index) in filters() {
        for order in [Order::Newest, Order::Oldest] {
            for place in places {
                let after = place.map(|n: u32| PageCursor::new(&filter, order, at(n.into()), run(n)));
                let request = PageRequest { order, after, limit: 5, ..PageRequest::default() };
                let statements = statements(&mut conn, |conn| {
                    Search::new(&filter, &request).run(conn, LONG).unwrap();
                });
                assert!(!statements.is_empty());
                for statement in statements {
                    assert_walks(&mut conn, &statement, index);
                }
            }
        }
    }
}

#[test]
fn keepers_walk_open_runs_alone() {
    let mut conn = filled();
    for after in [None, Some(PendingRun { id: run(50_000), created_at: at(50_000), states: 1 })] {
        let statements = statements(&mut conn, |conn| {
            let open = search::pending(conn, after, 20).unwrap();
            assert_eq!(open.len(), 20);
        });
        assert_eq!(statements.len(), 1);
        assert_walks(&mut conn, &statements[0], "runs_pending");
    }
    let statements = statements(&mut conn, |conn| {
        let (waiting, _) = crate::watch::waiting(conn).unwrap();
        assert_eq!(waiting, 1_000);
    });
    assert_walks(&mut conn, &statements[0], "runs_pending");
}

#[test]
fn labels_and_relations_walk_their_tags() {
    let mut conn = filled();
    labelled(&mut conn);
    let filter = RunFilter::default().label("series", "series-1").owner("owner-3");
    for place in [None, Some(50_000)] {
        let after = place.map(|n: u32| PageCursor::new(&filter, Order::Newest, at(n.into()), run(n)));
        let request = PageRequest { after, ..PageRequest::newest(5) };
        let statements = statements(&mut conn, |conn| {
            assert_eq!(Search::new(&filter, &request).run(conn, LONG).unwrap().runs.len(), 5);
        });
        for statement in statements {
            let steps: Vec<Step> =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut conn).unwrap();
            let [step] = &steps[..] else { panic!("{statement} has {} steps", steps.len()) };
            let tags = "SEARCH run_tags USING PRIMARY KEY (kind=? AND name=? AND value=?";
            let rows = "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (id=?)";
            assert!(step.detail.starts_with(tags) || step.detail == rows, "{} of {statement}", step.detail);
        }
    }
}

/// A label of three values, one run in three each, which a page goes along.
fn labelled(conn: &mut SqliteConnection) {
    let tags = "INSERT INTO run_tags (kind, name, value, created_at, run)
         SELECT 'label', 'series', 'series-' || (created_at / 1000000 % 3), created_at, id FROM runs";
    conn.batch_execute(tags).unwrap();
}

/// Neither the runs that are passed over nor those after the page are looked at.
#[test]
fn a_page_along_a_label_reads_its_own_rows_alone() {
    let mut conn = filled();
    labelled(&mut conn);
    let one = RunFilter::default().label("series", "series-1");
    let two = one.clone().label("series", "series-2");
    for (filter, walks) in [(one, 1), (two, 2)] {
        for offset in [0, 9_000] {
            let request = PageRequest::newest(5).skip(offset).with_total();
            let statements = statements(&mut conn, |conn| {
                let page = Search::new(&filter, &request).run(conn, LONG).unwrap();
                assert_eq!((page.runs.len(), page.total), (5, Some(33_333 * walks)));
            });
            let (rows, tags): (Vec<_>, Vec<_>) = statements.iter().partition(|text| !text.contains("run_tags"));
            assert_eq!((rows.len() as u64, tags.len() as u64), (1, 2 * walks), "{statements:?}");
            assert_eq!(rows[0].matches('?').count(), 6, "{}", rows[0]);
        }
    }
}

/// What comes after the last of a page that is full already is not read.
#[test]
fn walks_after_the_first_end_where_the_page_does() {
    let mut conn = filled();
    labelled(&mut conn);
    let column = RunFilter::default().owner("owner-1").owner("owner-2").from(at(5));
    let label = RunFilter::default().label("series", "series-1").label("series", "series-2").to(at(99_995));
    for filter in [column, label] {
        for order in [Order::Newest, Order::Oldest] {
            let request = PageRequest { order, limit: 5, ..PageRequest::default() }.skip(3);
            let statements = statements(&mut conn, |conn| {
                assert_eq!(Search::new(&filter, &request).run(conn, LONG).unwrap().runs.len(), 5);
            });
            let ends = |text: &String| {
                let ends = if order == Order::Newest { ") > (" } else { ") < (" };
                text.contains("ORDER BY") && text.contains(ends)
            };
            let ended: Vec<_> = statements.iter().filter(|text| ends(text)).collect();
            assert!(!ended.is_empty(), "{statements:?}");
            for statement in ended {
                let steps: Vec<Step> =
                    diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut conn).unwrap();
                let [step] = &steps[..] else { panic!("{statement} has {} steps", steps.len()) };
                let end = if order == Order::Newest { ")>(" } else { ")<(" };
                assert!(step.detail.contains(end), "{} of {statement}", step.detail);
            }
        }
    }
}

#[test]
fn a_search_ends_after_its_time_and_says_what_to_narrow() {
    let mut conn = filled();
    for filter in [RunFilter::default(), RunFilter::default().label("series", "series-1")] {
        let request = PageRequest::newest(5);
        let late = Search::new(&filter, &request).run(&mut Conn::Sqlite(&mut conn), Duration::ZERO);
        let error = StoreError::from(late.unwrap_err());
        assert!(matches!(&error, StoreError::Unavailable { why, .. } if why.contains("fewer values")), "{error}");
    }
}

/// Totals are counted in indexes, never in rows.
#[test]
fn totals_look_at_indexes_alone() {
    let mut conn = filled();
    for (filter, index) in filters() {
        let request = PageRequest::newest(1).with_total();
        let statements = statements(&mut conn, |conn| {
            let expected = (0..100_000).filter(|n| wants(&filter, *n)).count() as u64;
            assert_eq!(Search::new(&filter, &request).run(conn, LONG).unwrap().total, Some(expected), "{index}");
        });
        let counts: Vec<&String> = statements.iter().filter(|statement| statement.contains("COUNT(*)")).collect();
        assert!(!counts.is_empty());
        for statement in counts {
            let steps: Vec<Step> =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut conn).unwrap();
            let [step] = &steps[..] else { panic!("{statement} has {} steps", steps.len()) };
            assert!(step.detail.contains("USING COVERING INDEX"), "{} of {statement}", step.detail);
        }
    }
}

/// Whether a filter wants run `n`, by the rule that filled the table.
fn wants(filter: &RunFilter, n: u32) -> bool {
    fn has<T: PartialEq>(list: Option<&Vec<T>>, value: &T) -> bool {
        list.is_none_or(|list| list.contains(value))
    }
    let pick = |odd: bool, yes: &str, no: &str| if odd { yes.to_owned() } else { no.to_owned() };
    let second = at(n.into());
    filter.created_from.is_none_or(|from| second >= from)
        && filter.created_to.is_none_or(|to| second <= to)
        && has(filter.owners.as_ref(), &format!("owner-{}", n % 37))
        && has(filter.devices.as_ref(), &format!("device-{}", n % 7).parse().unwrap())
        && has(filter.device_types.as_ref(), &DeviceType::from(&*pick(!n.is_multiple_of(3), "LUCIDAC", "REDAC")))
        && has(filter.job_types.as_ref(), &JobType::from(&*pick(!n.is_multiple_of(2), "run", "compile")))
        && has(filter.states.as_ref(), &RunState::from(&*pick(!n.is_multiple_of(11), "succeeded", "queued")))
}

#[test]
fn pages_join_to_the_whole_list() {
    const MOST: usize = 2_000;
    let mut conn = filled();
    for (filter, index) in filters() {
        for order in [Order::Newest, Order::Oldest] {
            let mut expected: Vec<RunId> = (0..100_000).filter(|n| wants(&filter, *n)).map(run).collect();
            if order == Order::Newest {
                expected.reverse();
            }
            let more = expected.len() > MOST;
            expected.truncate(MOST);
            let mut request = PageRequest { order, after: None, limit: 250, ..PageRequest::default() };
            let mut found = Vec::new();
            loop {
                let page = Search::new(&filter, &request).run(&mut Conn::Sqlite(&mut conn), LONG).unwrap();
                found.extend(page.runs.iter().map(|run| run.id));
                request.after = page.next;
                if page.next.is_none() || found.len() >= MOST {
                    break;
                }
            }
            assert_eq!(request.after.is_some(), more, "{index}: a next page where there is one");
            assert_eq!(found, expected, "{index} {order:?}");
            assert!(!found.is_empty());
        }
    }
}
