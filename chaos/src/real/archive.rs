//! PostgreSQL without the code under test: rows over a connection of its own, decoded here.

use anyhow::{Context, Result, bail, ensure};
use lucihub_models_core::{
    Digest, Gap, GapCause, Grid, HeadDocument, LogCell, LogLine, RunDigest, RunHead, RunId, SampleCell, Series,
};
use tokio_postgres::{Client, NoTls};

/// A connection.
pub(crate) struct Archive(Client);

/// An archived run, as its rows say.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) head: RunHead,
    pub(crate) state: String,
    /// What the row has.
    pub(crate) digest: Option<Digest>,
    pub(crate) lines: Vec<LogLine>,
    pub(crate) series: Vec<Series>,
    /// What is twice, or overlaps.
    pub(crate) twice: Vec<String>,
    /// What is missing between two cells.
    pub(crate) holes: Vec<String>,
}

impl Archive {
    /// Connects; the connection's own work runs as a task.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("a raw client of PostgreSQL")?;
        tokio::spawn(connection);
        Ok(Self(client))
    }

    /// Runs that are there and not archived.
    pub(crate) async fn open_runs(&self) -> Result<Vec<RunId>> {
        let rows = self.0.query("SELECT id FROM lucihub.runs WHERE archived_at IS NULL ORDER BY id", &[]).await?;
        Ok(rows.iter().map(|row| RunId::from_uuid(row.get(0))).collect())
    }

    /// Whether a run is there and not archived.
    pub(crate) async fn is_open(&self, run: RunId) -> Result<bool> {
        let sql = "SELECT 1 FROM lucihub.runs WHERE id = $1 AND archived_at IS NULL";
        Ok(self.0.query_opt(sql, &[run.as_uuid()]).await?.is_some())
    }

    /// How many rows of a run there are, in all tables.
    pub(crate) async fn rows(&self, run: RunId) -> Result<i64> {
        let sql = "SELECT (SELECT count(*) FROM lucihub.runs WHERE id = $1)
            + (SELECT count(*) FROM lucihub.run_logs WHERE run = $1)
            + (SELECT count(*) FROM lucihub.run_samples WHERE run = $1)
            + (SELECT count(*) FROM lucihub.run_tags WHERE run = $1)";
        Ok(self.0.query_one(sql, &[run.as_uuid()]).await?.get(0))
    }

    /// How many devices the registry has.
    pub(crate) async fn devices(&self) -> Result<i64> {
        Ok(self.0.query_one("SELECT count(*) FROM lucihub.devices", &[]).await?.get(0))
    }

    /// A run with all of its cells.
    pub(crate) async fn stored(&self, run: RunId) -> Result<Option<Stored>> {
        let sql = "SELECT head::text, state, digest FROM lucihub.runs WHERE id = $1";
        let rows = self.0.query(sql, &[run.as_uuid()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let digest: Option<Vec<u8>> = row.get(2);
        let digest = digest.map(|bytes| bytes.as_slice().try_into().map(Digest::from_bytes)).transpose()?;
        let mut stored = Stored {
            head: HeadDocument::read(row.get(0))?,
            state: row.get(1),
            digest,
            lines: Vec::new(),
            series: Vec::new(),
            twice: Vec::new(),
            holes: Vec::new(),
        };
        if rows.len() > 1 {
            stored.twice.push(format!("{} rows", rows.len()));
        }
        self.read_lines(run, &mut stored).await?;
        for channel in 0..stored.head.channels.len() {
            let channel = u32::try_from(channel)?;
            let series = self.read_samples(run, channel, &mut stored).await?;
            stored.series.push(series);
        }
        Ok(Some(stored))
    }

    async fn read_lines(&self, run: RunId, stored: &mut Stored) -> Result<()> {
        let sql =
            "SELECT cell, first_index, end_index, codec, payload FROM lucihub.run_logs WHERE run = $1 ORDER BY cell";
        for row in self.0.query(sql, &[run.as_uuid()]).await? {
            let (cell, first, end, codec): (i64, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
            let bytes: &[u8] = row.get(4);
            let json = match codec {
                0 => bytes.to_vec(),
                1 => zstd::stream::decode_all(bytes)?,
                other => bail!("codec {other} of lines"),
            };
            let lines: Vec<LogLine> = serde_json::from_slice(&json)?;
            ensure!(end - first == i64::try_from(lines.len())?, "log cell {cell} says {first}..{end}");
            note_seam(stored, &format!("log cell {cell}"), stored.lines.len() as u64, u64::try_from(first)?);
            stored.lines.extend(lines);
        }
        Ok(())
    }

    async fn read_samples(&self, run: RunId, channel: u32, stored: &mut Stored) -> Result<Series> {
        let sql = "SELECT cell, first_index, end_index, value_count, codec, gaps, payload FROM lucihub.run_samples
            WHERE run = $1 AND channel = $2 ORDER BY cell";
        let mut all = Series::starting_at(0);
        for row in self.0.query(sql, &[run.as_uuid(), &i64::from(channel)]).await? {
            let (cell, first, end): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
            let (first, end) = (u64::try_from(first)?, u64::try_from(end)?);
            let bytes: &[u8] = row.get(6);
            let values: Vec<f64> = match row.get::<_, i64>(4) {
                0 => bytes.as_chunks::<8>().0.iter().map(|word| f64::from_le_bytes(*word)).collect(),
                1 => pco::standalone::simple_decompress(bytes)?,
                other => bail!("codec {other} of samples"),
            };
            let what = format!("channel {channel} cell {cell}");
            ensure!(row.get::<_, i64>(3) == i64::try_from(values.len())?, "{what} has {} values", values.len());
            note_seam(stored, &what, all.end, first);
            push(&mut all, first, end, &values, row.get(5)).with_context(|| what)?;
        }
        Ok(all)
    }
}

fn note_seam(stored: &mut Stored, what: &str, end: u64, first: u64) {
    if first < end {
        stored.twice.push(format!("{what} begins at {first}, the one before ends at {end}"));
    } else if first > end {
        stored.holes.push(format!("{what} begins at {first}, the one before ends at {end}"));
    }
}

/// Appends a cell: gaps are a distance, a length and a cause each, values what lies between.
fn push(all: &mut Series, first: u64, end: u64, mut values: &[f64], mut gaps: &[u8]) -> Result<()> {
    let mut at = first;
    let mut take = |all: &mut Series, count: u64| -> Result<()> {
        let (now, later) = values.split_at_checked(usize::try_from(count)?).context("too few values")?;
        all.push_values(now);
        values = later;
        Ok(())
    };
    while !gaps.is_empty() {
        let (distance, length) = (varint(&mut gaps)?, varint(&mut gaps)?);
        let (tag, rest) = gaps.split_first().context("a gap without a cause")?;
        gaps = rest;
        let cause = match tag & 0x7f {
            0 => GapCause::Device,
            1 => GapCause::Overflow,
            2 => GapCause::Store,
            other => bail!("cause {other} of a gap, which nobody here gives"),
        };
        take(all, distance)?;
        let mut gap = Gap::new(at + distance..at + distance + length, cause);
        gap.inferred = tag & 0x80 != 0;
        at = gap.end;
        all.push_gap(gap);
    }
    take(all, end.checked_sub(at).context("a gap past the end")?)?;
    ensure!(values.is_empty() && all.end == end, "it ends at {}, its row says {end}", all.end);
    Ok(())
}

fn varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().context("a number that ends too early")?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    bail!("a number of more than 64 bits")
}

impl Stored {
    /// The digest of what the rows hold.
    pub(crate) fn content_digest(&self) -> Digest {
        let Grid { lines, .. } = self.head.grid;
        let mut digest = RunDigest::begin(&self.head);
        digest.lines(self.lines.len() as u64);
        for (cell, part) in (0..).zip(self.lines.chunks(lines as usize)) {
            digest.cell(&LogCell { cell, first: cell * u64::from(lines), lines: part.to_vec() }.hash());
        }
        for (channel, series) in (0..).zip(&self.series) {
            digest.channel(channel, series.end);
            for cell in self.head.grid.sample_cells(&(0..series.end)) {
                let series = series.slice(self.head.grid.sample_cell(cell));
                digest.cell(&SampleCell { channel, cell, series }.hash());
            }
        }
        digest.finish()
    }
}
