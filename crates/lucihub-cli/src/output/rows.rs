//! Lists, in the form that was asked for.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
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

    /// All that is known of it by name, for programs. Every thing of a list has the same names.
    fn fields(&self) -> Vec<(&'static str, Value)>;

    /// What other commands call it.
    fn name(&self) -> String;
}

/// Prints a list.
pub(crate) fn list<R: Row>(rows: &[R], format: Format) -> Result<(), Failure> {
    match format {
        Format::Table => table(R::COLUMNS, rows.iter().map(Row::cells).collect()),
        Format::Json => json(&rows.iter().map(|row| Object(row.fields())).collect::<Vec<_>>()),
        Format::Jsonl => rows.iter().try_for_each(|row| json(&Object(row.fields()))),
        Format::Ids => rows.iter().try_for_each(|row| line(row.name())),
        Format::Csv => csv(rows),
    }
}

/// Values that stand for themselves, JSON for the others, nothing for what is not there.
fn csv<R: Row>(rows: &[R]) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(anstream::stdout().lock());
    for (number, row) in rows.iter().enumerate() {
        let fields = row.fields();
        if number == 0 {
            writer.write_record(fields.iter().map(|(name, _)| name)).map_err(broken)?;
        }
        writer.write_record(fields.into_iter().map(|(_, value)| plain(value))).map_err(broken)?;
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

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
