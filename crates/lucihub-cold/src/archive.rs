//! How a run moves in: mirror, checkpoints, commit.

use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use futures_util::future::try_join3;
use lucihub_models_core::cold::{Begun, Checkpoint, ColdArchive, Commit, Committed, GrownCell, StoredBytes};
use lucihub_models_core::{Digest, LogCell, Positions, Result, RunHead, RunId, SampleCell, StoreError};
use tokio::task::JoinSet;

use crate::cold::{Cold, Engine, blocking, given_up, on_own_thread};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::growing::Growing;
use crate::head::{self, HeadColumns};
use crate::logs::LogRow;
use crate::lost::{self, LostLines};
use crate::read_back;
use crate::runs::{digest, hold, not_found, positions};
use crate::samples::SampleRow;
use crate::schema::{attachments, run_logs, run_samples, runs};
use crate::types::{Id, Json, Time};

#[async_trait]
impl<E: Engine> ColdArchive for Cold<E> {
    async fn mirror(&self, head: &RunHead) -> Result<bool> {
        let (run, states) = (head.id, head::state_count(head));
        let columns = self.head_columns(head)?;
        self.write(move |conn| {
            if mirror(conn, run, states, columns)? {
                return Ok(true);
            }
            let present: Option<i64> =
                on_conn!(conn, c => runs::table.find(Id(run)).select(runs::state_count).get_result(c).optional())?;
            present.map(|present| present >= states).ok_or_else(|| not_found(run))
        })
        .await
    }

    async fn begin_cell(&self, before: Option<&Begun>, part: SampleCell) -> Result<Option<Begun>> {
        let (before, channels) = (before.cloned(), self.limits().channels);
        blocking(move || Growing::begin(before.as_ref(), &part, channels)).await
    }

    async fn checkpoint(&self, run: RunId, cells: &Checkpoint) -> Result<bool> {
        let mut rows = Rows::of(run, cells, self.limits().channels).await?;
        if let Some(head) = cells.head.as_deref() {
            rows.head = Some((head::state_count(head), self.head_columns(head)?));
        }
        self.write(move |conn| rows.write(conn, run)).await
    }

    async fn gives_back(&self, run: RunId, cells: &[GrownCell]) -> Result<Vec<bool>> {
        read_back::compare(self, run, cells).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed> {
        let run = commit.head.id;
        let (new, at) = (commit.digest, Time(commit.at));
        let columns = self.head_columns(&commit.head)?;
        let positions = head::json("positions", &commit.positions)?;
        self.write(move |conn| {
            hold(conn, run)?;
            let before: Option<Option<Vec<u8>>> =
                on_conn!(conn, c => runs::table.find(Id(run)).select(runs::digest).get_result(c).optional())?;
            if let Some(before) = before.ok_or_else(|| not_found(run))? {
                let before = digest(run, &before)?;
                if before == new {
                    return Ok(Committed::Existing);
                }
                let why = format!("it was archived with digest {before}, not {new}");
                return Err(StoreError::precondition(format!("run {run}"), why).into());
            }
            let archived = (
                columns,
                runs::positions.eq(positions),
                runs::digest.eq(new.as_bytes().as_slice()),
                runs::archived_at.eq(at),
            );
            on_conn!(conn, c => diesel::update(runs::table.find(Id(run))).set(archived).execute(c))?;
            Ok(Committed::Committed)
        })
        .await
    }

    async fn release(&self, run: RunId) -> Result<bool> {
        let now = Time(self.now());
        self.write(move |conn| {
            let archived = runs::table.find(Id(run)).filter(runs::archived_at.is_not_null());
            on_conn!(conn, c => {
                diesel::update(archived).filter(runs::released_at.is_null()).set(runs::released_at.eq(now)).execute(c)
            })?;
            Ok(on_conn!(conn, c => diesel::select(diesel::dsl::exists(archived)).get_result(c))?)
        })
        .await
    }

    async fn repair(&self, run: RunId, cells: &Checkpoint, digest: Digest) -> Result<bool> {
        let rows = Rows::of(run, cells, self.limits().channels).await?;
        self.write(move |conn| rows.replace(conn, run, digest)).await
    }

    async fn stored_bytes(&self, run: RunId) -> Result<Option<StoredBytes>> {
        self.read(move |conn| stored_bytes(conn, run)).await
    }
}

/// Writes a head over one with no more states. `false` if the run has more, is archived, or is not there.
fn mirror(conn: &mut Conn<'_>, run: RunId, states: i64, columns: HeadColumns) -> Result<bool, Error> {
    let changed = on_conn!(conn, c => {
        diesel::update(runs::table.find(Id(run)))
            .filter(runs::archived_at.is_null().and(runs::state_count.le(states)))
            .set(columns)
            .execute(c)
    })?;
    Ok(changed > 0)
}

/// The cells of a checkpoint, encoded.
struct Rows {
    lines: Vec<LogRow>,
    samples: Vec<SampleRow>,
    lost: Vec<LostLines>,
    reached: Positions,
    /// The number of states, and the columns.
    head: Option<(i64, HeadColumns)>,
}

/// Where the cells of a checkpoint end.
fn reached(cells: &Checkpoint) -> Positions {
    let lines = cells.lines.iter().map(LogCell::end).max().unwrap_or(0);
    let mut reached = Positions { lines, ..Positions::default() };
    for cell in &cells.samples {
        reached.set_sample(cell.channel, reached.sample(cell.channel).max(cell.series.end));
    }
    for GrownCell { begun, rest } in &cells.grown {
        reached.set_sample(begun.channel(), reached.sample(begun.channel()).max(rest.end));
    }
    reached
}

/// Encodes cells on a few threads: it takes most of the time of an archive.
///
/// A thread has a copy of its cell, so there are as many copies as threads at
/// once, and never a second one of all cells.
async fn encode<C, R>(cells: &[C], encode: impl Fn(&C) -> Result<R, Error> + Copy + Send + 'static) -> Result<Vec<R>>
where
    C: Clone + Send + 'static,
    R: Send + 'static,
{
    const MOST_THREADS: usize = 4;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let (mut rows, mut working) = (Vec::with_capacity(cells.len()), JoinSet::new());
    for (place, cell) in cells.iter().enumerate() {
        if working.len() >= threads
            && let Some(row) = working.join_next().await
        {
            rows.push(row.map_err(given_up)?);
        }
        let cell = cell.clone();
        working.spawn(async move { (place, on_own_thread(move || encode(&cell)).await) });
    }
    while let Some(row) = working.join_next().await {
        rows.push(row.map_err(given_up)?);
    }
    // In the order of the cells, whichever was done first: so files do not depend on threads.
    rows.sort_unstable_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}

impl Rows {
    /// Encodes cells before the transaction: it takes longer than writing, and nobody else can write meanwhile.
    async fn of(run: RunId, cells: &Checkpoint, most_channels: usize) -> Result<Self> {
        let grown = async {
            if cells.grown.is_empty() {
                return Ok(Vec::new());
            }
            let grown = cells.grown.clone();
            // On one thread: little is left of them, in most cases nothing.
            blocking(move || grown.iter().map(|cell| Growing::row(run, cell, most_channels)).collect()).await
        };
        let (lines, mut samples, grown) = try_join3(
            encode(&cells.lines, move |cell| LogRow::of(run, cell)),
            encode(&cells.samples, move |cell| SampleRow::of(run, cell, most_channels)),
            grown,
        )
        .await?;
        samples.extend(grown);
        let lost = cells.lines.iter().filter_map(|cell| LostLines::of(cell).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { lines, samples, lost, reached: reached(cells), head: None })
    }

    /// Puts these in the place of what stands under their keys.
    fn replace(&self, conn: &mut Conn<'_>, run: RunId, expected: Digest) -> Result<bool, Error> {
        hold(conn, run)?;
        let row: Option<Option<Vec<u8>>> =
            on_conn!(conn, c => runs::table.find(Id(run)).select(runs::digest).get_result(c).optional())?;
        let Some(archived) = row.ok_or_else(|| not_found(run))? else { return Ok(false) };
        if digest(run, &archived)? != expected {
            return Ok(false);
        }
        for row in &self.lines {
            row.remove(conn)?;
            row.write(conn)?;
        }
        for row in &self.samples {
            row.remove(conn)?;
            row.write(conn)?;
        }
        Ok(true)
    }

    fn write(self, conn: &mut Conn<'_>, run: RunId) -> Result<bool, Error> {
        hold(conn, run)?;
        let row: Option<(Option<Time>, Json)> = on_conn!(conn, c => {
            runs::table.find(Id(run)).select((runs::archived_at, runs::positions)).get_result(c).optional()
        })?;
        let (archived_at, before) = row.ok_or_else(|| not_found(run))?;
        if archived_at.is_some() {
            return Ok(false);
        }
        self.lost.iter().try_for_each(|lines| lines.check(conn, run))?;
        self.samples.iter().try_for_each(|row| lost::check_samples(row, conn, run))?;
        self.lines.iter().try_for_each(|row| row.write(conn))?;
        self.samples.iter().try_for_each(|row| row.write(conn))?;
        let before = positions(run, &before)?;
        if !before.covers(&self.reached) {
            let after = head::json("positions", &before.max(&self.reached))?;
            on_conn!(conn, c => diesel::update(runs::table.find(Id(run))).set(runs::positions.eq(after)).execute(c))?;
        }
        if let Some((states, columns)) = self.head {
            mirror(conn, run, states, columns)?;
        }
        Ok(true)
    }
}

fn stored_bytes(conn: &mut Conn<'_>, run: RunId) -> Result<Option<StoredBytes>, Error> {
    let head: Option<i64> = on_conn!(conn, c => {
        let bytes = sql::<BigInt>(
            "CAST(octet_length(CAST(head AS text)) + coalesce(octet_length(CAST(input AS text)), 0) \
             + coalesce(octet_length(CAST(output AS text)), 0) + octet_length(CAST(labels AS text)) \
             + coalesce(octet_length(error), 0) AS bigint)",
        );
        runs::table.find(Id(run)).select(bytes).get_result(c).optional()
    })?;
    let Some(head) = head else { return Ok(None) };
    let lines: (i64, i64) = on_conn!(conn, c => {
        let bytes = sql::<(BigInt, BigInt)>("coalesce(sum(octet_length(payload)), 0), 4 * count(*)");
        run_logs::table.filter(run_logs::run.eq(Id(run))).select(bytes).get_result(c)
    })?;
    let samples: (i64, i64) = on_conn!(conn, c => {
        let bytes = sql::<(BigInt, BigInt)>(
            "coalesce(sum(octet_length(payload)), 0), \
             coalesce(sum(octet_length(summary) + octet_length(gaps) + 8), 0)",
        );
        run_samples::table.filter(run_samples::run.eq(Id(run))).select(bytes).get_result(c)
    })?;
    let attached: i64 = on_conn!(conn, c => {
        let bytes = sql::<BigInt>("CAST(coalesce(sum(size), 0) AS bigint)");
        let seen = attachments::run.eq(Id(run)).and(attachments::sweep_at.is_null());
        attachments::table.filter(seen).select(bytes).get_result(c)
    })?;
    let bytes = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok(Some(StoredBytes {
        head: bytes(head),
        lines: bytes(lines.0),
        samples: bytes(samples.0),
        summaries: bytes(lines.1 + samples.1),
        attachments: bytes(attached),
    }))
}
