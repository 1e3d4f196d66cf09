//! Damaged rows: found, named, and without harm to their neighbours.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use lucihub_cold::{SqliteCold, SqliteOptions};
use lucihub_models_core::cold::{Checkpoint, ColdArchive, ColdEvents, ColdLogs, ColdRuns, ColdSamples, GrownCell};
use lucihub_models_core::{
    Gap, GapCause, Grid, LogCell, LogLine, PageRequest, Result, RunFilter, RunId, SampleCell, Series, StoreError,
};
use lucihub_testkit::ManualClock;
use lucihub_testkit::models::{run_head, store_event};
use tempfile::TempDir;

struct Damaged {
    cold: SqliteCold,
    raw: SqliteConnection,
    run: RunId,
    cells: Checkpoint,
    _folder: TempDir,
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = Binary)]
    bytes: Vec<u8>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// One run with two small cells of each kind.
async fn given() -> Damaged {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cold.db");
    let cold = SqliteCold::open(SqliteOptions::file(&path), Arc::new(ManualClock::new())).await.unwrap();
    let head = run_head(1);
    cold.create(&head).await.unwrap();
    let samples = |cell: u64| {
        let mut series = Series::starting_at(cell * 65_536);
        series.push_values(&(0..40_u32).map(|n| f64::from(n % 7) * 0.25).collect::<Vec<_>>());
        series.push_gap(Gap::new(0..series.first + 50, GapCause::Overflow));
        series.push_values(&[f64::NAN, -0.0]);
        SampleCell { channel: 1, cell, series }
    };
    let lines = |cell: u64| {
        let lines = (0..12).map(|n| LogLine::from(format!("line {n} of the log"))).collect();
        LogCell { cell, first: cell * 1_024, lines }
    };
    let cells =
        Checkpoint { lines: vec![lines(0), lines(1)], samples: vec![samples(0), samples(1)], ..Checkpoint::default() };
    assert!(cold.checkpoint(head.id, &cells).await.unwrap());
    let raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    Damaged { cold, raw, run: head.id, cells, _folder: folder }
}

impl Damaged {
    fn bytes(&mut self, table: &str, column: &str) -> Vec<u8> {
        let sql = format!("SELECT {column} AS bytes FROM {table} WHERE cell = 0");
        diesel::sql_query(sql).get_result::<Bytes>(&mut self.raw).unwrap().bytes
    }

    fn set_bytes(&mut self, table: &str, column: &str, bytes: &[u8]) {
        let sql = format!("UPDATE {table} SET {column} = ? WHERE cell = 0");
        assert_eq!(diesel::sql_query(sql).bind::<Binary, _>(bytes).execute(&mut self.raw).unwrap(), 1);
    }

    fn number(&mut self, table: &str, column: &str) -> i64 {
        let sql = format!("SELECT {column} AS number FROM {table} WHERE cell = 0");
        diesel::sql_query(sql).get_result::<Number>(&mut self.raw).unwrap().number
    }

    fn set_number(&mut self, table: &str, column: &str, number: i64) {
        let sql = format!("UPDATE {table} SET {column} = ? WHERE cell = 0");
        assert_eq!(diesel::sql_query(sql).bind::<BigInt, _>(number).execute(&mut self.raw).unwrap(), 1);
    }

    /// Reads all cells; `true` if the first one of a kind was refused.
    async fn read(&self) -> bool {
        fn check<T: PartialEq + std::fmt::Debug>(found: Result<Vec<T>>, expected: &T, place: &[String]) -> bool {
            match found {
                Ok(found) => {
                    assert_eq!(found, std::slice::from_ref(expected), "identical or refused");
                    false
                }
                Err(StoreError::Corrupt { what, .. }) => {
                    assert!(place.iter().all(|part| what.contains(part)), "{what} names {place:?}");
                    true
                }
                Err(other) => panic!("{other}"),
            }
        }
        let Self { cold, run, cells, .. } = self;
        let names = |table: &str| [format!("table {table}"), format!("run {run}"), "cell 0".to_owned()];
        let samples = check(cold.sample_cells(*run, 1, 0..1).await, &cells.samples[0], &names("run_samples"));
        let lines = check(cold.log_cells(*run, 0..1).await, &cells.lines[0], &names("run_logs"));
        let whole = cold.summaries(*run, 1, 1..2).await.unwrap();
        let summary = match cold.summaries(*run, 1, 0..1).await {
            Ok(found) => {
                assert_eq!(found[0].buckets, whole[0].buckets);
                assert_eq!((found[0].first, found[0].end), (0, 52));
                false
            }
            Err(StoreError::Corrupt { what, .. }) => {
                assert!(names("run_samples").iter().all(|part| what.contains(part)), "{what}");
                true
            }
            Err(other) => panic!("{other}"),
        };
        assert_eq!(cold.sample_cells(*run, 1, 1..2).await.unwrap(), cells.samples[1..], "the neighbour stays readable");
        assert_eq!(cold.log_cells(*run, 1..2).await.unwrap(), cells.lines[1..]);
        let begun = cold.begin_cell(None, cells.samples[0].clone()).await.unwrap().unwrap();
        let written = GrownCell { rest: Series::starting_at(begun.range().end), begun };
        let given_back = cold.gives_back(*run, &[written]).await.unwrap();
        assert_eq!(given_back, [!(samples || summary)], "no damaged byte is given back as it was written");
        samples || lines || summary
    }

    /// Writes the same cells once more, as a keeper does that still has them.
    async fn write_again(&self, what: &str) {
        assert!(self.cold.checkpoint(self.run, &self.cells).await.unwrap());
        assert!(!self.read().await, "{what} gives way to what is whole");
    }
}

#[tokio::test]
async fn every_flipped_byte_of_a_cell_is_found() {
    let mut given = given().await;
    assert!(!given.read().await);
    let mut flipped = 0;
    for (table, column) in
        [("run_samples", "payload"), ("run_samples", "summary"), ("run_samples", "gaps"), ("run_logs", "payload")]
    {
        let whole = given.bytes(table, column);
        for at in 0..whole.len() {
            for flip in [1, 0x80] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                given.set_bytes(table, column, &damaged);
                assert!(given.read().await, "{table}.{column}, byte {at}");
                flipped += 1;
            }
            if at % 16 == 0 {
                given.write_again(&format!("{table}.{column}, byte {at},")).await;
            }
        }
        for cut in [&whole[..0], &whole[..whole.len() - 1]] {
            given.set_bytes(table, column, cut);
            assert!(given.read().await, "{table}.{column} cut to {} bytes", cut.len());
        }
        given.set_bytes(table, column, &whole);
        assert!(!given.read().await);
    }
    assert!(flipped > 200, "{flipped} bytes were flipped");
}

#[tokio::test]
async fn every_changed_number_of_a_cell_is_found() {
    let mut given = given().await;
    let columns = [
        (
            "run_samples",
            ["first_index", "end_index", "value_count", "codec", "summary_check", "payload_check"].as_slice(),
        ),
        ("run_logs", &["first_index", "end_index", "codec", "payload_check"]),
    ];
    for (table, columns) in columns {
        for column in columns {
            let whole = given.number(table, column);
            for bit in 0..64 {
                given.set_number(table, column, whole ^ (1 << bit));
                assert!(given.read().await, "{table}.{column}, bit {bit}");
                if bit % 9 == 0 {
                    given.write_again(&format!("{table}.{column}, bit {bit},")).await;
                }
            }
            given.set_number(table, column, whole);
            assert!(!given.read().await);
        }
    }
}

/// One flipped bit must not keep out all that a run records from then on.
#[tokio::test]
async fn a_cell_that_claims_to_be_longer_than_it_is_does_not_stop_its_growth() {
    let mut given = given().await;
    for table in ["run_samples", "run_logs"] {
        let end = given.number(table, "end_index");
        given.set_number(table, "end_index", end | 1 << 9);
    }
    let mut longer = Checkpoint { samples: vec![given.cells.samples[0].clone()], ..Checkpoint::default() };
    longer.lines.push(given.cells.lines[0].clone());
    // With a gap of what hot storage lost, which a row that was whole would be asked about first.
    longer.samples[0].series.push_gap(Gap::new(52..60, GapCause::Store));
    longer.samples[0].series.push_values(&[1.0]);
    longer.lines[0].lines.push(LogLine::lost());
    assert!(given.cold.checkpoint(given.run, &longer).await.unwrap());
    assert_eq!(given.cold.sample_cells(given.run, 1, 0..1).await.unwrap(), longer.samples);
    assert_eq!(given.cold.log_cells(given.run, 0..1).await.unwrap(), longer.lines);
    // A longer row whose samples alone are damaged still has its summary, and a shorter one does not take that away.
    let mut samples = given.bytes("run_samples", "payload");
    samples[0] ^= 1;
    given.set_bytes("run_samples", "payload", &samples);
    assert!(given.cold.checkpoint(given.run, &given.cells).await.unwrap());
    assert_eq!(given.cold.summaries(given.run, 1, 0..1).await.unwrap()[0].end, 61);
}

#[tokio::test]
async fn rows_that_changed_places_are_found() {
    let Damaged { cold, mut raw, run, _folder, .. } = given().await;
    for table in ["run_samples", "run_logs"] {
        for (from, to) in [(0, 7), (1, 0), (7, 1)] {
            diesel::sql_query(format!("UPDATE {table} SET cell = {to} WHERE cell = {from}")).execute(&mut raw).unwrap();
        }
    }
    for cells in [0..1, 1..2] {
        let refused = |error: StoreError| matches!(error, StoreError::Corrupt { .. });
        assert!(refused(cold.sample_cells(run, 1, cells.clone()).await.unwrap_err()));
        assert!(refused(cold.summaries(run, 1, cells.clone()).await.unwrap_err()));
        assert!(refused(cold.log_cells(run, cells).await.unwrap_err()));
    }
}

#[tokio::test]
async fn a_damaged_document_names_table_column_and_run() {
    let Damaged { cold, mut raw, run, _folder, .. } = given().await;
    let other = run_head(2);
    cold.create(&other).await.unwrap();
    for column in ["head", "labels", "positions"] {
        let sql = format!("UPDATE runs SET {column} = '{{' || {column} WHERE id <> (SELECT max(id) FROM runs)");
        raw.immediate_transaction(|raw| {
            diesel::sql_query(sql).execute(raw)?;
            QueryResult::Ok(())
        })
        .unwrap();
        let damaged = if run > other.id { other.id } else { run };
        let neighbour = if run > other.id { run } else { other.id };
        let error = cold.get(damaged).await.unwrap_err();
        let names = ["table runs".to_owned(), format!("column {column}"), format!("run {damaged}")];
        let StoreError::Corrupt { what, .. } = &error else { panic!("{error}") };
        assert!(names.iter().all(|name| what.contains(name)), "{what}");
        assert!(cold.get(neighbour).await.unwrap().is_some());
        diesel::sql_query(format!("UPDATE runs SET {column} = substr({column}, 2) WHERE {column} LIKE '{{{{%'"))
            .execute(&mut raw)
            .unwrap();
        assert!(cold.get(damaged).await.unwrap().is_some(), "restored");
    }

    // A grid that is none: cells without a sample.
    let emptied = |from: &str, to: &str| format!("UPDATE runs SET head = replace(head, '{from}', '{to}')");
    let Grid { samples, lines } = other.grid;
    let (grid, none) = (format!("\"samples\":{samples},\"lines\":{lines}"), format!("\"samples\":0,\"lines\":{lines}"));
    diesel::sql_query(emptied(&grid, &none)).execute(&mut raw).unwrap();
    let error = cold.get(other.id).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { .. }) && error.to_string().contains("grid"), "{error}");
    diesel::sql_query(emptied(&none, &grid)).execute(&mut raw).unwrap();
    assert!(cold.get(other.id).await.unwrap().is_some(), "restored");

    // Bytes that are no text at all are damage too, not replaced in silence.
    diesel::sql_query("UPDATE runs SET head = CAST(x'ff' || head AS TEXT)").execute(&mut raw).unwrap();
    assert!(matches!(cold.get(run).await.unwrap_err(), StoreError::Corrupt { .. }));
    assert!(!cold.list(&RunFilter::default(), &PageRequest::default()).await.unwrap().runs.is_empty());
}

#[tokio::test]
async fn a_newer_document_says_so() {
    let Damaged { cold, mut raw, run, _folder, .. } = given().await;
    diesel::sql_query("UPDATE runs SET head = replace(head, '\"version\":\"v2\"', '\"version\":\"v9\"')")
        .execute(&mut raw)
        .unwrap();
    let error = cold.get(run).await.unwrap_err();
    assert!(matches!(error, StoreError::Model(_)), "{error}");
}

#[tokio::test]
async fn events_that_cannot_be_read_are_named_and_stay_as_they_are() {
    let mut given = given().await;
    assert!(given.cold.add_events(given.run, &[store_event(1)]).await.unwrap());
    let stored = "UPDATE run_events SET document = substr(document, 1, 20)";
    assert_eq!(diesel::sql_query(stored).execute(&mut given.raw).unwrap(), 1);
    for _ in 0..2 {
        let read = given.cold.events(given.run).await.map(drop);
        let added = given.cold.add_events(given.run, &[store_event(2)]).await.map(drop);
        for refused in [read, added] {
            let Err(StoreError::Corrupt { what, .. }) = refused else { panic!("{refused:?}") };
            let names = ["table run_events".to_owned(), format!("run {}", given.run)];
            assert!(names.iter().all(|part| what.contains(part)), "{what}");
        }
    }
    assert!(given.cold.get(given.run).await.unwrap().is_some(), "the run itself is whole");
}
