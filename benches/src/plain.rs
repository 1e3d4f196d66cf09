//! SQLite without us: the same bytes, the same settings, nothing else.

use std::path::Path;

use anyhow::{Context, Result};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Untyped;
use lucihub_models_core::RunId;
use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};

diesel::table! {
    use diesel::sql_types::{BigInt, Binary};

    run_samples (run, channel, cell) {
        run -> Binary,
        channel -> BigInt,
        cell -> BigInt,
        gaps -> Binary,
        summary -> Binary,
        payload -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary};

    run_logs (run, cell) {
        run -> Binary,
        cell -> BigInt,
        payload -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};

    runs (id) {
        id -> Binary,
        created_at -> BigInt,
        job_type -> Text,
        device -> Nullable<Text>,
        device_type -> Nullable<Text>,
        owner -> Nullable<Text>,
        channels -> BigInt,
        archived_at -> Nullable<BigInt>,
        error -> Nullable<Text>,
        labels -> Text,
        states -> Text,
        head -> Text,
    }
}

diesel::table! {
    cells (run, channel, cell) {
        run -> BigInt,
        channel -> BigInt,
        cell -> BigInt,
        summary -> Binary,
        payload -> Binary,
    }
}

diesel::table! {
    raw_runs (id) {
        id -> Text,
        status -> Text,
        created_at -> Text,
        channels -> Integer,
        input -> Text,
        states -> Text,
        logs -> Text,
        measurements -> Binary,
    }
}

/// A run as one row: documents of its states and lines, and the bytes of all samples, channel by channel.
#[derive(Debug)]
pub(crate) struct RawRun {
    pub(crate) id: String,
    pub(crate) channels: i32,
    pub(crate) input: String,
    pub(crate) states: String,
    pub(crate) logs: String,
    pub(crate) measurements: Vec<u8>,
}

/// The state that such a run ended in.
pub(crate) const RAW_STATUS: &str = "succeeded";

/// A row of samples: channel, cell, summary and encoded samples.
pub(crate) type Encoded = (i64, i64, Vec<u8>, Vec<u8>);

/// A row of summaries: cell, gaps, summary.
type Summary = (i64, Vec<u8>, Vec<u8>);

/// What a row of the list holds.
pub(crate) type ListRow = (
    Vec<u8>,
    i64,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
    Option<i64>,
    Option<String>,
    String,
    String,
);

/// A connection to a file, with the settings of cold storage's connections.
pub(crate) struct Plain(SqliteConnection);

impl Plain {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut conn = SqliteConnection::establish(path.to_str().context("the path is not UTF-8")?)?;
        conn.batch_execute(
            "PRAGMA busy_timeout = 5000; PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;
             PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -1024; PRAGMA journal_size_limit = 67108864;",
        )?;
        Ok(Self(conn))
    }

    /// Runs statements.
    pub(crate) fn run(&mut self, sql: &str) -> Result<()> {
        Ok(self.0.batch_execute(sql)?)
    }

    /// Makes the table that encoded bytes are put into.
    pub(crate) fn lay_out(&mut self) -> Result<()> {
        self.run(
            "CREATE TABLE cells (run INTEGER NOT NULL, channel INTEGER NOT NULL, cell INTEGER NOT NULL,
             summary BLOB NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (run, channel, cell)) STRICT;
             CREATE TABLE raw_runs (id TEXT NOT NULL PRIMARY KEY, status TEXT NOT NULL, created_at TEXT NOT NULL,
             channels INTEGER NOT NULL, input TEXT NOT NULL, states TEXT NOT NULL, logs TEXT NOT NULL,
             measurements BLOB NOT NULL); CREATE INDEX raw_runs_by_creation ON raw_runs (created_at);",
        )
    }

    /// Puts a run in as one row.
    pub(crate) fn insert_raw(&mut self, run: &RawRun) -> Result<()> {
        let values = (
            raw_runs::id.eq(&run.id),
            raw_runs::status.eq(RAW_STATUS),
            raw_runs::created_at.eq(sql("datetime('now')")),
            raw_runs::channels.eq(run.channels),
            raw_runs::input.eq(&run.input),
            raw_runs::states.eq(&run.states),
            raw_runs::logs.eq(&run.logs),
            raw_runs::measurements.eq(&run.measurements),
        );
        diesel::insert_into(raw_runs::table).values(values).execute(&mut self.0)?;
        Ok(())
    }

    /// All bytes of an archived run: its samples, its log as channel -1, its head as channel -2.
    pub(crate) fn encoded(&mut self, run: RunId) -> Result<Vec<Encoded>> {
        let id = run.as_uuid().as_bytes().as_slice();
        let mut rows: Vec<Encoded> = run_samples::table
            .filter(run_samples::run.eq(id))
            .select((run_samples::channel, run_samples::cell, run_samples::summary, run_samples::payload))
            .load(&mut self.0)?;
        let logs: Vec<(i64, Vec<u8>)> = run_logs::table
            .filter(run_logs::run.eq(id))
            .select((run_logs::cell, run_logs::payload))
            .load(&mut self.0)?;
        rows.extend(logs.into_iter().map(|(cell, payload)| (-1, cell, Vec::new(), payload)));
        let head: String = runs::table.find(id).select(runs::head).first(&mut self.0)?;
        rows.push((-2, 0, Vec::new(), head.into_bytes()));
        Ok(rows)
    }

    /// Puts rows in: cells in one transaction, the head in a second one, as archiving does.
    pub(crate) fn insert(&mut self, run: i64, rows: &[Encoded]) -> Result<()> {
        for is_head in [false, true] {
            self.0.immediate_transaction(|conn| {
                for (channel, cell, summary, payload) in rows.iter().filter(|row| (row.0 == -2) == is_head) {
                    let values = (
                        cells::run.eq(run),
                        cells::channel.eq(channel),
                        cells::cell.eq(cell),
                        cells::summary.eq(summary),
                        cells::payload.eq(payload),
                    );
                    diesel::insert_into(cells::table).values(values).execute(conn)?;
                }
                QueryResult::Ok(())
            })?;
        }
        Ok(())
    }

    /// The encoded samples of some cells of a channel, decoded by pco alone.
    pub(crate) fn samples(&mut self, run: RunId, channel: u32, numbers: std::ops::Range<i64>) -> Result<Vec<Vec<f64>>> {
        let payloads: Vec<Vec<u8>> = run_samples::table
            .filter(run_samples::run.eq(run.as_uuid().as_bytes().as_slice()))
            .filter(run_samples::channel.eq(i64::from(channel)))
            .filter(run_samples::cell.ge(numbers.start).and(run_samples::cell.lt(numbers.end)))
            .order(run_samples::cell.asc())
            .select(run_samples::payload)
            .load(&mut self.0)?;
        payloads.iter().map(|bytes| decompress(bytes)).collect()
    }

    /// The rows that an envelope reads.
    pub(crate) fn summaries(&mut self, run: RunId, channel: u32) -> Result<Vec<Summary>> {
        Ok(run_samples::table
            .filter(run_samples::run.eq(run.as_uuid().as_bytes().as_slice()))
            .filter(run_samples::channel.eq(i64::from(channel)))
            .order(run_samples::cell.asc())
            .select((run_samples::cell, run_samples::gaps, run_samples::summary))
            .load(&mut self.0)?)
    }

    /// A page of runs created before a time, newest first, of one owner or of all.
    pub(crate) fn page(&mut self, owner: Option<&str>, before: i64, limit: i64) -> Result<Vec<ListRow>> {
        let query = runs::table
            .select((
                runs::id,
                runs::created_at,
                runs::job_type,
                runs::device,
                runs::device_type,
                runs::owner,
                runs::channels,
                runs::archived_at,
                runs::error,
                runs::labels,
                runs::states,
            ))
            .filter(runs::created_at.lt(before))
            // With the number written out: SQLite plans anew whenever one is bound to `LIMIT ?`.
            .order(sql::<Untyped>(&format!("created_at DESC, id DESC LIMIT {limit}")));
        Ok(match owner {
            Some(owner) => query.filter(runs::owner.eq(owner)).load(&mut self.0)?,
            None => query.load(&mut self.0)?,
        })
    }

    /// How many runs an owner has.
    pub(crate) fn total(&mut self, owner: &str) -> Result<i64> {
        Ok(runs::table.filter(runs::owner.eq(owner)).count().get_result(&mut self.0)?)
    }
}

/// Samples encoded by pco alone, as cold storage sets it.
pub(crate) fn compress(values: &[f64]) -> Result<Vec<u8>> {
    Ok(simple_compress(values, &ChunkConfig::default().with_compression_level(8))?)
}

/// The samples of a cell whose numbers are exact steps of a scale, the numbers decoded by pco alone.
pub(crate) fn decompress(payload: &[u8]) -> Result<Vec<f64>> {
    let (header, numbers) = payload.split_first_chunk::<27>().context("the cell ends too early")?;
    let float = |at: usize| f64::from_le_bytes(std::array::from_fn(|n| header[at + n]));
    let (base, step) = (float(1), float(9));
    Ok(simple_decompress::<i16>(numbers)?.into_iter().map(|number| base + f64::from(number) * step).collect())
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::Text;

    use super::*;

    #[derive(QueryableByName)]
    struct Built {
        #[diesel(sql_type = Text)]
        compile_options: String,
    }

    #[test]
    fn the_workspace_builds_sqlite_as_it_decided() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let options: Vec<Built> = diesel::sql_query("PRAGMA compile_options").load(&mut conn).unwrap();
        let has = |name: &str| options.iter().any(|option| option.compile_options == name);
        let hint = "docs/decisions/0021-sqlite-as-it-is-built.md";
        assert!(has("THREADSAFE=2") && has("DEFAULT_MEMSTATUS=0"), "{hint}");
        assert!(!has("ENABLE_MEMORY_MANAGEMENT") && !has("ENABLE_API_ARMOR") && !has("ENABLE_FTS5"), "{hint}");
    }
}
