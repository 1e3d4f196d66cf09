//! How answers are printed.

use clap::{Args, ValueEnum};

/// How a list is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Lists {
    /// How to print it.
    #[arg(long, short, value_name = "FORMAT", conflicts_with = "json")]
    output: Option<Format>,
    /// The same as --output json.
    #[arg(long)]
    json: bool,
}

/// A form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people.
    Table,
    /// One JSON array.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// Comma-separated values with a header, every field; what is no text or number is JSON.
    Csv,
    /// Nothing but names, one per line.
    Ids,
}

impl Lists {
    /// The form that was asked for.
    pub(crate) fn format(self) -> Format {
        match self.output {
            Some(format) => format,
            None if self.json => Format::Json,
            None => Format::Table,
        }
    }
}

/// How one thing is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct One {
    /// How to print it.
    #[arg(long, short, value_name = "FORMAT", conflicts_with = "json")]
    output: Option<Shape>,
    /// The same as --output json.
    #[arg(long)]
    json: bool,
}

/// A form of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// Lines for people.
    Text,
    /// One JSON object.
    Json,
}

impl One {
    /// Whether JSON was asked for.
    pub(crate) fn is_json(self) -> bool {
        self.json || self.output == Some(Shape::Json)
    }
}
