//! Lists, in the form that was asked for.

use std::io::{IsTerminal, Write};

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{json, line, table};
use crate::args::Format;
use crate::failure::Failure;

/// One thing of a list.
pub(crate) trait Row {
    /// The heads of the columns for people.
    const COLUMNS: &'static [&'static str];

    /// What people see, a text per column.
    fn cells(&self) -> Vec<String>;

    /// The names of all that is known of it, for programs.
    const FIELDS: &'static [&'static str];

    /// All that is known of it, a value per field.
    fn values(&self) -> Vec<Value>;

    /// What other commands call it.
    fn name(&self) -> String;
}

/// Prints a list.
pub(crate) fn list<R: Row>(rows: &[R], format: Format) -> Result<(), Failure> {
    match format {
        Format::Table => table(R::COLUMNS, rows.iter().map(Row::cells).collect()),
        Format::Json => json(&rows.iter().map(|row| Object::of(row)).collect::<Vec<_>>()),
        Format::Jsonl => rows.iter().try_for_each(|row| json(&Object::of(row))),
        Format::Ids => rows.iter().try_for_each(|row| line(row.name())),
        Format::Csv => csv(rows),
    }
}

/// Values that stand for themselves, JSON for the others, nothing for what is not there. What goes into a file is written
/// as it is; a terminal is kept from obeying it.
fn csv<R: Row>(rows: &[R]) -> Result<(), Failure> {
    let stdout = std::io::stdout();
    let out: Box<dyn Write> =
        if stdout.is_terminal() { Box::new(anstream::stdout().lock()) } else { Box::new(stdout.lock()) };
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(R::FIELDS).map_err(broken)?;
    for row in rows {
        writer.write_record(row.values().into_iter().map(plain)).map_err(broken)?;
    }
    writer.flush()?;
    Ok(())
}

/// A value in one cell.
fn plain(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn broken(error: csv::Error) -> Failure {
    Failure::Output(error.into())
}

/// Named values in their order.
struct Object(Vec<(&'static str, Value)>);

impl Object {
    fn of<R: Row>(row: &R) -> Self {
        Self(R::FIELDS.iter().copied().zip(row.values()).collect())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
