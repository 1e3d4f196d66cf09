//! Formats that have all channels side by side: a row per index.

use super::out::Out;
use super::table::{Block, Table};
use crate::failure::Failure;
use crate::progress::Progress;

/// A format that is written a block of rows at a time.
pub(crate) trait Rows {
    /// Writes the rows of a block.
    fn block(&mut self, table: &Table, block: &Block) -> Result<(), Failure>;

    /// Writes what comes after the last row.
    fn finish(self: Box<Self>) -> Result<Out, Failure>;
}

/// Reads a table block by block, and writes each before the next is read.
pub(crate) async fn write(table: &Table, mut rows: Box<dyn Rows>) -> Result<Out, Failure> {
    let mut bar = Progress::of(table.range.end - table.range.start);
    let mut at = table.range.start;
    while at < table.range.end {
        let block = table.block(at).await?;
        rows.block(table, &block)?;
        at = block.range.end;
        bar.at(at - table.range.start);
    }
    rows.finish()
}
