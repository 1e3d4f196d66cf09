//! CSV: a header, and a line per index.

use std::io::Write;

use super::columns::{INDEX, MISSING, TIME};
use super::out::Out;
use super::rows::Rows;
use super::table::{Block, Table};
use super::text::push_number;
use crate::failure::Failure;

/// Lines of comma-separated values: index, time, the channels, and for each whether its sample is missing.
#[derive(Debug)]
pub(super) struct Csv {
    out: Out,
    line: String,
}

impl Csv {
    pub(super) fn begin(table: &Table, mut out: Out) -> Result<Self, Failure> {
        let mut header = csv::Writer::from_writer(&mut out);
        let time = table.base().map(|_| TIME.to_owned());
        let masks = table.names.iter().map(|name| format!("{name}{MISSING}"));
        let columns = [INDEX.to_owned()].into_iter().chain(time).chain(table.names.iter().cloned()).chain(masks);
        header.write_record(columns).map_err(|error| Failure::Output(error.into()))?;
        header.flush()?;
        drop(header);
        Ok(Self { out, line: String::new() })
    }
}

impl Rows for Csv {
    fn block(&mut self, table: &Table, block: &Block) -> Result<(), Failure> {
        let (mut walks, base) = (block.walks(), table.base());
        let mut values = Vec::with_capacity(walks.len());
        for index in block.range.clone() {
            self.line.clear();
            self.line.push_str(&index.to_string());
            if let Some(base) = base {
                self.line.push(',');
                push_number(&mut self.line, base.seconds(index));
            }
            values.clear();
            values.extend(walks.iter_mut().map(super::table::Walk::step));
            for value in &values {
                self.line.push(',');
                push_number(&mut self.line, value.unwrap_or(f64::NAN));
            }
            for value in &values {
                self.line.push_str(if value.is_none() { ",true" } else { ",false" });
            }
            self.line.push('\n');
            self.out.write_all(self.line.as_bytes())?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Out, Failure> {
        Ok(self.out)
    }
}
