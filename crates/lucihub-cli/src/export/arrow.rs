//! Arrow: record batches, and the IPC file made of them.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::columns::{INDEX, MISSING, TIME};
use super::out::Out;
use super::rows::Rows;
use super::table::{Block, Table, Walk};
use crate::failure::Failure;

/// Rows of one batch: small beside a cell, and enough to be read in one go.
const ROWS: u64 = 8_192;

/// The columns of a table: index, time, the channels, and for each whether its sample is missing.
pub(super) fn schema(table: &Table) -> SchemaRef {
    let mut fields = vec![Field::new(INDEX, DataType::Int64, false)];
    fields.extend(table.base().map(|_| Field::new(TIME, DataType::Float64, false)));
    fields.extend(table.names.iter().map(|name| Field::new(name, DataType::Float64, false)));
    let masks = table.names.iter().map(|name| Field::new(format!("{name}{MISSING}"), DataType::Boolean, false));
    fields.extend(masks);
    let mut about = HashMap::from([("lucihub.run".to_owned(), table.head.id.to_string())]);
    about.extend(table.base().map(|base| ("lucihub.rate_hz".to_owned(), base.rate_hz.to_string())));
    Arc::new(Schema::new_with_metadata(fields, about))
}

/// Gives the rows of a block in batches.
pub(super) fn batches<E>(
    table: &Table,
    schema: &SchemaRef,
    block: &Block,
    mut write: impl FnMut(&RecordBatch) -> Result<(), E>,
) -> Result<(), E>
where
    E: From<ArrowError>,
{
    let mut walks = block.walks();
    let mut at = block.range.start;
    while at < block.range.end {
        let part = at..block.range.end.min(at + ROWS);
        let index = part.clone().map(|index| i64::try_from(index).unwrap_or(i64::MAX));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(index))];
        if let Some(base) = table.base() {
            columns.push(Arc::new(Float64Array::from_iter_values(part.clone().map(|index| base.seconds(index)))));
        }
        let mut masks: Vec<ArrayRef> = Vec::with_capacity(walks.len());
        for walk in &mut walks {
            let (values, missing): (Vec<f64>, Vec<bool>) = part.clone().map(|_| sample(walk)).unzip();
            columns.push(Arc::new(Float64Array::from(values)));
            masks.push(Arc::new(BooleanArray::from(missing)));
        }
        columns.extend(masks);
        write(&RecordBatch::try_new(schema.clone(), columns)?)?;
        at = part.end;
    }
    Ok(())
}

fn sample(walk: &mut Walk<'_>) -> (f64, bool) {
    walk.step().map_or((f64::NAN, true), |value| (value, false))
}

/// An Arrow IPC file.
pub(super) struct File {
    schema: SchemaRef,
    writer: FileWriter<Out>,
}

impl File {
    pub(super) fn begin(table: &Table, out: Out) -> Result<Self, Failure> {
        let schema = schema(table);
        let writer = FileWriter::try_new(out, &schema).map_err(failure)?;
        Ok(Self { schema, writer })
    }
}

impl Rows for File {
    fn block(&mut self, table: &Table, block: &Block) -> Result<(), Failure> {
        batches(table, &self.schema, block, |batch| self.writer.write(batch)).map_err(failure)
    }

    fn finish(mut self: Box<Self>) -> Result<Out, Failure> {
        self.writer.finish().map_err(failure)?;
        self.writer.into_inner().map_err(failure)
    }
}

fn failure(error: ArrowError) -> Failure {
    Failure::Output(match error {
        ArrowError::IoError(_, error) => error,
        error => io::Error::other(error),
    })
}
