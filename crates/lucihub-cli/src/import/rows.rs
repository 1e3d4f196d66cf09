//! Rows of a file, in whatever format.

use lucihub_models_core::Invalid;

use super::layout::Layout;
use crate::failure::Failure;

/// What is at one index.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Where it begins, from 1.
    pub(super) line: u64,
    pub(super) index: Option<u64>,
    /// Seconds from the start of OP.
    pub(super) time: Option<f64>,
    /// A sample of each channel; none where it is missing.
    pub(super) values: Vec<Option<f64>>,
}

/// A file of rows.
pub(super) trait Rows: Send {
    /// What its columns are.
    fn layout(&self) -> &Layout;

    /// The next row. `false` at the end.
    fn next(&mut self, row: &mut Row) -> Result<bool, Failure>;

    /// What the file is called.
    fn name(&self) -> &str;

    /// A problem with a line.
    fn at(&self, line: u64, problem: Problem) -> Failure {
        problem.at(self.name(), line)
    }
}

/// What is wrong with a row, and what to do.
#[derive(Debug)]
pub(super) struct Problem {
    column: Option<String>,
    what: String,
    hint: String,
}

impl Problem {
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { column: None, what: what.into(), hint: hint.into() }
    }

    /// In which column it is.
    pub(super) fn in_column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }

    pub(super) fn at(self, name: &str, line: u64) -> Failure {
        let column = self.column.map(|column| format!(", column {column:?}")).unwrap_or_default();
        Invalid::new(format!("{name}, line {line}{column}"), self.what).hint(self.hint).into()
    }
}
