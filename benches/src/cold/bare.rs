//! PostgreSQL without us: prepared statements on one connection, and nothing else.

use anyhow::{Context, Result};
use lucihub_models_core::RunId;
use tokio::runtime::Runtime;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

use super::{RawStorage, Side};
use crate::plain::{Encoded, RAW_STATUS, RawRun, decompress};

const LIST: &str = "SELECT id, created_at, job_type, device, device_type, owner, channels, archived_at, error,
    labels::text, states::text FROM lucihub.runs";

/// A connection. Its protocol runs on the thread that waits, as that of cold storage's connections does.
pub(super) struct Bare {
    runtime: Runtime,
    client: Client,
    page: Statement,
    filtered: Statement,
    total: Statement,
    insert: Statement,
    raw: [Statement; 2],
    samples: Statement,
    summaries: Statement,
}

impl Bare {
    pub(super) fn connect(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        runtime.spawn(connection);
        let prepare = |sql: &str| runtime.block_on(client.prepare(sql)).with_context(|| sql.to_owned());
        runtime.block_on(client.batch_execute(
            "CREATE TABLE IF NOT EXISTS cells (run bigint NOT NULL, channel bigint NOT NULL, cell bigint NOT NULL,
                 summary bytea NOT NULL, payload bytea NOT NULL, PRIMARY KEY (run, channel, cell));
             ALTER TABLE cells ALTER COLUMN payload SET STORAGE EXTERNAL;
             ALTER TABLE cells ALTER COLUMN summary SET STORAGE MAIN;
             CREATE TABLE IF NOT EXISTS raw_runs (id varchar(36) PRIMARY KEY, status varchar(16) NOT NULL,
                 created_at timestamp NOT NULL, channels integer NOT NULL, input json NOT NULL, states json NOT NULL,
                 logs json NOT NULL, measurements bytea NOT NULL);
             CREATE TABLE IF NOT EXISTS raw_runs_uncompressed (LIKE raw_runs INCLUDING ALL);
             ALTER TABLE raw_runs_uncompressed ALTER COLUMN measurements SET STORAGE EXTERNAL;
             CREATE INDEX ON raw_runs (created_at); CREATE INDEX ON raw_runs_uncompressed (created_at);",
        ))?;
        let page = prepare(&format!(
            "{LIST} WHERE state_count >= 0 AND (created_at, id) < (to_timestamp($1::bigint / 1e6), $2)
             ORDER BY created_at DESC, id DESC LIMIT $3"
        ))?;
        let filtered = prepare(&format!(
            "{LIST} WHERE owner = $1 AND (created_at, id) < (to_timestamp($2::bigint / 1e6), $3)
             ORDER BY created_at DESC, id DESC LIMIT $4"
        ))?;
        let total = prepare("SELECT count(*) FROM lucihub.runs WHERE owner = $1")?;
        let insert = prepare("INSERT INTO cells VALUES ($1, $2, $3, $4, $5)")?;
        let raw = |table: &str| {
            let values = "($1, $2, now(), $3, $4::text::json, $5::text::json, $6::text::json, $7)";
            prepare(&format!("INSERT INTO {table} VALUES {values}"))
        };
        let raw = [raw("raw_runs")?, raw("raw_runs_uncompressed")?];
        let range =
            "FROM lucihub.run_samples WHERE run = $1 AND channel = $2 AND cell >= $3 AND cell < $4 ORDER BY cell";
        let samples = prepare(&format!("SELECT payload {range}"))?;
        let summaries = prepare(&format!("SELECT cell, gaps, summary {range}"))?;
        Ok(Self { runtime, client, page, filtered, total, insert, raw, samples, summaries })
    }

    fn rows(&self, statement: &Statement, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        Ok(self.runtime.block_on(self.client.query(statement, values))?)
    }
}

impl Side for Bare {
    fn fill(&mut self, runs: usize, step: u64) -> Result<()> {
        // Through `create`, each would be a transaction that reaches the disk.
        let sql = format!(
            "INSERT INTO lucihub.runs (id, created_at, job_type, state, state_count, device, device_type, owner, channels,
                 archived_at, released_at, digest, created_digest, labels, states, positions, head, input)
             SELECT lpad(to_hex(n), 32, '0')::uuid, created_at + n * interval '{step} microseconds', job_type, state,
                 state_count, device, device_type, 'owner-' || (n % 10), channels, archived_at, released_at, digest,
                 created_digest, labels, states, positions,
                 replace(head::text, id::text, lpad(to_hex(n), 32, '0')::uuid::text)::json, input
             FROM lucihub.runs, generate_series(1, {runs}) AS n"
        );
        Ok(self.runtime.block_on(self.client.batch_execute(&sql))?)
    }

    fn page(&mut self, owner: Option<&str>, before: i64, limit: i64) -> Result<usize> {
        let rows = match owner {
            Some(owner) => self.rows(&self.filtered, &[&owner, &before, &Uuid::max(), &limit])?,
            None => self.rows(&self.page, &[&before, &Uuid::max(), &limit])?,
        };
        Ok(rows.iter().map(read).count())
    }

    fn total(&mut self, owner: &str) -> Result<i64> {
        Ok(self.rows(&self.total, &[&owner])?[0].get(0))
    }

    fn encoded(&mut self, run: RunId) -> Result<Vec<Encoded>> {
        let run = run.as_uuid();
        let sql = "SELECT channel, cell, summary, payload FROM lucihub.run_samples WHERE run = $1
                   UNION ALL SELECT -1, cell, ''::bytea, payload FROM lucihub.run_logs WHERE run = $1
                   UNION ALL SELECT -2, 0, ''::bytea, convert_to(head::text, 'UTF8') FROM lucihub.runs WHERE id = $1";
        let statement = self.runtime.block_on(self.client.prepare_typed(sql, &[Type::UUID]))?;
        let rows = self.rows(&statement, &[&run])?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect())
    }

    fn insert(&mut self, run: i64, rows: &[Encoded]) -> Result<()> {
        self.runtime.block_on(async {
            for is_head in [false, true] {
                self.client.batch_execute("BEGIN").await?;
                for (channel, cell, summary, payload) in rows.iter().filter(|row| (row.0 == -2) == is_head) {
                    self.client.execute(&self.insert, &[&run, channel, cell, summary, payload]).await?;
                }
                self.client.batch_execute("COMMIT").await?;
            }
            Ok(())
        })
    }

    fn insert_raw(&mut self, run: &RawRun, storage: RawStorage) -> Result<()> {
        let RawRun { id, channels, input, states, logs, measurements } = run;
        let statement = &self.raw[usize::from(storage == RawStorage::Uncompressed)];
        let values: [&(dyn ToSql + Sync); 7] = [id, &RAW_STATUS, channels, input, states, logs, measurements];
        self.runtime.block_on(async {
            self.client.batch_execute("BEGIN").await?;
            self.client.execute(statement, &values).await?;
            Ok(self.client.batch_execute("COMMIT").await?)
        })
    }

    fn samples(&mut self, run: RunId, channel: u32, cells: std::ops::Range<i64>) -> Result<Vec<Vec<f64>>> {
        let values: [&(dyn ToSql + Sync); 4] = [&run.as_uuid(), &i64::from(channel), &cells.start, &cells.end];
        let rows = self.rows(&self.samples, &values)?;
        rows.iter().map(|row| decompress(row.get(0))).collect()
    }

    fn summaries(&mut self, run: RunId, channel: u32) -> Result<usize> {
        let values: [&(dyn ToSql + Sync); 4] = [&run.as_uuid(), &i64::from(channel), &0_i64, &i64::MAX];
        let rows = self.rows(&self.summaries, &values)?;
        let summary = |row: &Row| -> (i64, Vec<u8>, Vec<u8>) { (row.get(0), row.get(1), row.get(2)) };
        Ok(std::hint::black_box(rows.iter().map(summary).collect::<Vec<_>>()).len())
    }

    fn settle(&mut self) -> Result<()> {
        self.runtime.block_on(async {
            // Each on its own: a vacuum is no part of a transaction.
            self.client.batch_execute("VACUUM ANALYZE").await?;
            Ok(self.client.batch_execute("CHECKPOINT").await?)
        })
    }
}

/// Takes the columns of a listed run out of their row.
fn read(row: &Row) -> (Uuid, String, Option<String>, Option<String>, i64, String, String) {
    (row.get(0), row.get(2), row.get(3), row.get(5), row.get(6), row.get(9), row.get(10))
}
