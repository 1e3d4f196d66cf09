//! Log cells.

use std::ops::Range;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::upsert::excluded;
use lucihub_models_core::cold::ColdLogs;
use lucihub_models_core::{Invalid, LogCell, Result, RunId, StoreError};

use crate::codec::checksum::Checksum;
use crate::codec::{Damage, Decoded, lines};
use crate::cold::{Cold, Engine};
use crate::conn::{Conn, on_conn};
use crate::error::Error;
use crate::schema::run_logs;
use crate::types::Id;

/// A row of `run_logs`.
#[derive(Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = run_logs)]
pub(crate) struct LogRow {
    run: Id,
    cell: i64,
    first_index: i64,
    end_index: i64,
    codec: i64,
    payload_check: i64,
    payload: Vec<u8>,
}

#[async_trait]
impl<E: Engine> ColdLogs for Cold<E> {
    async fn log_cells(&self, run: RunId, cells: Range<u64>) -> Result<Vec<LogCell>> {
        let cells = cell_numbers(&cells);
        let read = move |conn: &mut Conn<'_>| {
            Ok(on_conn!(conn, c => {
                run_logs::table
                    .filter(run_logs::run.eq(Id(run)))
                    .filter(run_logs::cell.ge(cells.start).and(run_logs::cell.lt(cells.end)))
                    .order(run_logs::cell.asc())
                    .select(LogRow::as_select())
                    .load(c)
            })?)
        };
        self.look_then(read, |rows: Vec<LogRow>| rows.into_iter().map(LogRow::into_cell).collect()).await
    }
}

/// A range of cells as their column holds them.
pub(crate) fn cell_numbers(cells: &Range<u64>) -> Range<i64> {
    let number = |cell: u64| i64::try_from(cell).unwrap_or(i64::MAX);
    number(cells.start)..number(cells.end)
}

/// A number as a column holds it.
pub(crate) fn column(what: &str, number: u64) -> Result<i64, Invalid> {
    i64::try_from(number).map_err(|_| Invalid::new(what, format!("{number} has more than 63 bits")))
}

/// A number from a column.
pub(crate) fn number(value: i64) -> Decoded<u64> {
    u64::try_from(value).map_err(Damage::new)
}

impl LogRow {
    /// Encodes a cell.
    pub(crate) fn of(run: RunId, cell: &LogCell) -> Result<Self, Error> {
        if cell.lines.len() as u64 > lines::MAX_LINES {
            return Err(Invalid::new("log cell", format!("{} lines", cell.lines.len()))
                .hint(format!("the limit is {}", lines::MAX_LINES))
                .into());
        }
        let first_index = column("line number", cell.first)?;
        let end_index = column("line number", cell.first.saturating_add(cell.lines.len() as u64))?;
        let (codec, payload) = lines::encode(&cell.lines)?;
        let cell = column("cell", cell.cell)?;
        let mut row = Self { run: Id(run), cell, first_index, end_index, codec, payload_check: 0, payload };
        row.payload_check = row.check();
        Ok(row)
    }

    /// Writes the cell unless a longer one is there. A damaged one gives way.
    pub(crate) fn write(&self, conn: &mut Conn<'_>) -> Result<(), Error> {
        let written = on_conn!(conn, c => {
            let upsert = diesel::insert_into(run_logs::table)
                .values(self)
                .on_conflict((run_logs::run, run_logs::cell))
                .do_update()
                .set((
                    run_logs::first_index.eq(excluded(run_logs::first_index)),
                    run_logs::end_index.eq(excluded(run_logs::end_index)),
                    run_logs::codec.eq(excluded(run_logs::codec)),
                    run_logs::payload_check.eq(excluded(run_logs::payload_check)),
                    run_logs::payload.eq(excluded(run_logs::payload)),
                ));
            diesel::query_dsl::methods::FilterDsl::filter(upsert, excluded(run_logs::end_index).gt(run_logs::end_index)).execute(c)
        })?;
        if written == 0 {
            let there: Option<Self> = on_conn!(conn, c => {
                run_logs::table.find((self.run, self.cell)).select(Self::as_select()).first(c).optional()
            })?;
            // Its end is not to be believed either.
            if there.is_some_and(|there| !there.is_sound()) {
                self.remove(conn)?;
                on_conn!(conn, c => diesel::insert_into(run_logs::table).values(self).execute(c))?;
            }
        }
        Ok(())
    }

    fn is_sound(&self) -> bool {
        self.check() == self.payload_check
    }

    /// Takes away what stands under the cell's key.
    pub(crate) fn remove(&self, conn: &mut Conn<'_>) -> Result<(), Error> {
        on_conn!(conn, c => diesel::delete(run_logs::table.find((self.run, self.cell))).execute(c))?;
        Ok(())
    }

    fn check(&self) -> i64 {
        let numbers = [self.cell, self.first_index, self.end_index, self.codec];
        Checksum::of("run_logs", self.run.0, &numbers).bytes(&self.payload).finish()
    }

    pub(crate) fn into_cell(self) -> Result<LogCell, Error> {
        let decode = || {
            if !self.is_sound() {
                return Err(Damage::new("the checksum does not match"));
            }
            let (first, end) = (number(self.first_index)?, number(self.end_index)?);
            let lines = lines::decode(self.codec, &self.payload, end.saturating_sub(first))?;
            Ok(LogCell { cell: number(self.cell)?, first, lines })
        };
        let place = format!("table run_logs, run {}, cell {}", self.run.0, self.cell);
        decode().map_err(|damage| StoreError::corrupt(place, damage).into())
    }
}
