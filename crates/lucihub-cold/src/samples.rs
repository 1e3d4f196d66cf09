//! Sample cells and their summaries.

use std::ops::Range;

use async_trait::async_trait;
use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::upsert::excluded;
use lucihub_models_core::cold::ColdSamples;
use lucihub_models_core::{CellSummary, Gap, Invalid, Result, RunId, SUMMARY_WIDTH, SampleCell, Series, StoreError};

use crate::codec::checksum::Checksum;
use crate::codec::{Damage, Decoded, gaps, samples, summary};
use crate::cold::{Cold, Engine};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::growing::Growing;
use crate::logs::{cell_numbers, column, number};
use crate::schema::run_samples;
use crate::types::Id;

/// The small columns of a row of `run_samples`.
#[derive(Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = run_samples)]
pub(crate) struct SummaryRow {
    run: Id,
    channel: i64,
    cell: i64,
    first_index: i64,
    end_index: i64,
    value_count: i64,
    summary_check: i64,
    gaps: Vec<u8>,
    summary: Vec<u8>,
}

/// A row of `run_samples`.
#[derive(Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = run_samples)]
pub(crate) struct SampleRow {
    #[diesel(embed)]
    small: SummaryRow,
    codec: i64,
    payload_check: i64,
    payload: Vec<u8>,
}

#[async_trait]
impl<E: Engine> ColdSamples for Cold<E> {
    async fn sample_cells(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<SampleCell>> {
        let decode =
            move |rows: Vec<SampleRow>| rows.into_iter().map(|row| row.into_cell(channel)).collect::<Result<_, _>>();
        self.look_then(move |conn| load(conn, run, channel, &cells), decode).await
    }

    async fn series(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Option<Series>> {
        let first = cells.start;
        self.look_then(move |conn| load(conn, run, channel, &cells), move |rows| join(&rows, first)).await
    }

    async fn summaries(&self, run: RunId, channel: u32, cells: Range<u64>) -> Result<Vec<CellSummary>> {
        let cells = cell_numbers(&cells);
        self.look(move |conn| {
            on_conn!(conn, c => {
                let rows = run_samples::table
                    .filter(run_samples::run.eq(Id(run)).and(run_samples::channel.eq(i64::from(channel))))
                    .filter(run_samples::cell.ge(cells.start).and(run_samples::cell.lt(cells.end)))
                    .order(run_samples::cell.asc())
                    .select(SummaryRow::as_select())
                    .load_iter::<SummaryRow, DefaultLoadingMode>(c)?;
                // Row by row, while its bytes are still in the cache.
                rows.map(|row| row?.into_summary(channel)).collect()
            })
        })
        .await
    }
}

fn load(conn: &mut Conn<'_>, run: RunId, channel: u32, cells: &Range<u64>) -> Result<Vec<SampleRow>, Error> {
    let cells = cell_numbers(cells);
    Ok(on_conn!(conn, c => {
        run_samples::table
            .filter(run_samples::run.eq(Id(run)).and(run_samples::channel.eq(i64::from(channel))))
            .filter(run_samples::cell.ge(cells.start).and(run_samples::cell.lt(cells.end)))
            .order(run_samples::cell.asc())
            .select(SampleRow::as_select())
            .load(c)
    })?)
}

/// Decodes cells of a channel into one series, from this cell on, as far as they follow each other.
fn join(rows: &[SampleRow], first: u64) -> Result<Option<Series>, Error> {
    if rows.first().is_none_or(|row| u64::try_from(row.small.cell) != Ok(first)) {
        return Ok(None);
    }
    let counts: Vec<usize> = rows.iter().map(SampleRow::count).collect::<Result<_, _>>()?;
    // In one piece that nobody has touched yet: what the system gives is zero already.
    let mut series = Series { values: vec![0.0; counts.iter().sum()], ..Series::default() };
    let mut filled = 0;
    for (place, (row, count)) in rows.iter().zip(counts).enumerate() {
        let (range, gaps) = row.decode_into(&mut series.values[filled..filled + count])?;
        if place == 0 {
            (series.first, series.end) = (range.start, range.start);
        }
        if range.start != series.end {
            break;
        }
        gaps.into_iter().for_each(|gap| Gap::push(&mut series.gaps, gap));
        (series.end, filled) = (range.end, filled + count);
    }
    series.values.truncate(filled);
    Ok(Some(series))
}

impl SampleRow {
    /// Encodes a cell of a run that may have so many channels.
    pub(crate) fn of(run: RunId, cell: &SampleCell, channels: usize) -> Result<Self, Error> {
        check_cell(cell, channels)?;
        Growing::starting_at(cell.series.first).into_row(run, cell)
    }

    /// The row of a cell that was encoded: its samples, how many they are, and what stands beside them.
    pub(crate) fn encoded(
        run: RunId,
        (channel, cell): (u32, u64),
        of: &Growing,
        values: u64,
        (codec, payload): (i64, Vec<u8>),
    ) -> Result<Self, Error> {
        let mut small = SummaryRow {
            run: Id(run),
            channel: channel.into(),
            cell: column("cell", cell)?,
            first_index: column("index", of.first)?,
            end_index: column("index", of.end)?,
            value_count: column("samples", values)?,
            summary_check: 0,
            gaps: gaps::encode(of.first, &of.gaps),
            summary: of.summary.clone(),
        };
        small.summary_check = small.check();
        // As the samples were: whoever reads these bytes back need not decode them to know what they say.
        let gaps = gaps::decode(&small.gaps, of.first, of.end).map_err(|damage| small.corrupt(&damage))?;
        if gaps != of.gaps {
            return Err(small.corrupt(&Damage::new("its gaps cannot be written")));
        }
        let mut row = Self { small, codec, payload_check: 0, payload };
        row.payload_check = row.check();
        Ok(row)
    }

    /// Writes the cell unless a longer one is there. A damaged one gives way.
    pub(crate) fn write(&self, conn: &mut Conn<'_>) -> Result<(), Error> {
        let written = on_conn!(conn, c => {
            let upsert = diesel::insert_into(run_samples::table)
                .values(self)
                .on_conflict((run_samples::run, run_samples::channel, run_samples::cell))
                .do_update()
                .set((
                    run_samples::first_index.eq(excluded(run_samples::first_index)),
                    run_samples::end_index.eq(excluded(run_samples::end_index)),
                    run_samples::value_count.eq(excluded(run_samples::value_count)),
                    run_samples::codec.eq(excluded(run_samples::codec)),
                    run_samples::summary_check.eq(excluded(run_samples::summary_check)),
                    run_samples::payload_check.eq(excluded(run_samples::payload_check)),
                    run_samples::gaps.eq(excluded(run_samples::gaps)),
                    run_samples::summary.eq(excluded(run_samples::summary)),
                    run_samples::payload.eq(excluded(run_samples::payload)),
                ));
            diesel::query_dsl::methods::FilterDsl::filter(upsert, excluded(run_samples::end_index).gt(run_samples::end_index)).execute(c)
        })?;
        if written == 0 {
            let SummaryRow { run, channel, cell, .. } = self.small;
            let there: Option<Self> = on_conn!(conn, c => {
                run_samples::table.find((run, channel, cell)).select(Self::as_select()).first(c).optional()
            })?;
            if there.is_some_and(|there| there.gives_way_to(self)) {
                self.remove(conn)?;
                on_conn!(conn, c => diesel::insert_into(run_samples::table).values(self).execute(c))?;
            }
        }
        Ok(())
    }

    /// Whether it is damaged, and has nothing that another row under its key has not. While one of its checksums is right,
    /// so is its end.
    fn gives_way_to(&self, other: &Self) -> bool {
        match (self.small.is_sound(), self.is_payload_sound()) {
            (true, true) => false,
            (false, false) => true,
            _ => self.small.end_index <= other.small.end_index,
        }
    }

    fn is_payload_sound(&self) -> bool {
        self.check() == self.payload_check
    }

    /// Whether its range and its gaps are as they were written: both checksums cover them.
    pub(crate) fn knows_its_place(&self) -> bool {
        self.small.is_sound() || self.is_payload_sound()
    }

    /// Takes away what stands under the cell's key.
    pub(crate) fn remove(&self, conn: &mut Conn<'_>) -> Result<(), Error> {
        let SummaryRow { run, channel, cell, .. } = self.small;
        on_conn!(conn, c => diesel::delete(run_samples::table.find((run, channel, cell))).execute(c))?;
        Ok(())
    }

    fn check(&self) -> i64 {
        self.small.checksum("run_samples", &[self.codec]).bytes(&self.payload).finish()
    }

    /// Its channel.
    pub(crate) const fn channel(&self) -> i64 {
        self.small.channel
    }

    /// Its channel and its cell.
    pub(crate) const fn key(&self) -> (i64, i64) {
        (self.small.channel, self.small.cell)
    }

    /// Its small columns.
    pub(crate) const fn summary(&self) -> &SummaryRow {
        &self.small
    }

    /// How many samples it has.
    fn count(&self) -> Result<usize, Error> {
        number(self.small.value_count).and_then(samples::count).map_err(|damage| self.small.corrupt(&damage))
    }

    /// Decodes its samples to where there is room for just as many. Returns its range and its gaps.
    fn decode_into(&self, values: &mut [f64]) -> Result<(Range<u64>, Vec<Gap>), Error> {
        let mut decode = || {
            if !self.is_payload_sound() {
                return Err(Damage::new("the checksum of its samples does not match"));
            }
            let (range, gaps) = self.small.place()?;
            let missing: u64 = gaps.iter().map(Gap::len).sum();
            if range.end.checked_sub(range.start) != Some(missing.saturating_add(values.len() as u64)) {
                return Err(Damage::new("samples and gaps do not fill its range"));
            }
            samples::decode_into(self.codec, &self.payload, values)?;
            Ok((range, gaps))
        };
        decode().map_err(|damage| self.small.corrupt(&damage))
    }

    /// The cell, decoded.
    fn into_cell(self, channel: u32) -> Result<SampleCell, Error> {
        let mut values = vec![0.0; self.count()?];
        let (range, gaps) = self.decode_into(&mut values)?;
        let cell = number(self.small.cell).map_err(|damage| self.small.corrupt(&damage))?;
        Ok(SampleCell { channel, cell, series: Series { first: range.start, end: range.end, gaps, values } })
    }
}

impl SummaryRow {
    fn checksum(&self, kind: &str, more: &[i64]) -> Checksum {
        let numbers = [self.channel, self.cell, self.first_index, self.end_index, self.value_count];
        Checksum::of(kind, self.run.0, &numbers).numbers(more).bytes(&self.gaps)
    }

    fn check(&self) -> i64 {
        self.checksum("run_samples summary", &[]).bytes(&self.summary).finish()
    }

    /// Whether it is as it was written.
    pub(crate) fn is_sound(&self) -> bool {
        self.check() == self.summary_check
    }

    /// Its range, and its gaps.
    pub(crate) fn place(&self) -> Decoded<(Range<u64>, Vec<Gap>)> {
        let range = number(self.first_index)?..number(self.end_index)?;
        let gaps = gaps::decode(&self.gaps, range.start, range.end)?;
        Ok((range, gaps))
    }

    /// Whether it would give way to another.
    pub(crate) const fn is_shorter_than(&self, other: &Self) -> bool {
        self.end_index < other.end_index
    }

    fn into_summary(self, channel: u32) -> Result<CellSummary, Error> {
        let decode = || {
            if !self.is_sound() {
                return Err(Damage::new("the checksum of its summary does not match"));
            }
            let (Range { start: first, end }, gaps) = self.place()?;
            let buckets = summary::decode(&self.summary, first, end, number(self.value_count)?)?;
            Ok(CellSummary { channel, cell: number(self.cell)?, first, end, gaps, buckets })
        };
        decode().map_err(|damage| self.corrupt(&damage))
    }

    pub(crate) fn corrupt(&self, damage: &Damage) -> Error {
        let Self { run: Id(run), channel, cell, .. } = self;
        StoreError::corrupt(format!("table run_samples, run {run}, channel {channel}, cell {cell}"), damage).into()
    }
}

/// What is wrong with a cell.
pub(crate) fn invalid_cell(cell: &SampleCell, problem: String) -> Invalid {
    Invalid::new(format!("cell {} of channel {}", cell.cell, cell.channel), problem)
}

/// Refuses cells that could not be read again.
pub(crate) fn check_cell(cell: &SampleCell, channels: usize) -> Result<(), Invalid> {
    let SampleCell { channel, series, .. } = cell;
    let invalid = |problem: String| invalid_cell(cell, problem);
    if *channel as usize >= channels {
        return Err(invalid("no run has that channel".into()).hint(format!("the limit is {channels} channels")));
    }
    if !series.first.is_multiple_of(SUMMARY_WIDTH) {
        return Err(invalid(format!("it begins at index {}", series.first)).hint("begin where the grid does"));
    }
    if series.end.saturating_sub(series.first) > samples::MAX_SAMPLES {
        return Err(invalid(format!("indices {} to {}", series.first, series.end))
            .hint(format!("the limit is {} indices", samples::MAX_SAMPLES)));
    }
    if !series.is_consistent() {
        return Err(invalid("samples and gaps do not fill its range".into()));
    }
    Ok(())
}
