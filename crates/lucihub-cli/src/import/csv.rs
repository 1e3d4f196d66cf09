//! Rows of CSV.

use std::fs::File;
use std::io::BufReader;

use csv::{Position, Reader, ReaderBuilder, StringRecord};

use super::layout::Layout;
use super::rows::{Problem, Row, Rows};
use crate::export::columns::MISSING;
use crate::failure::Failure;

/// A header and rows of comma-separated values. Empty lines are passed over.
pub(super) struct Csv {
    reader: Reader<BufReader<File>>,
    record: StringRecord,
    layout: Layout,
    name: String,
}

impl Csv {
    pub(super) fn open(file: File, name: String) -> Result<Self, Failure> {
        let file = BufReader::new(file);
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
        let mut record = StringRecord::new();
        if !reader.read_record(&mut record).map_err(|error| unread(error, &name, 1))? {
            return Err(Problem::new("it is empty", "give a header and rows").at(&name, 1));
        }
        let names: Vec<String> = record.iter().map(str::to_owned).collect();
        let layout = Layout::of(&names, MISSING).map_err(|problem| problem.at(&name, 1))?;
        Ok(Self { reader, record, layout, name })
    }

    fn read(&self, row: &mut Row) -> Result<(), Problem> {
        let (record, layout) = (&self.record, &self.layout);
        if record.len() != layout.width() {
            let (has, wanted) = (record.len(), layout.width());
            return Err(Problem::new(
                format!("{has} columns where the header has {wanted}"),
                "give every row all of them",
            ));
        }
        let cell = |column: usize| record.get(column).unwrap_or_default().trim();
        if layout.has_index {
            let index = cell(0);
            let problem =
                || Problem::new(format!("{index:?} is no sample index"), "write 0, 1, 2 ..").in_column("index");
            row.index = Some(index.parse().map_err(|_| problem())?);
        }
        if let Some(time) = &layout.time {
            let text = cell(usize::from(layout.has_index));
            row.time =
                Some(number(text).ok_or_else(|| no_number(text, "write seconds, as in 0.0001").in_column(time))?);
        }
        let before = layout.before_channels();
        for (number_of, name) in layout.channels.iter().enumerate() {
            let text = cell(before + number_of);
            let is_missing = if layout.has_marks {
                mark(cell(before + layout.channels.len() + number_of)).ok_or_else(|| {
                    Problem::new("the mark is neither true nor false", MARKS).in_column(&format!("{name}{MISSING}"))
                })?
            } else {
                text.is_empty()
            };
            row.values.push(if is_missing {
                None
            } else {
                let hint = "write a number, NaN or inf; leave it empty where a sample is missing";
                Some(number(text).ok_or_else(|| no_number(text, hint).in_column(name))?)
            });
        }
        Ok(())
    }
}

const MARKS: &str = "write true where a sample is missing, else false";

impl Rows for Csv {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn next(&mut self, row: &mut Row) -> Result<bool, Failure> {
        row.values.clear();
        let before = self.reader.position().line();
        if !self.reader.read_record(&mut self.record).map_err(|error| unread(error, &self.name, before))? {
            return Ok(false);
        }
        row.line = self.record.position().map_or(before, Position::line);
        self.read(row).map_err(|problem| problem.at(&self.name, row.line))?;
        Ok(true)
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn mark(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn no_number(text: &str, hint: &str) -> Problem {
    let what = if text.is_empty() { "there is no number".to_owned() } else { format!("{text:?} is no number") };
    Problem::new(what, hint)
}

fn unread(error: csv::Error, name: &str, line: u64) -> Failure {
    let line = error.position().map_or(line, Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(why) => Failure::File { what: "read", path: name.into(), why },
        csv::ErrorKind::Utf8 { .. } => Problem::new("it is not UTF-8", "save the file as UTF-8").at(name, line),
        other => Problem::new(format!("{other:?}"), "give comma-separated values").at(name, line),
    }
}
