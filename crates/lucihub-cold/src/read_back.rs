//! Reading cells back byte for byte: whether the database has what was given to it.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use lucihub_models_core::cold::GrownCell;
use lucihub_models_core::{Result, RunId};

use crate::cold::{Cold, Engine};
use crate::conn::on_conn;
use crate::error::Error;
use crate::growing::Growing;
use crate::logs::column;
use crate::samples::SampleRow;
use crate::schema::run_samples;
use crate::types::Id;

/// Of each cell whether its row is the one that a checkpoint of it writes.
pub(crate) async fn compare<E: Engine>(cold: &Cold<E>, run: RunId, cells: &[GrownCell]) -> Result<Vec<bool>> {
    let mut given_back = vec![false; cells.len()];
    // Channels come side by side, so most cells have the same number.
    let mut by_number: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (place, cell) in cells.iter().enumerate() {
        by_number.entry(cell.begun.cell()).or_default().push(place);
    }
    for (number, places) in by_number {
        let (number, most) = (column("cell", number)?, cold.limits().channels);
        let wanted: Vec<GrownCell> = places.iter().map(|place| cells[*place].clone()).collect();
        let channels: Vec<i64> = wanted.iter().map(|cell| cell.begun.channel().into()).collect();
        let found = cold.look_then(
            move |conn| {
                let rows: Vec<SampleRow> = on_conn!(conn, c => {
                    run_samples::table
                        .filter(run_samples::run.eq(Id(run)).and(run_samples::cell.eq(number)))
                        .filter(run_samples::channel.eq_any(channels))
                        .select(SampleRow::as_select())
                        .load(c)
                })?;
                Ok(rows)
            },
            move |rows| {
                let by_channel: HashMap<i64, SampleRow> = rows.into_iter().map(|row| (row.channel(), row)).collect();
                let expected = wanted.iter().map(|cell| Growing::row(run, cell, most));
                let is_there = |row: SampleRow| by_channel.get(&row.channel()) == Some(&row);
                expected.map(|row| row.map(is_there)).collect::<Result<Vec<bool>, Error>>()
            },
        );
        for (place, is_there) in places.into_iter().zip(found.await?) {
            given_back[place] = is_there;
        }
    }
    Ok(given_back)
}
