//! Parquet: the record batches of Arrow in row groups.

use std::io;

use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::arrow;
use super::out::Out;
use super::rows::Rows;
use super::table::{Block, Table};
use crate::failure::Failure;

/// Bytes of a row group in memory, before it is written.
const ROW_GROUP: usize = 64 * 1024 * 1024;

/// A Parquet file.
pub(super) struct File {
    schema: SchemaRef,
    writer: ArrowWriter<Out>,
}

impl File {
    pub(super) fn begin(table: &Table, out: Out) -> Result<Self, Failure> {
        let schema = arrow::schema(table);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(failure)?;
        Ok(Self { schema, writer })
    }
}

impl Rows for File {
    fn block(&mut self, table: &Table, block: &Block) -> Result<(), Failure> {
        let write = |batch: &_| {
            self.writer.write(batch)?;
            if self.writer.memory_size() >= ROW_GROUP { self.writer.flush() } else { Ok(()) }
        };
        arrow::batches(table, &self.schema, block, write).map_err(failure)
    }

    fn finish(self: Box<Self>) -> Result<Out, Failure> {
        self.writer.into_inner().map_err(failure)
    }
}

fn failure(error: ParquetError) -> Failure {
    Failure::Output(match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    })
}
